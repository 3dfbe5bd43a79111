"""A suite from file to report, readable top to bottom.

`prepare` loads, `compute` trains one case, `conclude` measures, checks and judges, `publish`
writes. ``pfactor-bench run`` calls them in a row; ``pytest suites`` calls them one by one.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pfactor_bench.checks import run_checks
from pfactor_bench.claims import judge
from pfactor_bench.cohorts import COHORTS
from pfactor_bench.measure import measure, pooled_arrays
from pfactor_bench.models import build_model
from pfactor_bench.provenance import collect_provenance
from pfactor_bench.record import (
    ARRAYS_FILE,
    PREDICTIONS_FILE,
    Record,
    ensure_writable,
    write_atomically,
    write_record,
)
from pfactor_bench.report import render
from pfactor_bench.splits import SPLITTERS
from pfactor_bench.training.case import run_case
from pfactor_bench.training.device import choose_device, warm_up

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch

    from pfactor_bench.config import Suite
    from pfactor_bench.types import Case, CaseResult, Cohort, Split

__all__ = ["Prepared", "compute", "conclude", "prepare", "publish", "run"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Prepared:
    """A suite whose cohort is loaded, whose split is made and whose models are known to fit."""

    suite: Suite
    cohort: Cohort
    split: Split
    device: torch.device


def run(
    suite: Suite,
    *,
    out: Path,
    data_dir: Path | None,
    device: str,
    on_case: Callable[[Case], object] = lambda _case: None,
    on_epoch: Callable[[], object] = lambda: None,
) -> Record:
    """Run a whole suite and write its report.

    Parameters
    ----------
    suite
        What to run.
    out
        Folder of the report.
    data_dir
        Where cohorts on disk are looked for.
    device
        ``auto``, ``cpu`` or ``cuda``.
    on_case, on_epoch
        Called before each case and after each epoch, for progress.

    Returns
    -------
    Record
        As written.

    Raises
    ------
    PfactorBenchError
        Before any training, if the output folder, the data or the models cannot be used.
    """
    ensure_writable(out)
    prepared = prepare(suite, data_dir=data_dir, device=device)
    results = {}
    for case in suite.cases:
        on_case(case)
        results[case] = compute(prepared, case, on_epoch=on_epoch)
    record = conclude(prepared, results)
    publish(record, prepared, results, out)
    return record


def prepare(suite: Suite, *, data_dir: Path | None, device: str) -> Prepared:
    """Load the cohort, split its subjects, and build each model once to see that it fits."""
    chosen = choose_device(device)
    maker = COHORTS[suite.cohort.kind]
    supplied: dict[str, Any] = {}
    if data_dir is not None and "data_dir" in maker.__annotations__:
        supplied["data_dir"] = data_dir
    cohort = maker(**suite.cohort.args, **supplied)
    split = SPLITTERS[suite.split.kind](**suite.split.args)(cohort.subjects)
    build_model(suite.cases[0].model, cohort)
    warm_up()
    return Prepared(suite=suite, cohort=cohort, split=split, device=chosen)


def compute(
    prepared: Prepared, case: Case, *, on_epoch: Callable[[], object] = lambda: None
) -> CaseResult:
    """Train and evaluate one case."""
    return run_case(
        case,
        prepared.cohort,
        prepared.split,
        prepared.suite.budget,
        device=prepared.device,
        saliency=prepared.suite.saliency,
        on_epoch=on_epoch,
    )


def conclude(prepared: Prepared, results: Mapping[Case, CaseResult]) -> Record:
    """Measure, check, judge, and put everything into one record."""
    suite, cohort, split = prepared.suite, prepared.cohort, prepared.split
    measurements = measure(cohort, split, results)
    findings = run_checks(
        {
            "cohort": cohort,
            "split": split,
            "claims": suite.claims,
            "measurements": measurements,
            "predictions": _all_predictions(results),
            "declared_seeds": tuple(sorted({case.seed for case in suite.cases})),
            "saliency": suite.saliency,
        }
    )
    return Record(
        suite={
            "name": suite.name,
            "title": suite.title,
            "question": suite.question,
            "file": suite.path.name,
            "sha256": suite.sha256,
            "definition": suite.definition,
        },
        cohort=_cohort_facts(cohort),
        split=_split_facts(split, cohort),
        cases=tuple(_case_facts(case, result, cohort) for case, result in results.items()),
        measurements=measurements,
        findings=findings,
        claims=suite.claims,
        verdicts=judge(suite.claims, measurements),
        timings=tuple(timing for result in results.values() for timing in result.timings),
        provenance=collect_provenance(device=prepared.device, command=_command(suite)),
    )


def publish(
    record: Record, prepared: Prepared, results: Mapping[Case, CaseResult], out: Path
) -> Path:
    """Write record, arrays, predictions, figure and report; return the report's path."""
    ensure_writable(out)
    buffer = io.BytesIO()
    arrays = pooled_arrays(prepared.cohort, prepared.split, results)
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    write_atomically(out / ARRAYS_FILE, buffer.getvalue())
    write_atomically(
        out / PREDICTIONS_FILE, _all_predictions(results).to_parquet(index=False) or b""
    )
    write_record(record, out)
    return render(record, out)


def _command(suite: Suite) -> str:
    """Return what to type to run the suite again, without a path of this machine."""
    path = suite.path.resolve()
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path.name
    data = " --data DIR" if "data_dir" in COHORTS[suite.cohort.kind].__annotations__ else ""
    return f"pfactor-bench run {shown}{data}"


def _all_predictions(results: Mapping[Case, CaseResult]) -> pd.DataFrame:
    """Return every case's predictions in one table."""
    return pd.concat(
        [
            result.predictions.assign(regime=case.regime, seed=case.seed)
            for case, result in results.items()
        ],
        ignore_index=True,
    )


def _cohort_facts(cohort: Cohort) -> dict[str, Any]:
    scores = cohort.table.assign(y=cohort.y).groupby("subject")["y"].first()
    n_windows, _, n_times = cohort.X.shape
    planted = cohort.planted
    return {
        "name": cohort.name,
        "target": cohort.target,
        "unit": cohort.unit,
        "sfreq": cohort.sfreq,
        "ch_names": list(cohort.ch_names),
        "n_subjects": cohort.n_subjects,
        "n_windows": n_windows,
        "n_times": n_times,
        "score_mean": float(scores.mean()),
        "score_sd": float(scores.std(ddof=0)),
        "fingerprint": cohort.fingerprint,
        "notes": list(cohort.notes),
        "provenance": dict(cohort.provenance),
        "planted": planted and {"ch_names": list(planted.ch_names), "frequency": planted.frequency},
    }


def _split_facts(split: Split, cohort: Cohort) -> dict[str, Any]:
    subjects = cohort.subjects
    return {
        "name": split.name,
        "folds": [
            {
                "name": fold.name,
                "train_subjects": np.unique(subjects[fold.train]).tolist(),
                "test_subjects": np.unique(subjects[fold.test]).tolist(),
                "n_train_windows": len(fold.train),
                "n_test_windows": len(fold.test),
            }
            for fold in split.folds
        ],
    }


def _case_facts(case: Case, result: CaseResult, cohort: Cohort) -> dict[str, Any]:
    return {
        "id": case.id,
        "regime": case.regime,
        "model": case.model.name,
        "model_args": dict(case.model.args),
        "seed": case.seed,
        "n_parameters": result.n_parameters,
        "n_trainable": result.n_trainable,
        "saliency": [
            {
                "chosen_by": saliency.chosen_by,
                "circular": saliency.circular,
                "peak_channel": cohort.ch_names[int(saliency.map.mean(axis=1).argmax())],
                "peak_time": float(saliency.map.mean(axis=0).argmax()) / cohort.sfreq,
                "max": float(saliency.map.max()),
            }
            for saliency in result.saliency
        ],
    }

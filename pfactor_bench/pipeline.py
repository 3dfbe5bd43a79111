"""A suite from file to report, readable top to bottom.

`prepare` loads, `compute` trains one case, `conclude` measures, checks and judges, `publish`
writes. ``pfactor-bench run`` calls them in a row; ``pytest suites`` calls them one by one.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pfactor_bench.checks import run_checks
from pfactor_bench.claims import judge
from pfactor_bench.cohorts import reads_data_folder
from pfactor_bench.comparisons import compare_starts, measure_sources
from pfactor_bench.finished import case_key, case_path, read_case, write_case
from pfactor_bench.ladder import measure_confounds, measure_ladder, measure_spread
from pfactor_bench.measure import measure, pooled_arrays
from pfactor_bench.metrics import score
from pfactor_bench.preparation import Prepared, encoders_of, prepare
from pfactor_bench.provenance import collect_provenance
from pfactor_bench.record import (
    ARRAYS_FILE,
    PREDICTIONS_FILE,
    Record,
    ensure_writable,
    write_atomically,
    write_record,
)
from pfactor_bench.record_facts import (
    case_facts,
    cohort_facts,
    encoder_facts,
    manifests_by_fold,
    manifests_by_model,
    split_facts,
)
from pfactor_bench.report import render
from pfactor_bench.shuffles import measure_shuffles, shuffled_correlations
from pfactor_bench.training.engine import run_group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pfactor_bench.config import Suite
    from pfactor_bench.encoders.checkpoints import Encoder
    from pfactor_bench.types import Case, CaseResult, Cohort, Measurement, Split

__all__ = [
    "Prepared",
    "compute",
    "conclude",
    "measure_results",
    "prepare",
    "publish",
    "run",
    "write_arrays",
]


def run(
    suite: Suite,
    *,
    out: Path,
    data_dir: Path | None,
    device: str,
    cache: Path | None = None,
    on_case: Callable[[Case], object] = lambda _case: None,
    on_epoch: Callable[[], object] = lambda: None,
) -> Record:
    """Run a whole suite and write its report; cases that are finished already are not run again.

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
    cache
        Folder of encoders; None takes the environment variable ``PFACTOR_BENCH_CACHE``, else
        ``encoders`` in the report's folder.
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
    prepared = prepare(suite, data_dir=data_dir, device=device, out=out, cache=cache)
    results = {}
    for case in suite.cases:
        on_case(case)
        results[case] = compute(prepared, case, on_epoch=on_epoch)
    record = conclude(prepared, results)
    publish(record, prepared, results, out)
    return record


def compute(
    prepared: Prepared, case: Case, *, on_epoch: Callable[[], object] = lambda: None
) -> CaseResult:
    """Train and evaluate one case, or read it if it is finished already."""
    encoders = encoders_of(prepared, case)
    if prepared.out is None:
        return _train(prepared, case, encoders, on_epoch)
    path = case_path(prepared.out / "cases", case)
    key = case_key(
        case,
        prepared.cohort,
        prepared.split,
        prepared.suite.budget,
        engine=prepared.suite.engine,
        saliency=prepared.suite.saliency,
        encoders={fold: encoder.manifest["sha256"] for fold, encoder in encoders.items()},
        device=prepared.device,
    )
    result = read_case(path, key)
    if result is None:
        result = _train(prepared, case, encoders, on_epoch)
        write_case(path, key, result)
    return result


def conclude(prepared: Prepared, results: Mapping[Case, CaseResult]) -> Record:
    """Measure, check, judge, and put everything into one record."""
    suite, cohort, split = prepared.suite, prepared.cohort, prepared.split
    encoders = {case: encoders_of(prepared, case) for case in results}
    measurements = (
        *measure_results(suite, cohort, split, results),
        *measure_sources(manifests_by_model(encoders)),
    )
    findings = run_checks(
        {
            "cohort": cohort,
            "split": split,
            "split_recipe": {"kind": suite.split.kind, "args": dict(suite.split.args)},
            "metric": score,
            "claims": suite.claims,
            "measurements": measurements,
            "predictions": _all_predictions(results),
            "declared_seeds": tuple(sorted({case.seed for case in suite.cases})),
            "saliency": suite.saliency,
            "pretraining": manifests_by_fold(encoders) or None,
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
        cohort=cohort_facts(cohort),
        split=split_facts(split, cohort),
        cases=tuple(
            case_facts(case, result, cohort, encoders[case]) for case, result in results.items()
        ),
        measurements=measurements,
        findings=findings,
        claims=suite.claims,
        verdicts=judge(suite.claims, measurements),
        timings=tuple(timing for result in results.values() for timing in result.timings),
        provenance={
            **collect_provenance(device=prepared.device, command=_command(suite)),
            "encoders": encoder_facts(encoders),
        },
    )


def measure_results(
    suite: Suite, cohort: Cohort, split: Split, results: Mapping[Case, CaseResult]
) -> tuple[Measurement, ...]:
    """Return every number that follows from predictions, curves and saliency maps."""
    arrays = pooled_arrays(cohort, split, results)
    regimes = tuple(dict.fromkeys(case.regime for case in results))
    return (
        *measure(cohort, split, results),
        *measure_ladder(cohort, split, arrays, baselines=suite.baselines, regimes=regimes),
        *measure_spread(cohort, split, arrays, regimes=regimes),
        *measure_confounds(cohort, arrays, regimes=regimes),
        *measure_shuffles(arrays, shuffled_correlations(cohort, split, arrays, regimes=regimes)),
        *compare_starts(results, arrays),
    )


def write_arrays(
    cohort: Cohort, split: Split, results: Mapping[Case, CaseResult], out: Path
) -> None:
    """Write the arrays that a report's figures are drawn from."""
    arrays = pooled_arrays(cohort, split, results)
    regimes = dict.fromkeys(case.regime for case in results)
    arrays |= shuffled_correlations(cohort, split, arrays, regimes=regimes)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    write_atomically(out / ARRAYS_FILE, buffer.getvalue())


def publish(
    record: Record, prepared: Prepared, results: Mapping[Case, CaseResult], out: Path
) -> Path:
    """Write record, arrays, predictions, figure and report; return the report's path."""
    ensure_writable(out)
    write_arrays(prepared.cohort, prepared.split, results, out)
    write_atomically(
        out / PREDICTIONS_FILE, _all_predictions(results).to_parquet(index=False) or b""
    )
    write_record(record, out)
    return render(record, out)


def _train(
    prepared: Prepared,
    case: Case,
    encoders: Mapping[str, Encoder],
    on_epoch: Callable[[], object],
) -> CaseResult:
    tensors = {fold: encoder.tensors for fold, encoder in encoders.items()}
    return run_group(
        prepared.suite.engine,
        (case,),
        prepared.cohort,
        prepared.split,
        prepared.suite.budget,
        device=prepared.device,
        encoders={case: tensors} if tensors else None,
        saliency=prepared.suite.saliency,
        on_epoch=on_epoch,
    )[case]


def _command(suite: Suite) -> str:
    """Return what to type to run the suite again, without a path of this machine."""
    path = suite.path.resolve()
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path.name
    data = " --data DIR" if reads_data_folder(suite.cohort.kind) else ""
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

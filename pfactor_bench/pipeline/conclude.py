"""From results to a record, and from a record to its files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pfactor_bench.checks import run_checks
from pfactor_bench.claims import judge
from pfactor_bench.cohorts import reads_data_folder
from pfactor_bench.config import bundled_suites
from pfactor_bench.execution.preparation import encoders_of
from pfactor_bench.files import write_atomically
from pfactor_bench.measurements.held_out import pooled_arrays
from pfactor_bench.measurements.missing import with_missing
from pfactor_bench.measurements.permutations import permuted_correlations
from pfactor_bench.measurements.suite import measure_suite
from pfactor_bench.pipeline.evaluations import evaluations, keep_evaluations
from pfactor_bench.records.facts import (
    case_facts,
    cohort_facts,
    encoder_facts,
    manifests_by_fold,
    split_facts,
)
from pfactor_bench.records.provenance import collect_provenance
from pfactor_bench.records.record import ARRAYS_FILE, PREDICTIONS_FILE, Record, write_record
from pfactor_bench.report import render
from pfactor_bench.statistics.metrics import evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pfactor_bench.config import Suite
    from pfactor_bench.pipeline.stages import Run
    from pfactor_bench.types import Case, CaseResult, Cohort, Split


def conclude(run: Run) -> Record:
    """Measure, check, judge, and put everything into one record; what failed is missing there."""
    suite, cohort, split = run.suite, run.cohort, run.split
    results, failed = run.results, run.failed
    encoders = {case: encoders_of(run, case) for case in results}
    measured = measure_suite(suite, cohort, split, results, encoders)
    measurements = with_missing(measured, suite.cases, failed, suite.claims)
    findings = run_checks(
        {
            "cohort": cohort,
            "split": split,
            "split_recipe": {"kind": suite.split.kind, "args": dict(suite.split.args)},
            "metric": evaluate,
            "claims": suite.claims,
            "measurements": measurements,
            "predictions": _all_predictions(results),
            "declared_seeds": tuple(sorted({case.seed for case in suite.cases})),
            "exclusions": run.exclusions,
            "ledger": evaluations(suite, cohort, split, run.out),
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
            **collect_provenance(
                device=run.device, threads=run.training.threads, command=command_to_repeat(suite)
            ),
            "encoders": encoder_facts(encoders),
        },
        missing=tuple(
            {"id": case.id, "regime": case.regime, "seed": case.seed, "reason": failed[case.id]}
            for case in suite.cases
            if case.id in failed
        ),
    )


def write_arrays(
    cohort: Cohort, split: Split, results: Mapping[Case, CaseResult], out: Path
) -> None:
    """Write the arrays that a report's figures are drawn from."""
    arrays = pooled_arrays(cohort, split, results)
    regimes = dict.fromkeys(case.regime for case in results)
    arrays |= permuted_correlations(cohort, split, arrays, regimes=regimes)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    write_atomically(out / ARRAYS_FILE, buffer.getvalue())


def write_report(record: Record, run: Run) -> Path:
    """Write record, arrays, predictions, evaluations, figure, report; return the report's path."""
    results, out = run.results, run.folder
    write_arrays(run.cohort, run.split, results, out)
    table = _all_predictions(results).assign(fingerprint=run.cohort.fingerprint)
    write_atomically(out / PREDICTIONS_FILE, table.to_parquet(index=False) or b"")
    keep_evaluations(evaluations(run.suite, run.cohort, run.split, out), out)
    write_record(record, out)
    return render(record, out)


def command_to_repeat(suite: Suite) -> str:
    """Return what to type to run the suite again, without a path of this machine."""
    path, here = suite.path.resolve(), Path.cwd()
    bundled = {file.resolve(): name for name, file in bundled_suites().items()}
    shown = path.relative_to(here) if path.is_relative_to(here) else bundled.get(path, path.name)
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

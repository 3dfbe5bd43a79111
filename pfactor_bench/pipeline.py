"""A suite from file to report, readable top to bottom.

`prepare` loads, `run_cases` trains what is not finished (`compute` a single case), `conclude`
measures, checks and judges, `publish` writes. ``pfactor-bench run`` calls them in a row; ``pytest
suites`` calls them one by one.
"""

from __future__ import annotations

import io
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pfactor_bench.checks import run_checks
from pfactor_bench.claims import judge
from pfactor_bench.cohorts import reads_data_folder
from pfactor_bench.dispatch import (
    SHARED_FOLDER,
    Execution,
    compute,
    keepings,
    prepared_for_cluster,
    read_results,
    run_missing,
)
from pfactor_bench.errors import ExecutionError
from pfactor_bench.execution.lock import only_run_in
from pfactor_bench.execution.progress import RunInterrupted, Tracker
from pfactor_bench.foreseen import refuse_unknown_measurements
from pfactor_bench.measure import pooled_arrays
from pfactor_bench.measure_suite import measure_suite
from pfactor_bench.metrics import score
from pfactor_bench.missing import with_missing
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
    split_facts,
)
from pfactor_bench.report import render
from pfactor_bench.shuffles import shuffled_correlations
from pfactor_bench.training.acceleration import refuse_impossible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pfactor_bench.config import Suite
    from pfactor_bench.execution.progress import Progress
    from pfactor_bench.types import Case, CaseResult, Cohort, Split

__all__ = [
    "Execution",
    "Prepared",
    "compute",
    "conclude",
    "prepare",
    "publish",
    "run",
    "run_cases",
    "write_arrays",
]


def run(
    suite: Suite,
    *,
    out: Path,
    data_dir: Path | None,
    device: str,
    cache: Path | None = None,
    execution: Execution | None = None,
    on_progress: Callable[[Progress], object] = lambda _progress: None,
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
    execution
        Where and how persistently cases are run; None stays in this process.
    on_progress, on_epoch
        Called when a case begins or ends, and after each epoch in this process.

    Returns
    -------
    Record
        As written. Cases that failed are under ``missing``, with the reason.

    Raises
    ------
    PfactorBenchError
        Before any training, if the output folder, the data or the models cannot be used, a claim
        speaks of what will not be measured, or another run is using the folder; later, if results
        cannot be kept or no case succeeds.
    RunInterrupted
        At Ctrl-C, with how to go on.
    """
    ensure_writable(out)
    execution = execution or Execution()
    with only_run_in(out):
        here = device if execution.cluster is None else "auto"
        prepared = prepare(suite, data_dir=data_dir, device=here, out=out, cache=cache)
        refuse_unknown_measurements(prepared)
        if execution.cluster is not None:
            prepared = prepared_for_cluster(prepared, execution.cluster, device)
        results, failed = run_cases(prepared, execution, on_progress=on_progress, on_epoch=on_epoch)
        record = conclude(prepared, results, failed=failed)
        publish(record, prepared, results, out)
        return record


def run_cases(
    prepared: Prepared,
    execution: Execution,
    *,
    on_progress: Callable[[Progress], object] = lambda _progress: None,
    on_epoch: Callable[[], object] = lambda: None,
) -> tuple[dict[Case, CaseResult], Mapping[str, str]]:
    """Return the result of every case that has one, and why the others have none, by name.

    Raises
    ------
    EnvironmentProblemError
        If the device cannot do what the suite's engine asks for.
    ExecutionError
        If not a single case succeeded, or what the cases run on was lost.
    OutputError
        If results cannot be kept.
    RunInterrupted
        At Ctrl-C.
    """
    assert prepared.out is not None  # noqa: S101 - a run has a folder
    refuse_impossible(prepared.suite.engine, prepared.device)
    kept = keepings(prepared, prepared.suite.cases)
    tracker = Tracker(
        total=len(kept),
        done=sum(one.is_finished for one in kept),
        folder=prepared.out,
        command=_command_to_go_on(prepared.suite, prepared.out),
        watch=on_progress,
    )
    try:
        failed = run_missing(prepared, kept, execution, tracker, on_epoch=on_epoch)
    except KeyboardInterrupt:
        tracker.ended("interrupted")
        raise RunInterrupted(tracker.progress) from None
    except BaseException:
        tracker.ended("interrupted")
        raise
    results = read_results(kept)
    failed = {
        one.case.id: failed.get(one.case.id, "its file could not be read after it was written")
        for one in kept
        if one.case not in results
    }
    tracker.ended("finished")
    if not results:
        raise ExecutionError(
            f"none of {len(kept)} cases succeeded; the first: {next(iter(failed.values()))}"
        )
    shutil.rmtree(prepared.out / SHARED_FOLDER, ignore_errors=True)
    return results, failed


def conclude(
    prepared: Prepared,
    results: Mapping[Case, CaseResult],
    *,
    failed: Mapping[str, str] | None = None,
) -> Record:
    """Measure, check, judge, and put everything into one record.

    Parameters
    ----------
    prepared
        The suite.
    results
        Of its cases, as far as they have one.
    failed
        Why the others have none, by name.
    """
    suite, cohort, split = prepared.suite, prepared.cohort, prepared.split
    failed = failed or {}
    encoders = {case: encoders_of(prepared, case) for case in results}
    measured = measure_suite(suite, cohort, split, results, encoders)
    measurements = with_missing(measured, suite.cases, failed, suite.claims)
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
            **collect_provenance(
                device=prepared.device, threads=prepared.threads, command=_command(suite)
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


def _command(suite: Suite) -> str:
    """Return what to type to run the suite again, without a path of this machine."""
    path = suite.path.resolve()
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path.name
    data = " --data DIR" if reads_data_folder(suite.cohort.kind) else ""
    return f"pfactor-bench run {shown}{data}"


def _command_to_go_on(suite: Suite, out: Path) -> str:
    """Return what to type to go on with a run in `out`."""
    elsewhere = out != Path("reports") / suite.name
    return f"{_command(suite)} --out {shlex.quote(str(out))}" if elsewhere else _command(suite)


def _all_predictions(results: Mapping[Case, CaseResult]) -> pd.DataFrame:
    """Return every case's predictions in one table."""
    return pd.concat(
        [
            result.predictions.assign(regime=case.regime, seed=case.seed)
            for case, result in results.items()
        ],
        ignore_index=True,
    )

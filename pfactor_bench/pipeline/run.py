"""A suite from file to report, readable top to bottom.

`prepare` loads, `run_cases` trains what is not finished (`compute` a single case), `audit_regimes`
trains it again on changed data, `conclude` measures, checks and judges, `publish` writes.
``pfactor-bench run`` calls them in a row; ``pytest suites`` calls them one by one.
"""

from __future__ import annotations

import shlex
import shutil
from typing import TYPE_CHECKING

from pfactor_bench.errors import ExecutionError
from pfactor_bench.execution.cases import (
    SHARED_FOLDER,
    Execution,
    compute,
    keepings,
    prepared_for_cluster,
    read_results,
    run_missing,
)
from pfactor_bench.execution.lock import only_run_in
from pfactor_bench.execution.preparation import Prepared, prepare
from pfactor_bench.execution.progress import RunInterrupted, Tracker
from pfactor_bench.files import ensure_writable, report_folder
from pfactor_bench.measurements.names import refuse_unknown_measurements
from pfactor_bench.pipeline.audits import audit_regimes, with_audits
from pfactor_bench.pipeline.conclude import command_to_repeat, conclude, publish
from pfactor_bench.training.fast.acceleration import refuse_impossible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pfactor_bench.config import Suite
    from pfactor_bench.execution.progress import Progress
    from pfactor_bench.records.record import Record
    from pfactor_bench.types import Case, CaseResult

__all__ = ["Execution", "Prepared", "compute", "prepare", "run", "run_cases"]


def run(
    suite: Suite,
    *,
    out: Path,
    data_dir: Path | None,
    device: str,
    cache: Path | None = None,
    execution: Execution | None = None,
    audit: bool | None = None,
    on_progress: Callable[[Progress], object] = lambda _progress: None,
    on_epoch: Callable[[], object] = lambda: None,
    on_audit: Callable[[str], object] = lambda _regime: None,
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
    audit
        Whether to audit every regime; None audits those whose audit costs less than the run.
    on_progress, on_epoch, on_audit
        Called when a case begins or ends, after each epoch in this process, and with a regime
        before its audit begins.

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
        audits = audit_regimes(prepared, results, wanted=audit, on_audit=on_audit)
        record = with_audits(conclude(prepared, results, failed=failed), audits)
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


def _command_to_go_on(suite: Suite, out: Path) -> str:
    """Return what to type to go on with a run in `out`."""
    elsewhere = out != report_folder(suite.name)
    return (
        f"{command_to_repeat(suite)} --out {shlex.quote(str(out))}"
        if elsewhere
        else command_to_repeat(suite)
    )

"""A suite from file to report, readable top to bottom.

`prepare` loads, `run_cases` trains what is not finished (`compute` a single case), `audit_regimes`
trains it again on changed data, `conclude` measures, checks and judges, `publish` writes.
``pfactor-bench run`` calls them in a row; ``pytest suites`` calls them one by one.
"""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pfactor_bench.config import Suite, load_suite
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
from pfactor_bench.execution.watched import watched_cases
from pfactor_bench.files import ensure_writable, report_folder
from pfactor_bench.measurements.names import refuse_unknown_measurements
from pfactor_bench.pipeline.audits import audit_regimes, with_audits
from pfactor_bench.pipeline.conclude import command_to_repeat, conclude, publish

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pfactor_bench.execution.progress import Progress
    from pfactor_bench.records.record import Record
    from pfactor_bench.types import Case, CaseResult

__all__ = ["Execution", "Prepared", "compute", "prepare", "run", "run_cases"]


def run(
    suite: Suite | Path | str,
    *,
    out: Path | str | None = None,
    data_dir: Path | str | None = None,
    device: str = "auto",
    cache: Path | str | None = None,
    execution: Execution | None = None,
    audit: bool | None = None,
    on_progress: Callable[[Progress], object] = lambda _progress: None,
    progress: bool = True,
) -> Record:
    """Run a whole suite and write its report; cases that are finished already are not run again.

    Parameters
    ----------
    suite
        What to run: a suite, or its file.
    out
        Folder of the report; None takes the suite's, where local runs go.
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
    on_progress
        Called when a case begins or ends.
    progress
        Whether a line on standard error tells how far it is, in a terminal or a notebook.

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
    suite = suite if isinstance(suite, Suite) else load_suite(suite)
    out = report_folder(suite.name) if out is None else Path(out)
    data_dir = None if data_dir is None else Path(data_dir)
    cache = None if cache is None else Path(cache)
    ensure_writable(out)
    execution = execution or Execution()
    watched = watched_cases(len(suite.cases), on_progress, wanted=progress)
    with only_run_in(out), watched as (tell, keep_alive, name_audit):
        here = device if execution.cluster is None else "auto"
        prepared = prepare(suite, data_dir=data_dir, device=here, out=out, cache=cache)
        refuse_unknown_measurements(prepared)
        if execution.cluster is not None:
            prepared = prepared_for_cluster(prepared, execution.cluster, device)
        results, failed = run_cases(prepared, execution, on_progress=tell, on_epoch=keep_alive)
        audits = audit_regimes(prepared, results, wanted=audit, on_audit=name_audit)
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
    ExecutionError
        If not a single case succeeded, or what the cases run on was lost.
    OutputError
        If results cannot be kept.
    RunInterrupted
        At Ctrl-C.
    """
    assert prepared.out is not None  # noqa: S101 - a run has a folder
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

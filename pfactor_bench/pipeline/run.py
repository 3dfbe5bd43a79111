"""A suite from file to report in one go: prepare, results, audits, record, publish."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pfactor_bench.config import Suite, load_suite
from pfactor_bench.config.declared import read_exclusions
from pfactor_bench.execution.cases import Execution, device_of_cluster
from pfactor_bench.execution.lock import only_run_in
from pfactor_bench.execution.watched import watched_cases
from pfactor_bench.files import ensure_writable, report_folder
from pfactor_bench.pipeline.audits import audit_regimes
from pfactor_bench.pipeline.stages import Run

if TYPE_CHECKING:
    from pfactor_bench.execution.progress import Progress
    from pfactor_bench.records.record import Record

__all__ = ["Execution", "run"]


def run(
    suite: Suite | Path | str,
    *,
    out: Path | str | None = None,
    data_dir: Path | str | None = None,
    device: str = "auto",
    cache: Path | str | None = None,
    execution: Execution | None = None,
    audit: bool | None = None,
    declare: Path | str | None = None,
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
    declare
        A file of declarations, such as who was to be left out: see `pfactor_bench.config.declared`.
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
    exclusions = None if declare is None else read_exclusions(Path(declare))
    ensure_writable(out)
    execution = execution or Execution()
    watched = watched_cases(len(suite.cases), on_progress, wanted=progress)
    with only_run_in(out), watched as (tell, keep_alive, name_audit):
        it = Run(
            suite,
            out=out,
            data_dir=None if data_dir is None else Path(data_dir),
            device=device if execution.cluster is None else "auto",
            cache=None if cache is None else Path(cache),
            execution=execution,
            exclusions=exclusions,
        ).begin()
        if execution.cluster is not None:
            it = it.but(device=device_of_cluster(it, execution.cluster, device))
        it.train(suite.cases, on_progress=tell, on_epoch=keep_alive)
        it.audits |= audit_regimes(it, wanted=audit, on_audit=name_audit)
        it.publish()
        return it.record

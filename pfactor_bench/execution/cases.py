"""From a run to finished cases: what is missing, as which tasks, in which pool."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pfactor_bench.cohorts.shared import share_cohort
from pfactor_bench.errors import ConfigError, ExecutionError
from pfactor_bench.execution.pools import HandedIn, InProcess, Processes
from pfactor_bench.execution.preparation import encoders_of
from pfactor_bench.execution.progress import RunInterrupted, Tracker
from pfactor_bench.execution.results import CachedCase, case_key, case_path
from pfactor_bench.execution.schedule import run_tasks
from pfactor_bench.execution.tasks import Task
from pfactor_bench.execution.worker import (
    log_of,
    open_both,
    share_split,
    this_process,
    train_group,
    train_missing,
)
from pfactor_bench.models.identity import code_versions
from pfactor_bench.training.engine import group_cases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from concurrent.futures import Executor

    import torch

    from pfactor_bench.config import Suite
    from pfactor_bench.execution.pools import Pool
    from pfactor_bench.execution.progress import Progress
    from pfactor_bench.execution.tasks import TaskEnd
    from pfactor_bench.pipeline.stages import Run
    from pfactor_bench.training.pretraining.checkpoints import Encoder
    from pfactor_bench.types import Case, CaseResult

#: In the output folder: what workers map into their memory, until the run is finished.
_SHARED = "shared"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Execution:
    """Where and how persistently cases are run. It changes no result but for rounding.

    Parameters
    ----------
    workers
        Local processes; 1 stays in the calling process, None takes as many as the machine has cores
        for, where there is that much to do.
    executor
        Any `concurrent.futures.Executor` to use instead.
    cluster
        Address of a Dask scheduler to use instead.
    attempts
        How often what a worker was given is begun before it is given up; cases that were given
        together are then begun one by one.
    seconds
        How long one group of cases may take before its worker is ended; None sets no limit. It has
        no effect in the calling process, which would end itself.
    """

    workers: int | None = 1
    executor: Executor | None = None
    cluster: str | None = None
    attempts: int = 3
    seconds: float | None = None


def compute(run: Run, case: Case) -> CaseResult:
    """Train and evaluate one case here, or read it if it is finished already."""
    if run.out is None:
        encoders = {fold: one.tensors for fold, one in encoders_of(run, case).items()}
        given = {case: encoders} if encoders else None
        return run.training.run((case,), run.cohort, run.split, given)[case]
    (cached,) = cached_cases(run, (case,))
    result = cached.read()
    if result is None:
        train_missing(run.training, (cached,), lambda: (run.cohort, run.split))
        result = cached.read()
    assert result is not None  # noqa: S101 - it was written just now
    return result


def cached_cases(run: Run, cases: Iterable[Case]) -> list[CachedCase]:
    """Return where each case's result is kept, pretraining what encoders are missing."""
    known: list[tuple[Case, Mapping[str, Encoder]]] = []
    found = []
    for case in cases:
        alike = (of for one, of in known if (one.model, one.start) == (case.model, case.start))
        encoders = next(alike, None)
        if encoders is None:
            encoders = encoders_of(run, case)
            known.append((case, encoders))
        hashes = {fold: encoder.manifest["sha256"] for fold, encoder in encoders.items()}
        files = {fold: encoder.path.resolve() for fold, encoder in encoders.items()}
        key = case_key(case, run.cohort, run.split, run.training, hashes)
        path = case_path(run.folder.resolve() / "cases", case, key)
        found.append(CachedCase(case=case, path=path, key=key, encoders=files))
    return found


def run_cases(
    run: Run,
    cases: Iterable[Case],
    *,
    command: str,
    on_progress: Callable[[Progress], object] = lambda _progress: None,
    on_epoch: Callable[[], object] = lambda: None,
) -> tuple[dict[Case, CaseResult], dict[str, str]]:
    """Return the result of every case that has one, and why the others have none, by name.

    Parameters
    ----------
    run
        The suite, with where and how persistently its cases are run.
    cases
        Those to run, if no earlier run has kept them.
    command
        What to type to go on after an interruption.
    on_progress
        Called with every change.
    on_epoch
        Called after each epoch of cases that run in the calling process.

    Raises
    ------
    ExecutionError
        If not a single case succeeded, or what the cases run on was lost.
    OutputError
        If results cannot be kept.
    RunInterrupted
        At Ctrl-C.
    """
    cached = cached_cases(run, cases)
    missing = [one for one in cached if not one.is_finished]
    tracker = Tracker(
        total=len(cached),
        done=len(cached) - len(missing),
        folder=run.folder,
        command=command,
        watch=on_progress,
    )
    try:
        failed = _run_missing(run, missing, tracker, on_epoch) if missing else {}
    except KeyboardInterrupt:
        tracker.ended("interrupted")
        raise RunInterrupted(tracker.progress) from None
    except BaseException:
        tracker.ended("interrupted")
        raise
    read = {one.case: one.read() for one in cached}
    results = {case: result for case, result in read.items() if result is not None}
    unreadable = "its file could not be read after it was written"
    failed = {case.id: failed.get(case.id, unreadable) for case in read if case not in results}
    tracker.ended("finished")
    if not results:
        raise ExecutionError(
            f"none of {len(cached)} cases succeeded; the first: {next(iter(failed.values()))}"
        )
    shutil.rmtree(run.folder / _SHARED, ignore_errors=True)
    return results, failed


def device_of_cluster(run: Run, address: str, device: str) -> torch.device:
    """Return the device that a cluster's workers have.

    Raises
    ------
    ExecutionError
        If no scheduler answers, no worker offers what is asked for, or encoders would have to be
        pretrained here, where the device is not.
    """
    import torch

    from pfactor_bench.execution.cluster import cluster_device

    chosen = torch.device(cluster_device(address, device))
    if run.source is not None and chosen.type != run.device.type:
        raise ExecutionError(
            f"suite {run.suite.name!r} pretrains encoders where the run is started, on "
            f"{run.device.type!r}, but its cases would run on {chosen.type!r}: start it where "
            f"there is a GPU, or use --device cpu"
        )
    return chosen


def most_workers(suite: Suite, device_type: str) -> int:
    """Return how many cases can use this machine at a time without waiting for each other."""
    from joblib import cpu_count

    if suite.threads is None or device_type != "cpu":
        return 1
    # Unlike os.cpu_count, it knows what a container or a batch system allows.
    return max(1, int(cpu_count()) // suite.threads)


def will_use_processes(suite: Suite, device: str, n_cases: int) -> bool:
    """Whether cases will probably be shared out; to be wrong costs some seconds of another core.

    Parameters
    ----------
    suite
        Whose cases.
    device
        ``auto``, ``cpu`` or ``cuda``.
    n_cases
        How many are to be run.
    """
    return n_cases > 1 and most_workers(suite, "cuda" if device == "cuda" else "cpu") > 1


def _run_missing(
    run: Run, missing: Sequence[CachedCase], tracker: Tracker, on_epoch: Callable[[], object]
) -> dict[str, str]:
    """Run cases that have no result yet; return why some still have none, by name."""
    pool = _pool(run, len(missing))
    if isinstance(pool, InProcess):
        train = partial(train_group, divided=lambda: (run.cohort, run.split), on_epoch=on_epoch)
    else:
        folder = run.folder / _SHARED
        shared = share_cohort(run.cohort, folder), share_split(run.split, folder)
        train = partial(train_group, divided=partial(open_both, *shared))
    train = partial(
        train,
        run.training,
        leader=this_process(),
        versions=code_versions(),
        seconds=run.execution.seconds,
    )
    by_case = {one.case: one for one in missing}
    groups = group_cases(
        run.suite.engine, tuple(by_case), n_workers=pool.size, device=run.device.type
    )
    tasks = [_task(train, [by_case[case] for case in group]) for group in groups]
    try:
        return run_tasks(tasks, pool, tracker, attempts=run.execution.attempts)
    finally:
        pool.stop()


def _task(train: Callable[..., TaskEnd], group: Sequence[CachedCase]) -> Task:
    return Task(
        cases=tuple(one.case.id for one in group),
        work=partial(train, group),
        parts=tuple(_task(train, [one]) for one in group) if len(group) > 1 else (),
        log=log_of(group),
    )


def _pool(run: Run, n_missing: int) -> Pool:
    execution, suite = run.execution, run.suite
    if execution.executor is not None:
        return HandedIn(execution.executor)
    if execution.cluster is not None:
        from pfactor_bench.execution.cluster import DaskCluster

        return DaskCluster(execution.cluster, n_gpus=int(run.device.type == "cuda"))
    n_workers = min(execution.workers or most_workers(suite, run.device.type), n_missing)
    if n_workers == 1:
        return InProcess()
    if suite.threads is None:
        raise ConfigError(
            f"suite {suite.name!r} trains each case with all threads, so {n_workers} "
            f"workers would be in each other's way: leave --workers out, or write 'threads: 1' "
            f"into the suite"
        )
    return Processes(n_workers, seconds=execution.seconds)

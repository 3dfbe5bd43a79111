"""From a prepared suite to finished cases: what is missing, as which tasks, in which pool."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from pfactor_bench.cohorts.shared import share_cohort
from pfactor_bench.errors import ConfigError, ExecutionError
from pfactor_bench.execution.pools import HandedIn, InProcess, Processes
from pfactor_bench.execution.preparation import encoders_of
from pfactor_bench.execution.results import case_key, case_path, read_case, write_case
from pfactor_bench.execution.schedule import run_tasks
from pfactor_bench.execution.tasks import Task
from pfactor_bench.execution.worker import (
    GroupWork,
    Keeping,
    attempt,
    share_split,
    this_process,
    train_group,
)
from pfactor_bench.models.identity import code_versions
from pfactor_bench.training.device import torch_threads
from pfactor_bench.training.engine import group_cases, run_group
from pfactor_bench.training.pretraining.checkpoints import read_encoder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Executor
    from pathlib import Path

    from pfactor_bench.config import Suite
    from pfactor_bench.execution.pools import Pool
    from pfactor_bench.execution.preparation import Prepared
    from pfactor_bench.execution.progress import Tracker
    from pfactor_bench.training.pretraining.checkpoints import Encoder
    from pfactor_bench.types import Case, CaseResult

__all__ = [
    "SHARED_FOLDER",
    "Execution",
    "compute",
    "keepings",
    "most_workers",
    "prepared_for_cluster",
    "read_results",
    "run_missing",
    "train_and_keep",
    "will_use_processes",
]

#: In the output folder: what workers map into their memory, until the run is finished.
SHARED_FOLDER = "shared"


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


def compute(
    prepared: Prepared, case: Case, *, on_epoch: Callable[[], object] = lambda: None
) -> CaseResult:
    """Train and evaluate one case here, or read it if it is finished already."""
    if prepared.out is None:
        return _train(prepared, (case,), {case: encoders_of(prepared, case)}, on_epoch)[case]
    (kept,) = keepings(prepared, (case,))
    result = read_case(kept.path, kept.key)
    if result is None:
        train_and_keep(prepared, (kept,), on_epoch)
        result = read_case(kept.path, kept.key)
    assert result is not None  # noqa: S101 - it was written just now
    return result


def keepings(prepared: Prepared, cases: Sequence[Case]) -> tuple[Keeping, ...]:
    """Return where each case's result is kept, pretraining what encoders are missing."""
    assert prepared.out is not None  # noqa: S101 - whoever keeps results has a folder
    folder = prepared.out.resolve() / "cases"
    found = []
    for case, encoders in _encoders_of_all(prepared, cases).items():
        key = case_key(
            case,
            prepared.cohort,
            prepared.split,
            prepared.suite.budget,
            engine=prepared.suite.engine,
            saliency=prepared.suite.saliency,
            encoders={fold: encoder.manifest["sha256"] for fold, encoder in encoders.items()},
            device=prepared.device,
            threads=prepared.threads,
        )
        files = {fold: encoder.path.resolve() for fold, encoder in encoders.items()}
        found.append(Keeping(case=case, path=case_path(folder, case, key), key=key, encoders=files))
    return tuple(found)


def run_missing(
    prepared: Prepared,
    kept: Sequence[Keeping],
    execution: Execution,
    tracker: Tracker,
    *,
    on_epoch: Callable[[], object] = lambda: None,
) -> Mapping[str, str]:
    """Run every case that has no result yet, and return why some still have none, by name.

    Parameters
    ----------
    prepared
        The suite.
    kept
        Its cases, of `keepings`.
    execution
        Where and how persistently.
    tracker
        Is told of every change.
    on_epoch
        Called after each epoch of cases that run in the calling process.

    Raises
    ------
    OutputError
        If results cannot be kept.
    ExecutionError
        If what the cases run on cannot be reached, or was lost for good.
    """
    missing = [one for one in kept if not one.is_finished]
    if not missing:
        return {}
    pool = _pool(prepared, execution, len(missing))
    if isinstance(pool, InProcess):
        tasks = _tasks_here(prepared, missing, on_epoch)
    else:
        tasks = _tasks_elsewhere(prepared, missing, execution, pool.size)
    try:
        return run_tasks(tasks, pool, tracker, attempts=execution.attempts).failed
    finally:
        pool.stop()


def prepared_for_cluster(prepared: Prepared, address: str, device: str) -> Prepared:
    """Return a suite whose cases run on the device that a cluster's workers have.

    Raises
    ------
    ExecutionError
        If no scheduler answers, no worker offers what is asked for, or encoders would have to be
        pretrained here, where the device is not.
    """
    import torch

    from pfactor_bench.execution.cluster import cluster_device

    chosen = torch.device(cluster_device(address, device))
    if prepared.source is not None and chosen.type != prepared.device.type:
        raise ExecutionError(
            f"suite {prepared.suite.name!r} pretrains encoders where the run is started, on "
            f"{prepared.device.type!r}, but its cases would run on {chosen.type!r}: start it where "
            f"there is a GPU, or use --device cpu"
        )
    return replace(prepared, device=chosen)


def read_results(kept: Sequence[Keeping]) -> dict[Case, CaseResult]:
    """Return what is stored, case by case; what cannot be read is left out."""
    found = {one.case: read_case(one.path, one.key) for one in kept}
    return {case: result for case, result in found.items() if result is not None}


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


def _encoders_of_all(
    prepared: Prepared, cases: Sequence[Case]
) -> dict[Case, Mapping[str, Encoder]]:
    """Return the encoders of each case; cases of one model share theirs."""
    known: list[tuple[Case, Mapping[str, Encoder]]] = []
    found = {}
    for case in cases:
        for other, encoders in known:
            if (other.model, other.start) == (case.model, case.start):
                found[case] = encoders
                break
        else:
            found[case] = encoders_of(prepared, case)
            known.append((case, found[case]))
    return found


def _pool(prepared: Prepared, execution: Execution, n_missing: int) -> Pool:
    if execution.executor is not None:
        return HandedIn(execution.executor)
    if execution.cluster is not None:
        from pfactor_bench.execution.cluster import DaskCluster

        return DaskCluster(execution.cluster, n_gpus=int(prepared.device.type == "cuda"))
    n_workers = min(
        execution.workers or most_workers(prepared.suite, prepared.device.type), n_missing
    )
    if n_workers == 1:
        return InProcess()
    if prepared.suite.threads is None:
        raise ConfigError(
            f"suite {prepared.suite.name!r} trains each case with all threads, so {n_workers} "
            f"workers would be in each other's way: leave --workers out, or write 'threads: 1' "
            f"into the suite"
        )
    return Processes(n_workers, seconds=execution.seconds)


def _groups(prepared: Prepared, missing: Sequence[Keeping], n_workers: int) -> list[list[Keeping]]:
    by_case = {one.case: one for one in missing}
    suite = prepared.suite
    groups = group_cases(
        suite.engine, tuple(by_case), n_workers=n_workers, device=prepared.device.type
    )
    return [[by_case[case] for case in group] for group in groups]


def _tasks_here(
    prepared: Prepared, missing: Sequence[Keeping], on_epoch: Callable[[], object]
) -> list[Task]:
    def task(group: Sequence[Keeping]) -> Task:
        log = _log(group)
        work = partial(train_and_keep, prepared, group, on_epoch)
        return Task(
            cases=tuple(one.case.id for one in group),
            function=attempt,
            args=(log, lambda _log: work()),
            parts=tuple(task([one]) for one in group) if len(group) > 1 else (),
            log=log,
        )

    return [task(group) for group in _groups(prepared, missing, 1)]


def _tasks_elsewhere(
    prepared: Prepared, missing: Sequence[Keeping], execution: Execution, n_workers: int
) -> list[Task]:
    assert prepared.out is not None  # noqa: S101 - whoever keeps results has a folder
    suite = prepared.suite
    cohort = share_cohort(prepared.cohort, prepared.out / SHARED_FOLDER)
    split = share_split(prepared.split, prepared.out / SHARED_FOLDER)

    def task(group: Sequence[Keeping]) -> Task:
        work = GroupWork(
            engine=suite.engine,
            budget=suite.budget,
            saliency=suite.saliency,
            device=prepared.device.type,
            threads=prepared.threads,
            group=tuple(group),
            cohort=cohort,
            split=split,
            versions=code_versions(),
            log=_log(group),
            leader=this_process(),
            seconds=execution.seconds,
        )
        return Task(
            cases=tuple(one.case.id for one in group),
            function=train_group,
            args=(work,),
            parts=tuple(task([one]) for one in group) if len(group) > 1 else (),
            log=work.log,
        )

    return [task(group) for group in _groups(prepared, missing, n_workers)]


def _log(group: Sequence[Keeping]) -> Path:
    first = group[0].path
    return first.parent / "logs" / f"{first.stem}.log"


def train_and_keep(
    prepared: Prepared, group: Sequence[Keeping], on_epoch: Callable[[], object]
) -> None:
    """Train a group here and keep its results."""
    kept = {one.case: one for one in group}
    encoders = {
        case: {fold: read_encoder(path) for fold, path in one.encoders.items()}
        for case, one in kept.items()
    }
    for case, result in _train(prepared, tuple(kept), encoders, on_epoch).items():
        write_case(kept[case].path, kept[case].key, result)


def _train(
    prepared: Prepared,
    group: Sequence[Case],
    encoders: Mapping[Case, Mapping[str, Encoder]],
    on_epoch: Callable[[], object],
) -> dict[Case, CaseResult]:
    tensors = {
        case: {fold: encoder.tensors for fold, encoder in by_fold.items()}
        for case, by_fold in encoders.items()
        if by_fold
    }
    with torch_threads(prepared.suite.threads):
        return run_group(
            prepared.suite.engine,
            group,
            prepared.cohort,
            prepared.split,
            prepared.suite.budget,
            device=prepared.device,
            encoders=tensors or None,
            saliency=prepared.suite.saliency,
            on_epoch=on_epoch,
        )

"""The work that a case is, here or in a worker: train what is not finished, and keep it.

A worker is told by a `GroupWork` where everything stands. Nothing large travels: the cohort is
mapped from a file, the encoders are read from theirs, and results are written where they belong.
"""

from __future__ import annotations

import errno
import faulthandler
import json
import os
import socket
import threading
import traceback
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.cohorts.shared import open_shared
from pfactor_bench.environment.packages import packages_needed
from pfactor_bench.errors import CohortError, EnvironmentProblemError, ExecutionError, OutputError
from pfactor_bench.execution.results import is_finished, write_case
from pfactor_bench.execution.tasks import Answer
from pfactor_bench.files import ensure_writable, write_atomically
from pfactor_bench.models.identity import code_versions, split_identity
from pfactor_bench.training.device import torch_threads
from pfactor_bench.training.engine import run_group
from pfactor_bench.training.pretraining.checkpoints import read_encoder
from pfactor_bench.types import Fold, Split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import TextIO

    from pfactor_bench.types import Budget, Case, EngineChoice

__all__ = [
    "GroupWork",
    "Keeping",
    "attempt",
    "open_split",
    "share_split",
    "this_process",
    "train_group",
    "train_missing",
]

#: torch's threads and random streams belong to the whole process.
_ONE_AT_A_TIME = threading.Lock()

#: Where the disk itself refuses, it refuses every other case too.
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Keeping:
    """A case with where its result is kept.

    Parameters
    ----------
    case
        The case.
    path, key
        Of its file; see `pfactor_bench.execution.results`.
    encoders
        By fold, the file of what it starts from.
    """

    case: Case
    path: Path
    key: str
    encoders: Mapping[str, Path] = field(default_factory=dict)

    @property
    def is_finished(self) -> bool:
        """Whether the result is there already."""
        return is_finished(self.path, self.key)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class GroupWork:
    """What a worker needs to know to train a group of cases.

    Parameters
    ----------
    engine, budget, saliency, device, threads
        As in the suite.
    group
        The cases.
    cohort, split
        Where `pfactor_bench.cohorts.shared.share_cohort` and `share_split` wrote them.
    versions
        What the cases are said to be computed by; a worker with others must not touch them.
    log
        Gets what happened.
    seconds
        How long it may take before the worker is ended; None sets no limit.
    leader
        The process that leads the run, of `this_process`. It is never ended.
    """

    engine: EngineChoice
    budget: Budget
    saliency: Sequence[str]
    device: str
    threads: int
    group: Sequence[Keeping]
    cohort: Path
    split: Path
    versions: Mapping[str, str]
    log: Path
    leader: str
    seconds: float | None = None


def this_process() -> str:
    """Return what tells this process from all others, on this machine and elsewhere."""
    return f"{socket.gethostname()}/{os.getpid()}"


def train_group(work: GroupWork) -> Answer:
    """Train what is not finished of a group; runs in a worker."""
    # An executor of threads has its workers in the process that leads the run.
    seconds = None if work.leader == this_process() else work.seconds

    def with_printing(log: TextIO) -> None:
        with redirect_stdout(log), redirect_stderr(log):
            train_missing(work)

    return attempt(work.log, with_printing, seconds=seconds)


def attempt(log: Path, work: Callable[[TextIO], object], *, seconds: float | None = None) -> Answer:
    """Do some work and say how it ended, whatever happens.

    Parameters
    ----------
    log
        Gets the traceback of an error or a hang. It is kept only where something went wrong.
    work
        What to do, given the open log.
    seconds
        After so long the whole process is ended, wherever it hangs. None sets no limit.
    """
    try:
        with _ONE_AT_A_TIME, _logged(log, seconds) as stream:
            try:
                with packages_needed():
                    work(stream)
            except Exception as error:  # noqa: BLE001 - the answer says what it was
                traceback.print_exc(file=stream)
                return _ending(error)
        log.unlink(missing_ok=True)
    except OSError as error:
        return _ending(error)
    return Answer()


def share_split(split: Split, folder: Path) -> Path:
    """Write a split for other processes, once, and return where."""
    path = folder.resolve() / f"split-{split_identity(split)[:16]}.npz"
    if not path.exists():
        import io

        arrays: dict[str, np.ndarray] = {
            "names": np.array(json.dumps([split.name, *(fold.name for fold in split.folds)]))
        }
        for number, fold in enumerate(split.folds):
            arrays |= {f"{number}/train": fold.train, f"{number}/test": fold.test}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        ensure_writable(path.parent)
        write_atomically(path, buffer.getvalue())
    return path


@lru_cache(maxsize=2)
def open_split(path: Path) -> Split:
    """Open a shared split; a second call costs nothing."""
    with np.load(path, allow_pickle=False) as stored:
        name, *folds = json.loads(str(stored["names"]))
        return Split(
            name=name,
            folds=tuple(
                Fold(name=fold, train=stored[f"{number}/train"], test=stored[f"{number}/test"])
                for number, fold in enumerate(folds)
            ),
        )


def train_missing(work: GroupWork) -> None:
    """Train and keep what is not finished of a group."""
    import torch

    _check_versions(work.versions)
    # A scheduler that was restarted may hand out what another worker has finished meanwhile.
    missing = {one.case: one for one in work.group if not one.is_finished}
    if not missing:
        return
    encoders = {
        case: {fold: read_encoder(path).tensors for fold, path in one.encoders.items()}
        for case, one in missing.items()
        if one.encoders
    }
    with torch_threads(work.threads):
        results = run_group(
            work.engine,
            tuple(missing),
            open_shared(work.cohort),
            open_split(work.split),
            work.budget,
            device=torch.device(work.device),
            encoders=encoders or None,
            saliency=work.saliency,
        )
    for case, result in results.items():
        write_case(missing[case].path, missing[case].key, result)


def _check_versions(expected: Mapping[str, str]) -> None:
    mine = code_versions()
    other = [
        f"{name} {mine.get(name)!r} instead of {version!r}"
        for name, version in expected.items()
        if mine.get(name) != version
    ]
    if other:
        raise ExecutionError(
            f"the worker on {socket.gethostname()} has {', '.join(other)}: install the same "
            f"versions where the run is started and where its cases run"
        )


@contextmanager
def _logged(path: Path, seconds: float | None) -> Iterator[TextIO]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as stream:
        stream.write(f"attempt on {socket.gethostname()}, process {os.getpid()}\n")
        stream.flush()
        if seconds is not None:
            # From a thread of C: it works even where Python's own threads are held up.
            faulthandler.dump_traceback_later(seconds, exit=True, file=stream)
        try:
            yield stream
        finally:
            if seconds is not None:
                faulthandler.cancel_dump_traceback_later()


def _ending(error: Exception) -> Answer:
    reason = f"{type(error).__name__}: {error}".partition("\n")[0]
    if isinstance(error, OSError) and error.errno in _DISK:
        return Answer(
            ending="stop",
            reason=f"cannot keep a finished case ({reason}): what was finished before is kept; "
            f"make room or choose another folder with --out",
        )
    if isinstance(error, OutputError | CohortError | ExecutionError | EnvironmentProblemError):
        return Answer(ending="stop", reason=str(error))
    if isinstance(error, OSError | MemoryError) or "out of memory" in reason.lower():
        return Answer(ending="again", reason=reason)
    # torch's allocator on a CPU.
    if "can't allocate memory" in reason:
        return Answer(ending="again", reason=reason)
    return Answer(ending="failed", reason=reason)

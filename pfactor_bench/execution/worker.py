"""The work that a group of cases is, here or in a worker: train what is not finished, and keep it.

Nothing large travels to a worker: the cohort is mapped from a file, the encoders are read from
theirs, and results are written where they belong.
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
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.cohorts.shared import open_shared
from pfactor_bench.environment.packages import packages_needed
from pfactor_bench.errors import CohortError, EnvironmentProblemError, ExecutionError, OutputError
from pfactor_bench.execution.results import CachedCase, write_case
from pfactor_bench.execution.tasks import TaskEnd
from pfactor_bench.files import ensure_writable, write_atomically
from pfactor_bench.models.identity import code_versions, split_identity
from pfactor_bench.training.pretraining.checkpoints import read_encoder
from pfactor_bench.types import Cohort, Fold, Split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import TextIO

    from pfactor_bench.training.engine import Training

    #: Gets at what cases are trained on, where they are trained.
    Divided = Callable[[], tuple[Cohort, Split]]

#: torch's threads and random streams belong to the whole process.
_ONE_AT_A_TIME = threading.Lock()

#: Where the disk itself refuses, it refuses every other case too.
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}


def this_process() -> str:
    """Return what tells this process from all others, on this machine and elsewhere."""
    return f"{socket.gethostname()}/{os.getpid()}"


def train_group(
    training: Training,
    group: Sequence[CachedCase],
    divided: Divided,
    *,
    leader: str,
    versions: Mapping[str, str],
    seconds: float | None = None,
    on_epoch: Callable[[], object] = lambda: None,
) -> TaskEnd:
    """Train what is not finished of a group, keep it, and say how that ended.

    Parameters
    ----------
    training, group, divided
        How, what, and from where cohort and split are had.
    leader
        The process that leads the run, of `this_process`. It is never ended, and prints where it
        always does.
    versions
        What the cases are said to be computed by; a worker with others must not touch them.
    seconds
        How long it may take before the worker is ended; None sets no limit.
    on_epoch
        Called after each epoch, in the process that leads.
    """
    # An executor of threads has its workers there, too.
    leads = leader == this_process()

    def work(log: TextIO) -> None:
        if leads:
            train_missing(training, group, divided, on_epoch)
            return
        with redirect_stdout(log), redirect_stderr(log):
            _check_versions(versions)
            train_missing(training, group, divided)

    return attempt(log_of(group), work, seconds=None if leads else seconds)


def log_of(group: Sequence[CachedCase]) -> Path:
    """Return the file that gets what happened to a group."""
    first = group[0].path
    return first.parent / "logs" / f"{first.stem}.log"


def attempt(
    log: Path, work: Callable[[TextIO], object], *, seconds: float | None = None
) -> TaskEnd:
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
    return TaskEnd()


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


def open_both(cohort: Path, split: Path) -> tuple[Cohort, Split]:
    """Open what was shared; a second call costs nothing."""
    return open_shared(cohort), open_split(split)


def train_missing(
    training: Training,
    group: Sequence[CachedCase],
    divided: Divided,
    on_epoch: Callable[[], object] = lambda: None,
) -> None:
    """Train and keep what is not finished of a group."""
    # A scheduler that was restarted may hand out what another worker has finished meanwhile.
    missing = {one.case: one for one in group if not one.is_finished}
    if not missing:
        return
    cohort, split = divided()
    encoders = {
        case: {fold: read_encoder(path).tensors for fold, path in one.encoders.items()}
        for case, one in missing.items()
        if one.encoders
    }
    results = training.run(tuple(missing), cohort, split, encoders, on_epoch)
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


def _ending(error: Exception) -> TaskEnd:
    reason = f"{type(error).__name__}: {error}".partition("\n")[0]
    if isinstance(error, OSError) and error.errno in _DISK:
        return TaskEnd(
            ending="stop",
            reason=f"cannot keep a finished case ({reason}): what was finished before is kept; "
            f"make room or choose another folder with --out",
        )
    if isinstance(error, OutputError | CohortError | ExecutionError | EnvironmentProblemError):
        return TaskEnd(ending="stop", reason=str(error))
    if isinstance(error, OSError | MemoryError) or "out of memory" in reason.lower():
        return TaskEnd(ending="again", reason=reason)
    # torch's allocator on a CPU.
    if "can't allocate memory" in reason:
        return TaskEnd(ending="again", reason=reason)
    return TaskEnd(ending="failed", reason=reason)

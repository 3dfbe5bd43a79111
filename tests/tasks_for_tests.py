"""Tasks that end in every way a task can, for workers to run."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from functools import partial
from typing import TYPE_CHECKING

from pfactor_bench.execution import processes
from pfactor_bench.execution.tasks import Task, TaskEnd
from pfactor_bench.execution.worker import attempt

if TYPE_CHECKING:
    from pathlib import Path


def forked_workers() -> None:
    """Fork this process's workers from itself, which is warm: a process of a fork server has none.

    Called in processes that tests start, never in the one that runs them.
    """
    processes.warm_context = lambda: multiprocessing.get_context("fork")


def succeed(*_ignored: object) -> TaskEnd:
    """Do nothing."""
    return TaskEnd()


def die(*_ignored: object) -> TaskEnd:
    """Be killed, as by a system without memory."""
    os.kill(os.getpid(), signal.SIGKILL)
    return TaskEnd()


def die_once(mark: Path) -> TaskEnd:
    """Be killed the first time, and succeed the second."""
    if not mark.exists():
        mark.touch()
        die()
    return TaskEnd()


def hang(*_ignored: object) -> TaskEnd:
    """Never come back."""
    time.sleep(3600)
    return TaskEnd()


def fail(*_ignored: object) -> TaskEnd:
    """Raise outside of what a case guards against."""
    raise ValueError("broken\nwith details")


def count_and_die(folder: Path) -> TaskEnd:
    """Leave a file for each attempt."""
    (folder / f"{time.monotonic_ns()}").touch()
    return die()


def hang_in_case(log: Path, seconds: float) -> TaskEnd:
    """Hang inside an attempt with a limit on its time."""
    return attempt(log, hang, seconds=seconds)


def without_memory(log: Path) -> TaskEnd:
    """Ask for more memory than there is."""

    def work(_log: object) -> None:
        raise MemoryError("no 8 EiB left")

    return attempt(log, work)


def task(name: str, function=succeed, *args: object, **more: object) -> Task:
    """Return a task of one case."""
    return Task(cases=(name,), work=partial(function, *args), **more)

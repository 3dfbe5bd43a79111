"""Foreign code in processes of its own: whatever it does, the caller only gets bytes back.

Each job runs in a fork of the calling process, so that what is already imported need not be
imported again and arrays need not be copied. A job cannot change anything here; it can crash, hang,
exit, print or eat memory, and all that becomes a `Failure` that says so.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import sys
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pfactor_bench.errors import EnvironmentProblemError
from pfactor_bench.studies.job import BROKEN_ENVIRONMENT, do_job

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Failure", "Limits", "run_jobs"]

_GIB = 1 << 30
_CHUNK = 1 << 16
#: How often it is asked, in seconds, whether a job that closed its pipes has ended.
_BRIEFLY = 0.005
#: A pipe holds no more than so many of them.
_CHUNKS_IN_A_PIPE = 16
#: So much of what a job printed is kept, for the explanation of a crash.
_TAIL = 4_000


def _cores() -> int:
    """Return how many jobs a container or a batch system has room for, whatever the machine has."""
    from joblib import cpu_count

    return int(cpu_count())


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one job may use.

    Parameters
    ----------
    seconds
        Wall time.
    memory
        Bytes of address space, beyond what the calling process has mapped already, of the job and
        of each process that it starts.
    answer
        Bytes that it may return.
    jobs
        How many run at a time.
    """

    seconds: float = 600.0
    memory: int = 8 * _GIB
    answer: int = _GIB // 4
    jobs: int = field(default_factory=_cores)


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """Why a job has no answer."""

    reason: str


@dataclass(kw_only=True, slots=True)
class _Running:
    """A job under way, as the caller sees it."""

    number: int
    pid: int
    deadline: float
    answer: bytearray = field(default_factory=bytearray)
    printed: bytearray = field(default_factory=bytearray)
    open_pipes: int = 2
    killed_because: str = ""
    status: int | None = None


def run_jobs(jobs: Sequence[Callable[[], bytes]], limits: Limits) -> list[bytes | Failure]:
    """Run each job in a process of its own and return what it answered.

    Parameters
    ----------
    jobs
        Functions that return bytes.
    limits
        What each may use, and how many run at a time.

    Returns
    -------
    list
        An answer or a failure per job, in the order of the jobs.

    Raises
    ------
    EnvironmentProblemError
        If a job ended because packages cannot be imported that the benchmark itself stands on.
    """
    answers: list[bytes | Failure] = [Failure(reason="it was not run")] * len(jobs)
    waiting = list(enumerate(jobs))[::-1]
    running: dict[int, _Running] = {}
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or running:
                while waiting and len(running) < limits.jobs:
                    number, job = waiting.pop()
                    started = _start(number, job, limits, selector)
                    running[started.pid] = started
                _collect(selector, running, limits)
                for process in [one for one in running.values() if _has_ended(one)]:
                    _kill(process.pid)
                    _read_rest(selector, process, limits)
                    answers[process.number] = _answer(process, limits)
                    del running[process.pid]
        finally:
            for process in running.values():
                _kill(process.pid)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(process.pid, 0)
    return answers


def _start(
    number: int, job: Callable[[], bytes], limits: Limits, selector: selectors.BaseSelector
) -> _Running:
    answer_out, answer_in = os.pipe()
    printed_out, printed_in = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        # A fork of a process with threads may deadlock; a job that does runs into its time limit.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if not pid:
        do_job(job, limits.memory, answer_in, printed_in)
    for end in (answer_in, printed_in):
        os.close(end)
    process = _Running(number=number, pid=pid, deadline=time.monotonic() + limits.seconds)
    selector.register(answer_out, selectors.EVENT_READ, (process, process.answer))
    selector.register(printed_out, selectors.EVENT_READ, (process, process.printed))
    return process


def _collect(
    selector: selectors.BaseSelector, running: dict[int, _Running], limits: Limits
) -> None:
    """Read what has been written, and kill what has gone over a limit."""
    now = time.monotonic()
    wait = max(0.0, min(process.deadline for process in running.values()) - now)
    # Where nobody holds its pipes any more, a job is about to end.
    is_ending = any(not process.open_pipes for process in running.values())
    for key, _ in selector.select(min(wait, _BRIEFLY if is_ending else 1.0)):
        _read(selector, key, limits)
    now = time.monotonic()
    for process in running.values():
        if now > process.deadline:
            _stop(process, f"it did not finish within {limits.seconds:g} s")


def _read(selector: selectors.BaseSelector, key: selectors.SelectorKey, limits: Limits) -> bool:
    """Read what a pipe holds, and return whether it may hold more."""
    process, buffer = key.data
    chunk = os.read(key.fd, _CHUNK)
    if not chunk:
        _close(selector, key)
    buffer += chunk
    if buffer is process.printed:
        del buffer[:-_TAIL]
    elif len(buffer) > limits.answer:
        _stop(process, f"its answer is larger than {limits.answer:,} bytes")
        buffer.clear()
    return bool(chunk)


def _close(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    selector.unregister(key.fd)
    os.close(key.fd)
    key.data[0].open_pipes -= 1


def _has_ended(process: _Running) -> bool:
    """Return whether a job is over: what it has started may hold its pipes open for ever."""
    if process.status is None:
        pid, status = os.waitpid(process.pid, os.WNOHANG)
        process.status = status if pid else None
    return process.status is not None


def _read_rest(selector: selectors.BaseSelector, process: _Running, limits: Limits) -> None:
    """Read what a job that is over has left in its pipes, and close them."""
    mine = [key for key in selector.get_map().values() if key.data[0] is process]
    for key in mine:
        os.set_blocking(key.fd, False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(_CHUNKS_IN_A_PIPE):
                if not _read(selector, key, limits):
                    break
        if key.fd in selector.get_map():
            _close(selector, key)


def _stop(process: _Running, reason: str) -> None:
    process.killed_because = process.killed_because or reason
    _kill(process.pid)


def _kill(pid: int) -> None:
    """Kill a job with its process group, and with what it has started in groups of their own.

    What such a start has left to itself before is out of reach.
    """
    others = _descendants(pid)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    for one in (pid, *others):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(one, signal.SIGKILL)


def _descendants(pid: int) -> list[int]:
    """Return the processes that a process, and they in turn, have started; only Linux tells."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            for child in map(int, path.read_text(encoding="ascii").split()):
                found += [child, *_descendants(child)]
    return found


def _answer(process: _Running, limits: Limits) -> bytes | Failure:
    status = process.status or 0
    if process.killed_because:
        return Failure(reason=process.killed_because)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        memory = f" (the memory limit is {limits.memory / _GIB:g} GiB)" if number == 9 else ""  # noqa: PLR2004 - SIGKILL
        return Failure(reason=f"its process was killed by {signal.Signals(number).name}{memory}")
    if os.WEXITSTATUS(status) == BROKEN_ENVIRONMENT and process.answer:
        raise EnvironmentProblemError(process.answer.decode(errors="replace"))
    if os.WEXITSTATUS(status):
        lines = process.printed.decode(errors="replace").strip().splitlines()
        return Failure(reason=lines[-1] if lines else "its process ended without an answer")
    return bytes(process.answer)

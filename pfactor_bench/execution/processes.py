"""Warm local processes behind `concurrent.futures.Executor`, of which any may die alone.

`concurrent.futures.ProcessPoolExecutor` fails everything that is under way when one of its
processes dies, cannot tell which job was to blame, and cannot end one that hangs. Here each process
has a pipe of its own: a death fails the one job that it was at, and a new process takes its place.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import signal
import threading
import time
import traceback
from concurrent.futures import Executor, Future
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext
    from multiprocessing.process import BaseProcess

#: What every job needs is imported once, in the process that all workers are forked from.
_PRELOADED = ["pfactor_bench.execution.preloaded"]


class WorkerLostError(Exception):
    """The process that ran a job is gone, or was ended because it took too long."""


class WorkerProcesses(Executor):
    """Run jobs in processes, one job at a time in each.

    Parameters
    ----------
    n_workers
        How many processes; each is started when there is a job for it.
    seconds
        How long one job may take; None sets no limit. A job may end its own process when its time
        is up, and say where it was.
    grace
        Seconds later a process is killed that has not ended itself, since it is stopped, say.
    """

    def __init__(
        self, n_workers: int, *, seconds: float | None = None, grace: float = 30.0
    ) -> None:
        # As the executors of the standard library call it.
        self._max_workers = n_workers
        self._seconds, self._grace = seconds, grace
        self._context = warm_context()
        self._jobs: queue.SimpleQueue[tuple[Future[Any], Callable[..., Any], Sequence[Any]] | None]
        self._jobs = queue.SimpleQueue()
        self._workers: dict[int, BaseProcess] = {}
        self._killed = False
        self._threads = [
            threading.Thread(target=self._serve, args=(number,), daemon=True)
            for number in range(n_workers)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401
        """Run ``fn(*args)`` in the next process that is free; both must be picklable."""
        if kwargs:
            raise TypeError("jobs take positional arguments only")
        future: Future[Any] = Future()
        self._jobs.put((future, fn, args))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - as in concurrent.futures
        """End every process after the jobs that were submitted, or before those not yet begun."""
        if cancel_futures:
            self._cancel_waiting()
        for _ in self._threads:
            self._jobs.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def kill_workers(self) -> None:
        """End every process at once, whatever it is doing, and drop what waits."""
        self._killed = True
        self._cancel_waiting()
        for process in list(self._workers.values()):
            process.kill()
        self.shutdown(wait=False)
        for thread in self._threads:
            # A process that is being started is killed as soon as it is there.
            thread.join(timeout=1)

    @property
    def pids(self) -> list[int]:
        """Of the processes that are alive."""
        alive = [process for process in list(self._workers.values()) if process.is_alive()]
        return [process.pid for process in alive if process.pid is not None]

    def _cancel_waiting(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                if job := self._jobs.get_nowait():
                    job[0].cancel()

    def _serve(self, number: int) -> None:
        """Hand jobs to one process after another; runs in a thread."""
        pipe: Connection | None = None
        while job := self._jobs.get():
            future, function, args = job
            if self._killed:
                future.cancel()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                if pipe is None:
                    pipe = self._start(number)
                answer = self._ask(pipe, self._workers[number], (function, args))
            except WorkerLostError as error:
                self._forget(number, pipe)
                pipe = None
                future.set_exception(error)
            except BaseException as error:  # noqa: BLE001 - a job that cannot be pickled, say
                future.set_exception(error)
            else:
                _settle(future, answer)
        self._forget(number, pipe)

    def _start(self, number: int) -> Connection:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(theirs,), daemon=True)  # type: ignore[attr-defined]
        process.start()
        theirs.close()
        self._workers[number] = process
        if self._killed:
            process.kill()
        return ours

    def _ask(
        self, pipe: Connection, process: BaseProcess, job: tuple[Any, ...]
    ) -> tuple[bool, Any]:
        began = time.monotonic()
        limit = None if self._seconds is None else self._seconds + self._grace
        try:
            pipe.send(job)
            if not wait([pipe], limit):
                process.kill()
                raise WorkerLostError(self._too_long())
            answer: tuple[bool, Any] = pipe.recv()
        except (EOFError, ConnectionError):
            process.join()
            ended_itself = process.exitcode == 1 and self._seconds is not None
            if ended_itself and time.monotonic() - began >= (self._seconds or 0.0):
                raise WorkerLostError(self._too_long()) from None
            raise WorkerLostError(_how_it_ended(process.exitcode)) from None
        return answer

    def _too_long(self) -> str:
        return f"it did not finish within {self._seconds:g} s"

    def _forget(self, number: int, pipe: Connection | None) -> None:
        if pipe is not None:
            pipe.close()
        process = self._workers.pop(number, None)
        if process is not None:
            process.join()


def warm_context() -> BaseContext:
    """Return a context whose processes are forked from one that has imported everything already."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context


def begin_warming() -> None:
    """Start the process that workers are forked from, which imports while the caller goes on."""
    if warm_context().get_start_method() == "forkserver":
        from multiprocessing import forkserver

        forkserver.ensure_running()


def _work(pipe: Connection) -> None:
    """TaskEnd jobs until the pipe is closed; runs in the process."""
    # Ctrl-C reaches every process of a terminal; the one that started this decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            function, args = pipe.recv()
            pipe.send(_answer(function, args))


def _answer(function: Callable[..., Any], args: Sequence[Any]) -> tuple[bool, Any]:
    try:
        return True, function(*args)
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller is told
        return False, f"{type(error).__name__}: {error}\n{traceback.format_exc()}"


def _settle(future: Future[Any], answer: tuple[bool, Any]) -> None:
    succeeded, value = answer
    if succeeded:
        future.set_result(value)
    else:
        future.set_exception(RuntimeError(value))


def _die_with_parent() -> None:
    """Leave no orphan: a parent that was killed cannot tell its workers to stop."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _how_it_ended(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        name = signal.Signals(-exitcode).name
        hint = ", as the system does when memory runs out" if name == "SIGKILL" else ""
        return f"its process was killed by {name}{hint}"
    return f"its process ended with exit code {exitcode}"

"""Where tasks run: in this process, in local processes, or in an executor that was handed in."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, Protocol

from pfactor_bench.execution.processes import WorkerLostError, WorkerProcesses
from pfactor_bench.execution.tasks import Ending, TaskEnd


class Pool(Protocol):
    """What the scheduling loop asks of a place to run tasks."""

    @property
    def name(self) -> str:
        """For readers, such as ``"4 processes"``."""

    @property
    def size(self) -> int:
        """How many tasks run at a time."""

    @property
    def depth(self) -> int:
        """How many tasks to have submitted at a time."""

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:  # noqa: ANN401
        """Run ``function(*args)`` when there is room."""

    def recover(self) -> bool:
        """Make the pool usable again after all of it was lost; whether that was possible."""

    def explain(self, error: BaseException) -> TaskEnd:
        """Return what an exception of a task's future means."""

    def stop(self) -> None:
        """End at once, whatever is under way."""


class InProcess:
    """One task after another in the calling process."""

    name = "this process"
    size = depth = 1

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:  # noqa: ANN401
        """Run it now. Ctrl-C is the caller's."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args))
        except Exception as error:  # noqa: BLE001 - as any executor does
            future.set_exception(error)
        return future

    def recover(self) -> bool:
        """Do nothing: there is nothing to lose but oneself."""
        return True

    def explain(self, error: BaseException) -> TaskEnd:
        """Return its type and message."""
        return failure(error)

    def stop(self) -> None:
        """Do nothing: nothing is under way between two tasks."""


class Processes:
    """Warm local processes of one thread each.

    Parameters
    ----------
    n_workers
        How many.
    seconds, grace
        How long one task may take, and how much later its process is killed.
    """

    def __init__(
        self, n_workers: int, *, seconds: float | None = None, grace: float = 30.0
    ) -> None:
        self.workers = WorkerProcesses(n_workers, seconds=seconds, grace=grace)
        self.name = f"{n_workers} processes" if n_workers > 1 else "1 process"
        self.size = n_workers
        # More than can run, so that no process waits for the next task.
        self.depth = n_workers + max(2, n_workers // 4)

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:  # noqa: ANN401
        """Run it in the next process that is free."""
        return self.workers.submit(function, *args)

    def recover(self) -> bool:
        """Do nothing: a process that dies is replaced, and all are never lost at once."""
        return True

    def explain(self, error: BaseException) -> TaskEnd:
        """Return its first line; a process that died may have died of bad luck."""
        ending: Ending = "again" if isinstance(error, WorkerLostError) else "failed"
        return TaskEnd(ending=ending, reason=str(error).partition("\n")[0])

    def stop(self) -> None:
        """Kill every process."""
        self.workers.kill_workers()


class HandedIn:
    """Any `concurrent.futures.Executor`; whoever made it also ends it.

    Parameters
    ----------
    executor
        Its workers must see the output folder under the same path.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        # Every executor of the standard library keeps it under this name; none publishes it.
        self.size = int(getattr(executor, "_max_workers", 1))
        self.depth = 2 * self.size
        self._submitted: set[Future[Any]] = set()
        self.name = type(executor).__name__

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:  # noqa: ANN401
        """Hand it on."""
        future = self._executor.submit(function, *args)
        self._submitted.add(future)
        future.add_done_callback(self._submitted.discard)
        return future

    def recover(self) -> bool:
        """Return False: nobody here knows how to make another."""
        return False

    def explain(self, error: BaseException) -> TaskEnd:
        """Return its type and message."""
        return failure(error)

    def stop(self) -> None:
        """Take back what has not begun."""
        for future in tuple(self._submitted):
            future.cancel()


def failure(error: BaseException) -> TaskEnd:
    """Return the answer for an exception that would come again."""
    reason = f"{type(error).__name__}: {error}".partition("\n")[0]
    return TaskEnd(ending="failed", reason=reason)

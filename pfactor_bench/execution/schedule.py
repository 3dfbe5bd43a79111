"""The loop that hands tasks to a pool, tries again what may succeed, and gives up on the rest."""

from __future__ import annotations

from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from typing import TYPE_CHECKING

from pfactor_bench.errors import ExecutionError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pfactor_bench.execution.pools import Pool
    from pfactor_bench.execution.progress import Tracker
    from pfactor_bench.execution.tasks import Task, TaskEnd

#: So often in a row may a whole pool break without finishing anything before the run gives up.
_MOST_BREAKS = 3


def run_tasks(
    tasks: Iterable[Task], pool: Pool, tracker: Tracker, *, attempts: int = 3
) -> dict[str, str]:
    """Run every task, and go on when one fails; return why cases were given up, by name.

    Parameters
    ----------
    tasks
        What to run, in this order as far as there is a choice.
    pool
        Where.
    tracker
        Is told of every change.
    attempts
        How often a task is begun before its cases are given up.

    Raises
    ------
    OutputError
        If results cannot be written, so that going on would waste work.
    ExecutionError
        If the whole pool is lost and does not come back.
    """
    return _Loop(tasks, pool, tracker, attempts).run()


class _Loop:
    def __init__(self, tasks: Iterable[Task], pool: Pool, tracker: Tracker, attempts: int) -> None:
        self._waiting = deque(tasks)
        self._pool, self._tracker, self._attempts = pool, tracker, attempts
        self._under_way: dict[Future[TaskEnd], Task] = {}
        self._begun: Counter[tuple[str, ...]] = Counter()
        self._failed: dict[str, str] = {}
        self._breaks = 0

    def run(self) -> dict[str, str]:
        self._tracker.moved_to(self._pool.name, self._pool.size)
        while self._waiting or self._under_way:
            self._fill()
            ended, _ = wait(self._under_way, return_when=FIRST_COMPLETED)
            broken = [future for future in ended if _is_break(future)]
            for future in ended.difference(broken):
                self._breaks = 0
                self._settle(self._under_way.pop(future), future)
            if broken:
                self._recover(broken)
        return self._failed

    def _fill(self) -> None:
        # Not all at once: ten thousand tasks in a scheduler's memory help nobody.
        while self._waiting and len(self._under_way) < self._pool.depth:
            task = self._waiting.popleft()
            self._tracker.began(task.cases)
            self._under_way[self._submit(task)] = task

    def _submit(self, task: Task) -> Future[TaskEnd]:
        try:
            return self._pool.submit(task.work)
        except BrokenExecutor as error:
            refused: Future[TaskEnd] = Future()
            refused.set_exception(error)
            return refused

    def _settle(self, task: Task, future: Future[TaskEnd]) -> None:
        error = future.exception()
        answer = future.result() if error is None else self._pool.explain(error)
        if answer.ending == "done":
            self._tracker.finished(task.cases)
            return
        if answer.ending == "stop":
            raise OutputError(answer.reason)
        self._begun[task.cases] += 1
        _note(task, answer.reason)
        self._tracker.returned(task.cases)
        if answer.ending == "again" and self._begun[task.cases] < self._attempts:
            self._waiting.append(task)
        elif task.parts:
            self._waiting.extend(task.parts)
        else:
            self._give_up(task, answer.reason)

    def _give_up(self, task: Task, reason: str) -> None:
        begun = self._begun[task.cases]
        reason = reason if begun == 1 else f"{reason} (attempt {begun} of {self._attempts})"
        if task.log is not None and task.log.exists():
            reason += f"; log: {task.log}"
        self._failed |= dict.fromkeys(task.cases, reason)
        self._tracker.gave_up(task.cases, reason)

    def _recover(self, broken: list[Future[TaskEnd]]) -> None:
        """Put back what was under way when everything was lost: no task is to blame for that."""
        reason = str(broken[0].exception()) if not broken[0].cancelled() else "connection lost"
        lost = list(self._under_way.values())
        self._under_way.clear()
        for task in lost:
            self._tracker.returned(task.cases)
        self._waiting.extendleft(reversed(lost))
        self._breaks += 1
        if self._breaks > _MOST_BREAKS or not self._pool.recover():
            raise ExecutionError(
                f"{self._pool.name} broke and did not come back ({reason}): finished cases are kept"
            )


def _is_break(future: Future[TaskEnd]) -> bool:
    """Whether a future tells of the end of the whole pool, not of its own task."""
    return future.cancelled() or isinstance(future.exception(), BrokenExecutor | CancelledError)


def _note(task: Task, reason: str) -> None:
    """Add to the task's log what its worker could not write any more."""
    if task.log is None:
        return
    try:
        task.log.parent.mkdir(parents=True, exist_ok=True)
        with task.log.open("a", encoding="utf-8") as log:
            log.write(f"ended: {reason}\n")
    except OSError:
        # A log that cannot be written must not end a run that can go on.
        return

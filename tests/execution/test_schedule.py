"""The loop over tasks: what is tried again, what is given up, and what goes on."""

from __future__ import annotations

from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from tasks_for_tests import (
    count_and_die,
    die,
    die_once,
    fail,
    hang_in_case,
    succeed,
    task,
    without_memory,
)

from pfactor_bench.errors import ExecutionError, OutputError
from pfactor_bench.execution.pools import HandedIn, InProcess, Processes, failure
from pfactor_bench.execution.progress import Tracker
from pfactor_bench.execution.schedule import run_tasks
from pfactor_bench.execution.tasks import Task, TaskEnd

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def processes():
    """Return two warm processes."""
    pool = Processes(2)
    yield pool
    pool.stop()


def tracked(tasks, pool, **options) -> tuple[dict[str, str], Tracker]:
    """Run tasks; return what failed, and the tracker."""
    tracker = Tracker(total=sum(len(one.cases) for one in tasks))
    return dict(run_tasks(tasks, pool, tracker, **options)), tracker


def test_every_task_is_done(processes) -> None:
    """More of them than processes."""
    failed, tracker = tracked([task(f"case-{n}") for n in range(20)], processes)
    assert (failed, tracker.progress.done) == ({}, 20)


def test_death_of_a_worker_fails_its_own_task_only(processes) -> None:
    """The others go on, in a process that takes its place."""
    tasks = [task(f"case-{n}", die if n == 3 else succeed) for n in range(10)]
    failed, tracker = tracked(tasks, processes)
    assert list(failed) == ["case-3"]
    assert tracker.progress.done == 9
    assert "killed by SIGKILL, as the system does when memory runs out" in failed["case-3"]


def test_task_is_begun_no_more_often_than_allowed(processes, tmp_path: Path) -> None:
    """And the reason says how often that was."""
    failed, _ = tracked([task("case", count_and_die, tmp_path)], processes, attempts=3)
    assert len(list(tmp_path.iterdir())) == 3
    assert "(attempt 3 of 3)" in failed["case"]


def test_second_attempt_may_succeed(processes, tmp_path: Path) -> None:
    """What died of bad luck is no failure."""
    failed, tracker = tracked([task("case", die_once, tmp_path / "mark")], processes)
    assert (failed, tracker.progress.done) == ({}, 1)


def test_error_that_would_come_again_is_not_tried_again(processes) -> None:
    """A bug answers twice the same."""
    failed, _ = tracked([task("case", fail)], processes)
    assert failed == {"case": "ValueError: broken"}


def test_hang_ends_with_the_place_in_the_log(processes, tmp_path: Path) -> None:
    """The worker ends itself, wherever it is, and says where."""
    log = tmp_path / "case.log"
    tasks = [task("hangs", hang_in_case, log, 0.5, log=log), task("other")]
    failed, tracker = tracked(tasks, processes, attempts=1)
    assert (list(failed), tracker.progress.done) == (["hangs"], 1)
    assert str(log) in failed["hangs"]
    assert "in hang" in log.read_text()
    assert "Timeout" in log.read_text()


def test_stopped_worker_is_killed_when_its_time_is_up(tmp_path: Path) -> None:
    """It cannot end itself."""
    pool = Processes(1, seconds=0.4, grace=0.1)
    try:
        failed, _ = tracked([task("case", hang_in_case, tmp_path / "log", 60)], pool, attempts=1)
    finally:
        pool.stop()
    assert failed == {"case": "it did not finish within 0.4 s"}


def test_lack_of_memory_is_tried_again(tmp_path: Path) -> None:
    """Next time there may be more; the log says what happened each time."""
    log = tmp_path / "case.log"
    failed, _ = tracked([task("case", without_memory, log, log=log)], InProcess(), attempts=2)
    assert "MemoryError: no 8 EiB left (attempt 2 of 2)" in failed["case"]
    assert log.read_text().count("attempt on") == 2


def test_group_that_fails_is_divided(processes) -> None:
    """One bad case does not take the others with it."""
    parts = (task("good"), task("bad", fail), task("fine"))
    group = Task(cases=("good", "bad", "fine"), work=fail, parts=parts)
    failed, tracker = tracked([group], processes)
    assert (list(failed), tracker.progress.done) == (["bad"], 2)


def test_full_disk_stops_everything() -> None:
    """Ten thousand other cases could not be kept either."""
    begun = []

    def full() -> TaskEnd:
        begun.append(1)
        return TaskEnd(ending="stop", reason="no space")

    with pytest.raises(OutputError, match="no space"):
        tracked([task(f"case-{n}", full) for n in range(10_000)], InProcess())
    assert len(begun) == 1


def test_any_executor_will_do() -> None:
    """Threads, say."""
    with ThreadPoolExecutor(2) as executor:
        failed, tracker = tracked([task(f"case-{n}") for n in range(20)], HandedIn(executor))
    assert (failed, tracker.progress.done) == ({}, 20)


def test_executor_that_breaks_is_named() -> None:
    """Its other tasks were lost with it, and nobody here can make another."""
    with (
        ProcessPoolExecutor(1) as executor,
        pytest.raises(ExecutionError, match="ProcessPoolExecutor broke"),
    ):
        tracked([task("case", die), task("other")], HandedIn(executor))


class _Breaking:
    """A pool that loses everything now and then, as a cluster does whose scheduler restarts."""

    name, size, depth = "a shaky pool", 4, 4

    def __init__(self, breaks: int) -> None:
        self.breaks, self.calls = breaks, 0

    def submit(self, function, *args):
        self.calls += 1
        future: Future = Future()
        if self.calls % 3 == 0 and self.breaks:
            future.cancel()
            future.set_running_or_notify_cancel()
        else:
            future.set_result(function(*args))
        return future

    def recover(self) -> bool:
        self.breaks -= 1
        return True

    def explain(self, error: BaseException) -> TaskEnd:
        return failure(error)

    def stop(self) -> None:
        """Do nothing."""


def test_lost_scheduler_costs_no_attempt() -> None:
    """No task is to blame."""
    tasks = [task(f"case-{n}") for n in range(30)]
    failed, tracker = tracked(tasks, _Breaking(8), attempts=1)
    assert (failed, tracker.progress.done) == ({}, 30)


def test_pool_that_never_comes_back_ends_the_run() -> None:
    """After a few times without a single result."""

    class Dead(_Breaking):
        def submit(self, function, *args):  # noqa: ARG002
            future: Future = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    with pytest.raises(ExecutionError, match="did not come back"):
        tracked([task("case")], Dead(100))


def test_ten_thousand_tasks_are_not_submitted_at_once() -> None:
    """Neither a scheduler's memory nor the time between two is touched by how many there are."""
    most = 0

    class Counting(InProcess):
        size = depth = 8

        def submit(self, function, *args):
            nonlocal most
            most = max(most, len(waiting))
            waiting.append(1)
            future = super().submit(function, *args)
            future.add_done_callback(lambda _future: waiting.clear())
            return future

    waiting: list[int] = []
    failed, tracker = tracked([task(f"case-{n}") for n in range(10_000)], Counting())
    assert (failed, tracker.progress.done, tracker.progress.n_running) == ({}, 10_000, 0)
    assert most <= 8

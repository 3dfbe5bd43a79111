"""Warm processes: they stay, they are replaced, and none outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from tasks_for_tests import die, forked_workers, hang, succeed

from pfactor_bench.execution.processes import WorkerLostError, WorkerProcesses, warm_context


@pytest.fixture
def workers():
    """Return two processes."""
    pool = WorkerProcesses(2)
    yield pool
    pool.kill_workers()


def loaded(name: str) -> bool:
    """Say whether a module is imported."""
    return name in sys.modules


def test_worker_is_warm(workers) -> None:
    """Torch is there before the first job."""
    assert workers.submit(loaded, "torch").result()


def test_warming_is_silent_about_the_name_of_a_montage() -> None:
    """Which braindecode uses, and a user cannot change."""
    program = (
        "from pfactor_bench.execution.processes import begin_warming, warm_context\n"
        "begin_warming()\n"
        "process = warm_context().Process(target=print, args=('warm',))\n"
        "process.start()\n"
        "process.join()\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ("warm\n", "") == (told.stdout, told.stderr)


def test_worker_stays(workers) -> None:
    """Two hundred jobs need no more than two processes."""
    futures = [workers.submit(os.getpid) for _ in range(200)]
    assert 1 <= len({future.result() for future in futures}) <= 2


def test_worker_that_died_is_replaced(workers) -> None:
    """Its job is lost, the next finds another."""
    with pytest.raises(WorkerLostError, match="killed by SIGKILL"):
        workers.submit(die).result()
    assert workers.submit(succeed).result().ending == "done"


def test_worker_that_leaves_is_noticed(workers) -> None:
    """As a library does that calls exit()."""
    with pytest.raises(WorkerLostError, match="exit code 7"):
        workers.submit(os._exit, 7).result()


def test_what_cannot_be_pickled_is_an_error_of_its_own_job(workers) -> None:
    """And the worker is still there."""
    with pytest.raises(Exception, match="pickle"):
        workers.submit(threading.Lock()).result()
    assert workers.submit(succeed).result().ending == "done"


def test_killing_ends_what_hangs(workers) -> None:
    """Ctrl-C does not wait for the hour that it takes."""
    future = workers.submit(hang)
    while not workers.pids:
        time.sleep(0.01)
    workers.kill_workers()
    assert isinstance(future.exception(timeout=300), WorkerLostError)


@pytest.fixture
def worker():
    """Return a pool of one process, which gets every job."""
    pool = WorkerProcesses(1)
    yield pool
    pool.kill_workers()


def test_interrupt_of_the_terminal_reaches_no_worker(worker) -> None:
    """Ctrl-C is sent to all of them; the parent decides."""
    pid = worker.submit(os.getpid).result()
    os.kill(pid, signal.SIGINT)
    assert worker.submit(os.getpid).result() == pid


def _lead(pipe) -> None:
    """Lead two workers that hang, until someone kills this process."""
    forked_workers()
    pool = WorkerProcesses(2)
    pipe.send([pool.submit(os.getpid).result() for _ in range(8)])
    for _ in range(2):
        pool.submit(hang)
    time.sleep(3600)


def test_no_worker_outlives_a_killed_parent(workers) -> None:
    """A parent that was killed cannot tell its workers to stop."""
    assert workers.submit(succeed).result()
    context = warm_context()
    ours, theirs = context.Pipe()
    parent = context.Process(target=_lead, args=(theirs,))
    parent.start()
    pids = set(ours.recv())
    parent.kill()
    parent.join()
    deadline = time.monotonic() + 300
    while any(_is_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [pid for pid in pids if _is_alive(pid)] == []


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True

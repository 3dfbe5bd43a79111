"""Foreign code cannot harm the process that runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pfactor_bench.errors import EnvironmentProblemError
from pfactor_bench.studies.sandbox import Failure, Limits, run_jobs

if TYPE_CHECKING:
    from collections.abc import Callable

_LIMITS = Limits(seconds=20, memory=1 << 30, answer=1 << 20)


def _one(job: Callable[[], bytes], limits: Limits = _LIMITS) -> bytes | Failure:
    return run_jobs([job], limits)[0]


def _reason(job: Callable[[], bytes], limits: Limits = _LIMITS) -> str:
    failure = _one(job, limits)
    assert isinstance(failure, Failure)
    return failure.reason


def test_no_more_jobs_run_than_a_container_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine of many cores the others would only take the time that a job has."""
    monkeypatch.setattr(os, "cpu_count", lambda: 512)
    monkeypatch.setattr("joblib.cpu_count", lambda: 2)
    assert Limits().jobs == 2


def test_answer_comes_back() -> None:
    """A job that returns bytes is heard."""
    assert _one(lambda: b"yes") == b"yes"


def test_answers_keep_the_order_of_jobs() -> None:
    """A job that takes longer does not lose its place."""

    def slow() -> bytes:
        time.sleep(0.3)
        return b"slow"

    assert run_jobs([slow, lambda: b"quick", lambda: b"third"], _LIMITS) == [
        b"slow",
        b"quick",
        b"third",
    ]


def test_broken_environment_is_no_fault_of_the_job() -> None:
    """Whatever it was to answer: nobody's study runs where torch cannot be imported."""

    def job() -> bytes:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    with pytest.raises(EnvironmentProblemError, match=r"(?s)^torch .*No module .*pip install"):
        _one(job)


def test_exception_is_named() -> None:
    """A job that raises is told apart by what it raised."""
    assert _reason(lambda: bytes(1 // 0)) == "ZeroDivisionError: integer division or modulo by zero"


def test_sys_exit_is_named() -> None:
    """A job cannot end the caller."""
    assert _reason(lambda: sys.exit(0)) == "it called sys.exit(0)"


def test_hanging_job_is_stopped() -> None:
    """A job that does not finish is killed at its limit."""

    def hang() -> bytes:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(60)
        return b""

    assert _reason(hang, Limits(seconds=0.5)) == "it did not finish within 0.5 s"


def test_job_that_closes_its_pipes_and_hangs_is_stopped() -> None:
    """As a service does that puts itself into the background."""

    def hang() -> bytes:
        os.closerange(0, 64)
        time.sleep(60)
        return b""

    assert _reason(hang, Limits(seconds=0.5)) == "it did not finish within 0.5 s"


def test_children_of_a_hanging_job_are_stopped(tmp_path: Path) -> None:
    """What a job has started correlates with it."""

    def spawn() -> bytes:
        if not os.fork():
            time.sleep(1.5)
            (tmp_path / "alive").touch()
            os._exit(0)
        time.sleep(60)
        return b""

    _one(spawn, Limits(seconds=0.5))
    time.sleep(1.5)
    assert not (tmp_path / "alive").exists()


def test_what_a_job_leaves_running_is_not_waited_for() -> None:
    """A service in a session of its own holds what the job prints to, as trackers start them."""
    program = "import time; print('up', flush=True); time.sleep(30)"

    def leave() -> bytes:
        service = subprocess.Popen([sys.executable, "-c", program], start_new_session=True)
        sys.stdout.write(f"{service.pid}\n")
        return str(service.pid).encode()

    answer = _one(leave, Limits(seconds=8))
    assert isinstance(answer, bytes)
    os.kill(int(answer), signal.SIGKILL)


def test_process_in_a_session_of_its_own_is_stopped_in_time(tmp_path: Path) -> None:
    """Neither the limit nor the kill depends on what a job has started."""

    def hang() -> bytes:
        touch = f"sleep 3; touch {tmp_path / 'alive'}"
        subprocess.Popen(["/bin/sh", "-c", touch], start_new_session=True)
        time.sleep(60)
        return b""

    assert _reason(hang, Limits(seconds=1)) == "it did not finish within 1 s"
    time.sleep(2.5)
    assert not (tmp_path / "alive").exists()


def test_job_that_closes_its_pipes_is_stopped() -> None:
    """Silence is no end."""

    def close() -> bytes:
        os.closerange(0, 200)
        time.sleep(25)
        return b""

    assert _reason(close, Limits(seconds=0.5)) == "it did not finish within 0.5 s"


def test_memory_is_limited() -> None:
    """A job that eats memory meets a MemoryError, not the machine's last byte."""
    assert _reason(lambda: bytes(4 << 30)).startswith("MemoryError")


def test_killed_job_is_named() -> None:
    """A job that dies of a signal is told so."""

    def die() -> bytes:
        os.kill(os.getpid(), signal.SIGSEGV)
        return b""

    assert _reason(die) == "its process was killed by SIGSEGV"


def test_printing_megabytes_is_harmless(capfd: pytest.CaptureFixture[str]) -> None:
    """What a job prints reaches nobody."""

    def chatter() -> bytes:
        sys.stdout.write("x" * 20_000_000)
        return b"done"

    assert (_one(chatter), capfd.readouterr().out) == (b"done", "")


def test_large_answer_is_refused() -> None:
    """An answer larger than its limit is not read to the end."""
    assert _reason(lambda: bytes(1 << 22)) == "its answer is larger than 1,048,576 bytes"


def test_working_directory_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A job that moves moves alone."""
    monkeypatch.chdir(tmp_path)

    def move() -> bytes:
        os.chdir("/")
        return b""

    _one(move)
    assert Path.cwd() == tmp_path


def test_imports_and_patches_stay_behind() -> None:
    """A job that changes the project's code changes its own copy."""
    from pfactor_bench.statistics import metrics

    def patch() -> bytes:
        metrics.evaluate = None
        return b""

    _one(patch)
    assert metrics.evaluate is not None


def test_no_process_is_left_behind() -> None:
    """Every job is waited for; asked in a process of its own, since other tests leave some here."""
    program = (
        "import os, sys, pytest\n"
        "from pfactor_bench.studies.sandbox import Limits, run_jobs\n"
        f"run_jobs([lambda: b'', lambda: sys.exit(1)], {_LIMITS!r})\n"
        "with pytest.raises(ChildProcessError):\n    os.waitpid(-1, os.WNOHANG)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)

"""One run at a time in a folder, and no lock that has to be cleared away by hand."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from pfactor_bench.errors import OutputError
from pfactor_bench.execution.lock import is_locked, only_run_in
from pfactor_bench.execution.processes import warm_context

if TYPE_CHECKING:
    from pathlib import Path


def _hold(folder: Path, pipe) -> None:
    with only_run_in(folder):
        pipe.send(os.getpid())
        time.sleep(3600)


@pytest.fixture
def other_run(tmp_path: Path):
    """Return a process that holds the folder's lock."""
    context = warm_context()
    ours, theirs = context.Pipe()
    process = context.Process(target=_hold, args=(tmp_path, theirs))
    process.start()
    assert ours.recv() == process.pid
    yield process
    process.kill()
    process.join()


def test_second_run_is_refused_with_host_and_process(other_run, tmp_path: Path) -> None:
    """And with what to do."""
    named = rf"process {other_run.pid} on {socket.gethostname()}, since .*choose another folder"
    with pytest.raises(OutputError, match=named), only_run_in(tmp_path):
        pass
    assert is_locked(tmp_path)


def test_lock_of_a_killed_run_is_free(other_run, tmp_path: Path) -> None:
    """Its owner's note is still there, and binds nobody."""
    other_run.kill()
    other_run.join()
    assert not is_locked(tmp_path)
    with only_run_in(tmp_path):
        assert json.loads((tmp_path / ".lock-owner.json").read_text())["pid"] == os.getpid()


def test_run_may_wait_for_its_turn(other_run, tmp_path: Path) -> None:
    """Until the other one ends."""
    threading.Timer(0.2, other_run.kill).start()
    with only_run_in(tmp_path, patience=30):
        assert json.loads((tmp_path / ".lock-owner.json").read_text())["pid"] == os.getpid()


def test_lock_is_given_back(tmp_path: Path) -> None:
    """After an error too."""
    with pytest.raises(ZeroDivisionError), only_run_in(tmp_path):
        raise ZeroDivisionError
    with only_run_in(tmp_path):
        pass


def test_clock_that_jumped_changes_nothing(other_run, tmp_path: Path, monkeypatch) -> None:
    """A lock has no age."""
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 10 * 365 * 86_400)
    assert other_run.is_alive()
    with pytest.raises(OutputError, match="another run"), only_run_in(tmp_path):
        pass


def test_unreadable_note_is_no_reason_to_break_in(other_run, tmp_path: Path) -> None:
    """It is the lock that counts."""
    (tmp_path / ".lock-owner.json").write_text("{")
    assert other_run.is_alive()
    with pytest.raises(OutputError, match="not said yet"), only_run_in(tmp_path):
        pass

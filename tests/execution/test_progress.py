"""How far a run is: counts, time left, and the file that others read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from pfactor_bench.errors import RecordError
from pfactor_bench.execution.progress import Tracker, read_progress, say_seconds

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the one number that the clock that nobody can set shows."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_time_left_follows_the_cases_of_this_run(clock: list[float]) -> None:
    """Those that were finished before took no time now."""
    tracker = Tracker(total=12, done=2)
    tracker.moved_to("2 processes", 2)
    assert tracker.progress.seconds_left is None
    for name in ("a", "b"):
        tracker.began([name])
        clock[0] += 10
        tracker.finished([name])
    assert tracker.progress.seconds_left == pytest.approx(80)


def test_clock_that_jumps_moves_no_estimate(clock: list[float], monkeypatch) -> None:
    """The wall clock goes back a day, and is asked for nothing but a date."""
    tracker = Tracker(total=3)
    tracker.began(["a"])
    monkeypatch.setattr(time, "time", lambda: -86_400.0)
    clock[0] += 10
    tracker.finished(["a"])
    assert tracker.progress.seconds_left == pytest.approx(20)


def test_failed_cases_are_counted_and_named() -> None:
    """They are neither done nor left."""
    tracker = Tracker(total=2)
    tracker.began(["a", "b"])
    tracker.gave_up(["a"], "it died")
    tracker.finished(["b"])
    progress = tracker.progress
    assert (progress.done, dict(progress.failed), progress.seconds_left) == (
        1,
        {"a": "it died"},
        pytest.approx(0),
    )
    assert progress.line() == "1 of 2 cases done, 1 failed, about 0 s left"


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """By another process, while the run goes on."""
    tracker = Tracker(total=3, folder=tmp_path, command="pfactor-bench run suite.yaml")
    tracker.began(["a"])
    stored = read_progress(tmp_path)
    assert (stored.total, stored.running, stored.command) == (
        3,
        ("a",),
        "pfactor-bench run suite.yaml",
    )


def test_file_is_not_written_for_every_case(tmp_path: Path, clock: list[float]) -> None:
    """Ten thousand short ones would spend their time on it; the end is always written."""
    tracker = Tracker(total=10_000, folder=tmp_path)
    tracker.began(["first"])
    for number in range(9_999):
        tracker.finished([f"case-{number}"])
    assert read_progress(tmp_path).done == 0
    clock[0] += 2
    tracker.finished(["last"])
    assert read_progress(tmp_path).done == 10_000
    assert (tmp_path / "progress.json").stat().st_size < 2_000


def test_full_disk_does_not_end_a_run_through_its_progress(tmp_path: Path, monkeypatch) -> None:
    """The case that cannot be kept says it, and says it better."""

    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pfactor_bench.execution.progress.write_atomically", full)
    Tracker(total=1, folder=tmp_path).finished(["a"])


@pytest.mark.parametrize("content", ["", "{", "[]", '{"total": 1}', '{"other": 1, "running": []}'])
def test_broken_file_is_an_error_with_its_name(tmp_path: Path, content: str) -> None:
    """Not a traceback."""
    (tmp_path / "progress.json").write_text(content)
    with pytest.raises(RecordError, match=r"cannot read .*progress\.json"):
        read_progress(tmp_path)


def test_folder_without_a_run_is_an_error(tmp_path: Path) -> None:
    """With what to give instead."""
    with pytest.raises(
        RecordError, match=r"no run in .*by default pfactor-bench-reports/<suite's name>"
    ):
        read_progress(tmp_path)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59, "59 s"), (100, "2 min"), (7_500, "2 h 5 min"), (400_000, "4.6 d")],
)
def test_durations_are_said_as_subjects_do(seconds: float, said: str) -> None:
    """Without digits that nobody needs."""
    assert said == say_seconds(seconds)

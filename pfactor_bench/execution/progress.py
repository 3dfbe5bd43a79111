"""How far a run is: for whoever watches it, and for ``pfactor-bench status``."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias

from pfactor_bench.errors import RecordError
from pfactor_bench.files import REPORTS, write_atomically

PROGRESS_FILE = "progress.json"

State: TypeAlias = Literal["running", "interrupted", "finished"]

#: So many of the cases under way are named.
_MOST_NAMES = 20

#: The file is written at most this often, in seconds.
_EVERY = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a run is.

    Parameters
    ----------
    total, done
        Cases of the suite, and how many of them have a result.
    running
        Names of some cases under way.
    n_running
        How many are.
    failed
        Why a case was given up, by its name.
    seconds_left
        Estimated from the cases that this run finished; None before the first.
    state
        ``running``, ``interrupted`` or ``finished``.
    where
        What the cases run on, such as ``"4 processes"``.
    command
        What to type to go on.
    host, pid
        Of the process that leads the run.
    updated
        When this was written, UTC, ISO 8601: for readers; nothing is computed from it.
    """

    total: int
    done: int = 0
    running: tuple[str, ...] = ()
    n_running: int = 0
    failed: Mapping[str, str] = field(default_factory=dict)
    seconds_left: float | None = None
    state: State = "running"
    where: str = ""
    command: str = ""
    host: str = ""
    pid: int = 0
    updated: str = ""

    def line(self) -> str:
        """Return it in a line."""
        parts = [f"{self.done:,} of {self.total:,} cases done"]
        if self.n_running:
            parts.append(f"{self.n_running:,} running")
        if self.failed:
            parts.append(f"{len(self.failed):,} failed")
        if self.seconds_left is not None and self.state == "running":
            parts.append(f"about {say_seconds(self.seconds_left)} left")
        return ", ".join(parts)


class RunInterrupted(KeyboardInterrupt):
    """Someone stopped a run; the message says what is kept and how to go on.

    Parameters
    ----------
    progress
        How far the run was.
    """

    def __init__(self, progress: Progress) -> None:
        super().__init__(
            f"interrupted: {progress.done:,} of {progress.total:,} cases are finished and kept; to "
            f"go on with the rest: {progress.command}"
        )


class Tracker:
    """Counts cases, estimates the time left, tells a watcher, and keeps a file up to date.

    Every duration is taken from a clock that nobody can set.

    Parameters
    ----------
    total, done
        Cases of the suite, and how many were finished before.
    folder
        Gets `PROGRESS_FILE`; None writes nothing.
    command
        What to type to go on after an interruption.
    watch
        Called with every change.
    """

    def __init__(
        self,
        *,
        total: int,
        done: int = 0,
        folder: Path | None = None,
        command: str = "",
        watch: Callable[[Progress], object] = lambda _progress: None,
    ) -> None:
        self._total, self._done, self._found = total, done, done
        self._folder, self._command, self._watch = folder, command, watch
        self._running: dict[str, int] = {}
        self._failed: dict[str, str] = {}
        self._where, self._most_running = "", 1
        self._began = time.monotonic()
        self._written = float("-inf")

    def moved_to(self, where: str, most_running: int) -> None:
        """Say what the cases run on from now on, and how many fit there at a time."""
        self._where, self._most_running = where, most_running
        # What is left takes as long as cases take there.
        self._began, self._found = time.monotonic(), self._done + len(self._failed)

    def began(self, cases: Sequence[str]) -> None:
        """Count cases as under way."""
        self._running |= dict.fromkeys(cases, 1)
        self._tell()

    def returned(self, cases: Sequence[str]) -> None:
        """Count cases as waiting again."""
        for case in cases:
            self._running.pop(case, None)

    def finished(self, cases: Sequence[str]) -> None:
        """Count cases as done."""
        self.returned(cases)
        self._done += len(cases)
        self._tell()

    def gave_up(self, cases: Sequence[str], reason: str) -> None:
        """Count cases as failed."""
        self.returned(cases)
        self._failed |= dict.fromkeys(cases, reason)
        self._tell()

    def ended(self, state: State) -> None:
        """Say how the run ended; nothing is under way any more."""
        self._running.clear()
        self._written = float("-inf")
        self._tell(state)

    @property
    def progress(self) -> Progress:
        """How far the run is now."""
        return self._progress("running")

    def _progress(self, state: State) -> Progress:
        return Progress(
            total=self._total,
            done=self._done,
            running=tuple(self._running)[: min(self._most_running, _MOST_NAMES)],
            n_running=min(len(self._running), self._most_running),
            failed=dict(self._failed),
            seconds_left=self._seconds_left(),
            state=state,
            where=self._where,
            command=self._command,
            host=socket.gethostname(),
            pid=os.getpid(),
            updated=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def _seconds_left(self) -> float | None:
        ended = self._done + len(self._failed) - self._found
        if not ended:
            return None
        left = self._total - self._done - len(self._failed)
        return (time.monotonic() - self._began) / ended * left

    def _tell(self, state: State = "running") -> None:
        progress = self._progress(state)
        self._watch(progress)
        if self._folder is None or time.monotonic() - self._written < _EVERY:
            return
        text = json.dumps(asdict(progress), indent=1, ensure_ascii=False, allow_nan=False)
        # Where nothing can be written any more, the next case says so, and says it better.
        with contextlib.suppress(OSError):
            write_atomically(self._folder / PROGRESS_FILE, f"{text}\n".encode())
        self._written = time.monotonic()


def read_progress(folder: Path) -> Progress:
    """Read how far the run in `folder` is or was.

    Raises
    ------
    RecordError
        If nothing was ever run there, or the file cannot be read.
    """
    path = folder / PROGRESS_FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Progress(**{**data, "running": tuple(data["running"])})
    except FileNotFoundError:
        raise RecordError(
            f"no run in {str(folder)!r}: give the folder that `pfactor-bench run` wrote to, by "
            f"default {REPORTS}/<suite's name>; a report that came with the repository is no run"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordError(f"cannot read {str(path)!r}: {error}") from error


def say_seconds(seconds: float) -> str:
    """Return a duration as one would say it: ``40 s``, ``12 min``, ``3 h 20 min``, ``4 d``."""
    minutes = round(seconds / 60)
    if seconds < 90:  # noqa: PLR2004 - below, seconds are still of interest
        return f"{seconds:.0f} s"
    if minutes < 90:  # noqa: PLR2004
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:  # noqa: PLR2004
        return f"{hours} h {minutes} min"
    return f"{hours / 24:.1f} d"

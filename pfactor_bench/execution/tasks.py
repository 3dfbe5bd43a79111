"""What is handed to workers and what they answer: plain values that any executor can carry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

#: ``done``; ``again``: it may succeed another time; ``failed``: it would fail the same way;
#: ``stop``: nothing else could succeed either, as when the disk is full.
Ending: TypeAlias = Literal["done", "again", "failed", "stop"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskEnd:
    """What became of one attempt at a task.

    Parameters
    ----------
    ending
        See `Ending`.
    reason
        Why it is not done, in one line.
    """

    ending: Ending = "done"
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """Work that leaves its results on disk, so that only a `TaskEnd` travels.

    Parameters
    ----------
    cases
        The names of the cases that it finishes.
    work
        What to call; picklable unless it stays in the calling process.
    parts
        The same work in smaller tasks, for when one case spoils it for the others.
    log
        Where a worker writes how it went; None where nobody does.
    """

    cases: tuple[str, ...]
    work: Callable[[], TaskEnd]
    parts: tuple[Task, ...] = ()
    log: Path | None = None

"""Which stretch of a recording belongs to its task, from the events in it.

Some recordings go on after their task: of the 136 resting-state files of HBN's first release 14
hold events of other tasks. Their windows would be rest in name only.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pfactor_bench.cohorts.bids.sidecars import Event

__all__ = ["Block", "Stretch", "TaskEvents", "find_stretch"]

#: So many names of events are spelt out in a note.
_MAX_NAMES = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A stretch of fixed length after an event.

    Parameters
    ----------
    event
        Its name.
    start, stop
        Seconds after it.
    """

    event: str
    start: float
    stop: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskEvents:
    """The events of a task, by name.

    Parameters
    ----------
    own
        Events that happen in the task only.
    neutral
        Events that tell nothing about the task: boundaries, breaks.
    block
        The only part of the task to keep; None keeps all.
    """

    own: frozenset[str]
    neutral: frozenset[str]
    block: Block | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """What is kept of a recording.

    Parameters
    ----------
    start, stop
        In seconds.
    blocks
        What is kept within, in seconds from `start`; empty keeps all of it.
    said
        What was left out; empty where the whole recording is kept.
    """

    start: float
    stop: float
    blocks: tuple[tuple[float, float], ...] = ()
    said: tuple[str, ...] = ()


def find_stretch(end: float, marks: Sequence[Event], events: TaskEvents | None) -> Stretch:
    """Return the stretch of a recording that is its task's.

    It is the longest run of the task's own events that no other task's event interrupts. It begins
    with the recording, or with its first own event where another task came before, and ends with
    the recording, or where another task begins.

    Parameters
    ----------
    end
        Of the recording, in seconds.
    marks
        Its events, of which the first name counts.
    events
        The task's; None keeps the whole recording.
    """
    if events is None:
        return Stretch(start=0.0, stop=end)
    return _stretch(end, [(mark.onset, mark.names[0]) for mark in marks if mark.names], events)


def _stretch(end: float, marks: Sequence[tuple[float, str]], events: TaskEvents) -> Stretch:
    start, stop, said = 0.0, end, []
    foreign = [(at, name) for at, name in marks if name not in events.own | events.neutral]
    if foreign:
        names = _named(dict.fromkeys(name for _, name in foreign))
        bounds = [0.0, *(at for at, _ in foreign), end]
        runs = [
            (sum(low <= at < high and name in events.own for at, name in marks), low, high)
            for low, high in itertools.pairwise(bounds)
        ]
        n_own, low, stop = max(runs, key=lambda run: run[0])
        if not n_own:
            return Stretch(
                start=0.0,
                stop=0.0,
                said=(f"left out: it holds events of other tasks ({names}) and none of its own",),
            )
        if low > 0:
            start = min(at for at, name in marks if low <= at < stop and name in events.own)
        said.append(
            f"cut to {start:.1f}-{stop:.1f} s of {end:.1f} s: other tasks' events ({names})"
        )
    if events.block is None:
        return Stretch(start=start, stop=stop, said=tuple(said))
    blocks = _blocks(marks, events.block, start, stop)
    if not blocks:
        said.append(f"left out: it holds no event {events.block.event!r} with its block")
        return Stretch(start=0.0, stop=0.0, said=tuple(said))
    return Stretch(start=start, stop=stop, blocks=blocks, said=tuple(said))


def _blocks(
    marks: Sequence[tuple[float, str]], block: Block, start: float, stop: float
) -> tuple[tuple[float, float], ...]:
    """Return a task's blocks, each cut short by the next of its kind, in seconds from `start`."""
    onsets = [at for at, name in marks if name == block.event and start <= at < stop]
    return tuple(
        (onset + block.start - start, min(onset + block.stop, stop) - start)
        for onset in onsets
        if onset + block.start < stop
    )


def _named(names: dict[str, None]) -> str:
    shown = ", ".join(list(names)[:_MAX_NAMES])
    return f"{shown} and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else shown

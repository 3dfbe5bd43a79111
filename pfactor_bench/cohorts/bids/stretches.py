"""Stretches of a recording whose samples follow each other: no filter or window crosses an end.

A recording is cut at gaps between the records of an EDF+D or BDF+D file, at EEGLAB's boundaries,
at BrainVision's new segments, between epochs that are stored as one recording, and, if that is
asked for, around segments that are marked ``BAD_``.
"""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pfactor_bench.cohorts.bids.edf import EDF_SUFFIXES, EdfHeader, read_edf_header
from pfactor_bench.cohorts.bids.sidecars import Event, read_events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pfactor_bench.cohorts.bids.folder import RecordingFile

__all__ = ["Timeline", "read_timeline", "split"]

#: What MNE and EEGLAB call the place where samples were cut out or recordings joined.
_CUTS = frozenset({"boundary", "bad boundary", "edge", "edge boundary"})

#: How MNE begins the name of a segment that is not to be used.
_BAD = re.compile(r"(BAD|bad)([ _]|$)")

#: Position of an event that lies between two samples: nearer than this to a sample it is on it.
_ROUNDING = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """Where a recording is interrupted, and what happens when, in seconds of its samples.

    Parameters
    ----------
    events
        Of events.tsv, else of the recording itself, without cuts and bad segments.
    cuts
        Where a sample does not follow the one before.
    bad
        First and last second of the segments that are marked bad.
    """

    events: tuple[Event, ...]
    cuts: tuple[float, ...]
    bad: tuple[tuple[float, float], ...]


def read_timeline(
    file: RecordingFile,
    raw: Any,  # noqa: ANN401 - MNE has no types
    described: Mapping[str, Any],
) -> Timeline:
    """Return where a recording is interrupted.

    Parameters
    ----------
    file
        The recording.
    raw
        The same, opened.
    described
        What eeg.json says of it.

    Raises
    ------
    ValueError
        If it is made of epochs of unknown length.
    """
    header = read_edf_header(file.path) if file.path.suffix.lower() in EDF_SUFFIXES else None
    own = _annotations(raw, header)
    listed = read_events(file)
    events = [_on_samples(event, header) for event in own + (listed or [])]
    told = own if listed is None else listed
    rate = float(raw.info["sfreq"])
    length = raw.n_times / rate
    cuts = [event.onset for event in events if any(map(_is_cut, event.names))]
    cuts += header.gaps() if header else []
    cuts += _epochs(described, length)
    if file.path.suffix.lower() == ".set":
        # EEGLAB's boundary where all events have numbers for names.
        cuts += [event.onset for event in events if {"-99", "-99.0"} & set(event.names)]
    bad = [event for event in events if any(map(_is_bad, event.names)) and event.duration]
    return Timeline(
        events=tuple(
            _on_samples(event, header)
            for event in sorted(told, key=lambda event: event.onset)
            if not any(_is_cut(name) or _is_bad(name) for name in event.names)
        ),
        cuts=tuple(sorted(at for at in {_next_sample(at, rate) for at in cuts} if 0 < at < length)),
        bad=tuple(sorted(_span(event, rate) for event in bad)),
    )


def split(
    start: float, stop: float, cuts: Iterable[float], holes: Sequence[tuple[float, float]]
) -> list[tuple[float, float]]:
    """Return what is left between `start` and `stop`, in pieces that nothing interrupts."""
    ends = {start, stop, *cuts, *(end for hole in holes for end in hole)}
    inner = sorted(at for at in ends if start <= at <= stop)
    return [
        (low, high)
        for low, high in itertools.pairwise(inner)
        if not any(begin < high and low < end for begin, end in holes)
    ]


def _annotations(
    raw: Any,  # noqa: ANN401 - MNE has no types
    header: EdfHeader | None,
) -> list[Event]:
    if header and header.gaps():
        return [
            Event(onset=at, duration=lasting, names=(name,)) for at, lasting, name in header.marks
        ]
    return [
        Event(
            onset=float(mark["onset"]) - raw.first_time,
            duration=float(mark["duration"]),
            names=(str(mark["description"]),),
        )
        for mark in raw.annotations
    ]


def _on_samples(event: Event, header: EdfHeader | None) -> Event:
    """Return an event with its time counted in samples, without the gaps between records."""
    if header is None:
        return event
    at: Callable[[float], float] = header.sampled_at
    return Event(
        onset=at(event.onset),
        duration=at(event.onset + event.duration) - at(event.onset),
        names=event.names,
    )


def _is_cut(name: str) -> bool:
    return name.casefold() in _CUTS or name.casefold().startswith("new segment")


def _is_bad(name: str) -> bool:
    return bool(_BAD.match(name)) and not _is_cut(name)


def _span(event: Event, rate: float) -> tuple[float, float]:
    """Return the whole samples that an event touches, in seconds."""
    begin = math.floor(event.onset * rate + _ROUNDING) / rate
    return begin, _next_sample(event.onset + event.duration, rate)


def _next_sample(at: float, rate: float) -> float:
    return math.ceil(at * rate - _ROUNDING) / rate


def _epochs(described: Mapping[str, Any], length: float) -> list[float]:
    """Return where epochs end that a recording is said to be made of."""
    if str(described.get("RecordingType", "")).casefold() != "epoched":
        return []
    seconds = described.get("EpochLength")
    if not isinstance(seconds, (int, float)) or seconds <= 0:
        raise ValueError(
            f"eeg.json calls it epoched and gives EpochLength {seconds!r}: give the seconds, so "
            f"that no filter or window crosses an epoch's end"
        )
    return [number * seconds for number in range(1, math.ceil(length / seconds))]

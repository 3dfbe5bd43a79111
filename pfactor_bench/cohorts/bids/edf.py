"""What the header of an EDF or BDF file says and MNE passes over: rates, units, record times."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.cohorts.tables import decoded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["EDF_SUFFIXES", "EdfHeader", "read_edf_header"]

EDF_SUFFIXES = frozenset({".edf", ".bdf"})

#: A record's first annotation: when it begins.
_ONSET = re.compile(rb"\x00*([+-]\d+(?:\.\d*)?)\x14")

#: An annotation: onset, duration where it has one, and names.
_MARK = re.compile(rb"([+-]\d+(?:\.\d*)?)(?:\x15(\d+(?:\.\d*)?))?\x14([^\x00]*)\x14\x00")


@dataclass(frozen=True, slots=True)
class Signal:
    """A channel: its rate in Hz, and its unit as it is written."""

    rate: float
    unit: str


@dataclass(frozen=True, slots=True)
class EdfHeader:
    """How a file is sampled.

    Parameters
    ----------
    signals
        By the name that the file gives them.
    record_seconds
        How long a record lasts.
    onsets
        When each record begins, in seconds after the first; empty where the file does not say.
    marks
        Onset, duration and name of each annotation. MNE leaves out those that lie beyond the
        length of the samples, as all do after a long gap.
    """

    signals: dict[str, Signal]
    record_seconds: float
    onsets: NDArray[np.float64]
    marks: tuple[tuple[float, float, str], ...]

    def signal(self, name: str) -> Signal | None:
        """Return a channel by MNE's name, which tells two of one name apart with ``-0``, ``-1``."""
        return self.signals.get(name) or self.signals.get(name.rpartition("-")[0])

    def gaps(self) -> list[float]:
        """Return where a record does not follow the one before, in seconds of samples."""
        late = np.abs(np.diff(self.onsets) - self.record_seconds)
        tolerance = 0.5 / max((signal.rate for signal in self.signals.values()), default=1.0)
        return [float(at + 1) * self.record_seconds for at in np.flatnonzero(late > tolerance)]

    def sampled_at(self, time: float) -> float:
        """Return how many seconds of samples come before a time, gaps left out."""
        if not len(self.onsets):
            return time
        record = max(int(np.searchsorted(self.onsets, time, side="right")) - 1, 0)
        within = min(time - float(self.onsets[record]), self.record_seconds)
        return record * self.record_seconds + within


def read_edf_header(path: Path) -> EdfHeader:
    """Read a header and, where there are annotations, the times of the records."""
    with path.open("rb") as stream:
        fixed = stream.read(256)
        n_signals, seconds = int(fixed[252:256]), float(fixed[244:252])
        fields = stream.read(256 * n_signals)

    def column(offset: int, width: int) -> list[str]:
        begin = offset * n_signals
        cells = (fields[begin + width * at : begin + width * (at + 1)] for at in range(n_signals))
        return [cell.decode("latin-1").strip() for cell in cells]

    labels, units, samples = column(0, 16), column(96, 8), [*map(int, column(216, 8))]
    is_signal = [not label.endswith(" Annotations") for label in labels]
    signals = {
        label: Signal(rate=count / (seconds or 1.0), unit=unit)
        for label, unit, count, kept in zip(labels, units, samples, is_signal, strict=True)
        if kept
    }
    width = 3 if path.suffix.lower() == ".bdf" else 2
    ends = np.cumsum([0, *samples]) * width
    texts = [
        slice(int(begin), int(end))
        for begin, end, kept in zip(ends, ends[1:], is_signal, strict=False)
        if not kept
    ]
    records = _records(path, 256 * (n_signals + 1), int(ends[-1]), texts if seconds else [])
    onsets = _onsets([each[0] for each in records], seconds)
    return EdfHeader(
        signals=signals,
        record_seconds=seconds,
        onsets=onsets,
        marks=tuple(_marks(records)),
    )


def _records(path: Path, offset: int, n_bytes: int, cells: Sequence[slice]) -> list[list[bytes]]:
    """Return the bytes of each record's annotation channels."""
    n_records = (path.stat().st_size - offset) // max(n_bytes, 1)
    if n_records < 1 or not cells:
        return []
    shape = (n_records, n_bytes)
    records = np.memmap(path, dtype=np.uint8, mode="r", offset=offset, shape=shape)
    return [[record[cell].tobytes() for cell in cells] for record in records]


def _onsets(timekeeping: Sequence[bytes], seconds: float) -> NDArray[np.float64]:
    onsets: list[float] = []
    for record in timekeeping:
        found = _ONSET.match(record)
        # A record that does not say when it begins follows the one before.
        onsets.append(float(found[1]) if found else (onsets[-1] + seconds if onsets else 0.0))
    return np.array(onsets) - onsets[0] if onsets else np.zeros(0)


def _marks(records: Sequence[Sequence[bytes]]) -> Iterator[tuple[float, float, str]]:
    start = _ONSET.match(records[0][0]) if records else None
    for record in records:
        for found in _MARK.finditer(b"\0".join(record)):
            for name in filter(None, decoded(found[3]).split("\x14")):
                onset = float(found[1]) - (float(start[1]) if start else 0.0)
                yield onset, float(found[2] or 0), name

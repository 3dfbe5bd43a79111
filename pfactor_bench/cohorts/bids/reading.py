"""A recording as it is read: the channels asked for, and all that is said about them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pfactor_bench.cohorts.assemble import listed
from pfactor_bench.cohorts.bids.channels import (
    bad_among,
    channel_kinds,
    check_channels,
    interpolate,
    scale,
    unit_factors,
)
from pfactor_bench.cohorts.bids.edf import EDF_SUFFIXES, read_edf_header
from pfactor_bench.cohorts.bids.opened import opened_files, refuse_strange
from pfactor_bench.cohorts.bids.sidecars import read_channels, read_description
from pfactor_bench.cohorts.bids.stretches import read_timeline
from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from pfactor_bench.cohorts.bids.folder import RecordingFile
    from pfactor_bench.cohorts.bids.preprocessing import Preparation
    from pfactor_bench.cohorts.bids.sidecars import ChannelRow
    from pfactor_bench.cohorts.bids.stretches import Timeline

__all__ = ["Reading", "open_raw", "read_recording"]

#: How MNE begins to say that an EDF file ends before its header says so.
_CUT_SHORT = "Number of records from the header does not match the file"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Reading:
    """A recording that is open, its samples not read yet.

    Parameters
    ----------
    raw
        MNE's, with the channels that are asked for, in that order.
    factors
        What the samples of a channel are to be multiplied by to be in volts.
    timeline
        Where it is interrupted.
    setup
        Its sampling rate and reference.
    reader_warnings
        What is said of many recordings alike.
    bad
        Channels for which it is to be left out.
    """

    raw: Any
    factors: Mapping[str, float]
    timeline: Timeline
    setup: tuple[str, str]
    reader_warnings: tuple[str, ...]
    bad: tuple[str, ...]


def open_raw(path: Path, *, include: Sequence[str] | None = None) -> Any:  # noqa: ANN401 - MNE has no types
    """Open a recording with MNE alone.

    EEGDash's own reader rewrites tables of the folder that it finds fault with, participants.tsv
    among them, and does not let MNE say that a file is cut short. An audit leaves data as they are.
    """
    import mne

    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=_CUT_SHORT)
        return mne.io.read_raw(path, **({} if include is None else {"include": list(include)}))


def read_recording(dataset: str, file: RecordingFile, preparation: Preparation) -> Reading:
    """Open a recording for a preparation.

    Raises
    ------
    CohortError
        If it lacks a channel, opens another recording's files, or is too slow.
    ValueError
        If its units, or its sidecars, cannot be made out.
    """
    wanted = preparation.channels
    opened = opened_files(dataset, file)
    refuse_strange(dataset, file, opened)
    raw, rows, described = open_raw(file.path), read_channels(file), read_description(file)
    read = {Path(name).resolve() for name in raw.filenames if name}
    if beyond := read - {path.resolve() for path in opened}:
        raise ValueError(f"it is read from {str(min(beyond))!r}, which does not lie beside it")
    kinds = channel_kinds(raw, rows)
    check_channels(dataset, file, kinds, wanted)
    rate = _lowest_rate(file.path, raw, wanted)
    _check_rate(dataset, file, rate, preparation)
    timeline = read_timeline(file, raw, described)
    bad = bad_among(raw, rows, wanted)
    repaired = bad and preparation.bad_channels == "interpolate"
    taken = [name for name, kind in kinds.items() if kind == "eeg"] if repaired else wanted
    factors, differing = unit_factors(file.path, rows, taken, preparation.unit)
    if rate < raw.info["sfreq"]:
        # MNE brings all channels to the highest rate, be it of one that nobody asked for.
        raw = open_raw(file.path, include=taken)
    if repaired:
        marked = bad_among(raw, rows, taken)
        raw.pick(list(taken)).load_data()
        scale(raw, factors)
        interpolate(raw, bad, marked)
        factors = {}
    raw.pick(list(wanted))
    news = [
        *differing,
        *_bad_news(bad, preparation),
        *_unlike(kinds, rate, rows, described, wanted),
    ]
    if rate < preparation.sfreq:
        news.append(f"it was sampled at {rate:g} Hz and brought up to {preparation.sfreq:g} Hz")
    if timeline.cuts:
        news.append("it is discontinuous: no filter and no window crosses a gap or boundary")
    elif str(described.get("RecordingType")).casefold() == "discontinuous":
        news.append("eeg.json calls it discontinuous and no gap is found: windows may cross some")
    return Reading(
        raw=raw,
        factors=factors,
        timeline=timeline,
        setup=(f"{rate:g} Hz", str(described.get("EEGReference", "n/a"))),
        reader_warnings=tuple(news),
        bad=tuple(bad) if preparation.bad_channels == "drop" else (),
    )


def _lowest_rate(
    path: Path,
    raw: Any,  # noqa: ANN401 - MNE has no types
    channels: Sequence[str],
) -> float:
    """Return the rate at which the slowest of some channels was sampled, in Hz."""
    rate = float(raw.info["sfreq"])
    if path.suffix.lower() not in EDF_SUFFIXES:
        return rate
    found = map(read_edf_header(path).signal, channels)
    return min((signal.rate for signal in found if signal), default=rate)


def _check_rate(dataset: str, file: RecordingFile, rate: float, preparation: Preparation) -> None:
    highest = preparation.h_freq or preparation.sfreq / 2
    if rate < preparation.sfreq and highest >= rate / 2:
        raise CohortError(
            f"recording {file.path.name!r} of data set {dataset!r} was sampled at {rate:g} Hz: "
            f"nothing above {rate / 2:g} Hz is in it, and up to {highest:g} Hz are asked for, "
            f"which would mark it among the others; set h_freq below {rate / 2:g}, or leave it out "
            f"with exclude: [{file.subject}]"
        )


def _bad_news(bad: Sequence[str], preparation: Preparation) -> Iterator[str]:
    what = {"keep": "kept as it is", "interpolate": "interpolated"}.get(preparation.bad_channels)
    for name in bad if what else ():
        yield f"channel {name} is marked bad and was {what}"


def _unlike(
    names: Collection[str],
    rate: float,
    rows: Mapping[str, ChannelRow],
    described: Mapping[str, Any],
    wanted: Sequence[str],
) -> Iterator[str]:
    """Say where sidecars do not seem to be this recording's."""
    undescribed = [name for name in wanted if name not in rows]
    if undescribed and not set(rows) <= set(names):
        yield f"channels.tsv describes other channels, and not {listed(undescribed)}"
    said = described.get("SamplingFrequency")
    if isinstance(said, (int, float)) and abs(said - rate) > 1:
        yield f"eeg.json says {said:g} Hz and the file {rate:g} Hz, which is taken"

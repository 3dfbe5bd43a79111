"""A recording's channels: of which kind, in which unit, and which of them are bad."""

from __future__ import annotations

from functools import partial
from operator import mul
from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.cohorts.assemble import listed
from pfactor_bench.cohorts.bids.edf import EDF_SUFFIXES, read_edf_header
from pfactor_bench.cohorts.units import microvolts
from pfactor_bench.errors import CohortError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pfactor_bench.cohorts.bids.folder import RecordingFile
    from pfactor_bench.cohorts.bids.sidecars import ChannelRow

__all__ = ["bad_among", "channel_kinds", "check_channels", "interpolate", "scale", "unit_factors"]

#: The units that MNE knows in an EDF file, in microvolts; it takes every other for volts.
_KNOWN_TO_MNE = {"uV": 1.0, "\u00b5V": 1.0, "\u03bcV": 1.0, "\x83\xcaV": 1.0, "mV": 1e3}
_VOLT = 1e6

#: Where electrodes are by name, if the recording does not say.
_MONTAGES = ("standard_1005", "GSN-HydroCel-129")

#: With fewer good channels a spherical spline says nothing.
_MIN_SOURCES = 4


def channel_kinds(
    raw: Any,  # noqa: ANN401 - MNE has no types
    rows: Mapping[str, ChannelRow],
) -> dict[str, str]:
    """Return each channel's kind: the file's, unless channels.tsv knows that it is no EEG."""
    kinds = dict(zip(raw.ch_names, raw.get_channel_types(), strict=True))
    for name, row in rows.items():
        if name in kinds and row.kind not in {"eeg", "", "n/a"}:
            kinds[name] = row.kind
    return kinds


def check_channels(
    dataset: str, file: RecordingFile, kinds: Mapping[str, str], channels: Sequence[str]
) -> None:
    """Refuse channels that a recording does not have, or that are no EEG.

    Raises
    ------
    CohortError
        Naming the first.
    """
    for name in channels:
        if name not in kinds:
            raise CohortError(
                f"recording {file.path.name!r} of data set {dataset!r} has no channel {name!r}"
                f"{did_you_mean(name, kinds)}"
            )
        if kinds[name] != "eeg":
            raise CohortError(
                f"channel {name!r} of recording {file.path.name!r} of data set {dataset!r} is of "
                f"type {kinds[name]!r}: leave it out of channels, only EEG is filtered and scaled"
            )


def bad_among(
    raw: Any,  # noqa: ANN401 - MNE has no types
    rows: Mapping[str, ChannelRow],
    channels: Sequence[str],
) -> list[str]:
    """Return those channels that channels.tsv or the recording itself marks bad."""
    marked = {name for name, row in rows.items() if row.is_bad} | set(raw.info["bads"])
    return [name for name in channels if name in marked]


def unit_factors(
    path: Path, rows: Mapping[str, ChannelRow], channels: Sequence[str], unit: str | None
) -> tuple[dict[str, float], list[str]]:
    """Return what MNE's samples are to be multiplied by to be in volts, and what is to be said.

    The unit is the file's, else that of channels.tsv, else the one that is declared for all.

    Parameters
    ----------
    path
        Of the recording.
    rows
        Of channels.tsv.
    channels
        Those that are asked for.
    unit
        Declared for files that do not say.

    Raises
    ------
    ValueError
        If nothing says it.
    """
    suffix = path.suffix.lower()
    if suffix not in EDF_SUFFIXES | {".set"}:
        # BrainVision's files always have a unit, or mean microvolts, as MNE knows.
        return dict.fromkeys(channels, 1.0), []
    header = read_edf_header(path) if suffix in EDF_SUFFIXES else None
    factors, differing = {}, []
    for name in channels:
        signal = header.signal(name) if header else None
        written = signal.unit if signal else ""
        if header:
            stated, taken = microvolts(written), _KNOWN_TO_MNE.get(written, _VOLT)
        else:
            # EEGLAB's files have no unit; EEGLAB takes them for microvolts, and so does MNE.
            stated, taken = microvolts(unit or "uV"), 1.0
        described = microvolts(rows[name].unit) if name in rows else None
        true = stated or described or microvolts(unit or "")
        if true is None:
            raise ValueError(
                f"the unit of channel {name!r} is {written!r} in the file and not given in "
                f"channels.tsv: say what it is in files that do not, unit: uV"
            )
        if stated and described and stated != described:
            differing.append(name)
        factors[name] = true / taken
    if differing:
        return factors, [f"channels.tsv gives another unit than the file: {listed(differing)}"]
    return factors, []


def scale(
    raw: Any,  # noqa: ANN401 - MNE has no types
    factors: Mapping[str, float],
) -> None:
    """Multiply loaded samples, channel by channel."""
    for name, factor in factors.items():
        if factor != 1:
            raw.apply_function(partial(mul, factor), picks=[name])


def interpolate(
    raw: Any,  # noqa: ANN401 - MNE has no types
    bad: Sequence[str],
    marked: Sequence[str],
) -> None:
    """Replace bad channels, in place, by what the others say of their positions.

    Parameters
    ----------
    raw
        With EEG only, loaded and in volts.
    bad
        Those to replace.
    marked
        All that are bad: none of them is looked at.

    Raises
    ------
    ValueError
        If positions are not known, or too few channels are good.
    """
    import mne

    if raw.get_montage() is None:
        for montage in map(mne.channels.make_standard_montage, _MONTAGES):
            if {name.casefold() for name in bad} <= {name.casefold() for name in montage.ch_names}:
                raw.set_montage(montage, match_case=False, on_missing="ignore")
                break
    placed = {
        channel["ch_name"]
        for channel in raw.info["chs"]
        if np.isfinite(channel["loc"][:3]).all() and channel["loc"][:3].any()
    }
    sources = placed - set(marked)
    if not set(bad) <= placed or len(sources) < _MIN_SOURCES:
        raise ValueError(
            f"channels {listed(bad)} are marked bad and cannot be interpolated, for want of "
            f"positions or of good channels: set bad_channels: drop, or keep"
        )
    raw.pick([name for name in raw.ch_names if name in sources | set(bad)])
    raw.info["bads"] = list(bad)
    raw.interpolate_bads(reset_bads=True)

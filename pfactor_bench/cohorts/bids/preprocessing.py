"""How recordings are prepared: what is asked for, checked before anything is read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from pfactor_bench.cohorts.units import microvolts
from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pfactor_bench.cohorts.bids.task_events import TaskEvents

__all__ = ["BadChannels", "BadSegments", "Preparation", "plan_preparation"]

BadChannels = Literal["interpolate", "drop", "keep"]
BadSegments = Literal["drop", "keep"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Preparation:
    """How every recording is prepared.

    Parameters
    ----------
    channels
        Names in the order wanted; empty takes the EEG channels of the first recording.
    sfreq
        Rate to resample to, in Hz.
    l_freq, h_freq
        Pass band in Hz; None leaves that side open.
    window_samples
        Length of a window at `sfreq`.
    events
        Which stretch of a recording is the task's; None takes all of it.
    bad_channels
        What becomes of a recording with a channel that channels.tsv marks bad.
    bad_segments
        What becomes of segments that are marked ``BAD_``.
    unit
        Of samples where neither their file nor channels.tsv says.
    """

    channels: tuple[str, ...]
    sfreq: float
    l_freq: float | None
    h_freq: float | None
    window_samples: int
    events: TaskEvents | None = None
    bad_channels: BadChannels = "keep"
    bad_segments: BadSegments = "drop"
    unit: str | None = None


def plan_preparation(
    *,
    channels: Sequence[str] | None,
    sfreq: float,
    l_freq: float | None,
    h_freq: float | None,
    window_seconds: float,
    events: TaskEvents | None = None,
    bad_channels: BadChannels = "keep",
    bad_segments: BadSegments = "drop",
    unit: str | None = None,
) -> Preparation:
    """Return a preparation that is possible.

    Parameters
    ----------
    channels, sfreq, l_freq, h_freq, events, bad_channels, bad_segments, unit
        As in `Preparation`.
    window_seconds
        Length of a window.

    Raises
    ------
    CohortError
        Naming the first value that is not.
    """
    _check_channels(channels)
    _check_policies(bad_channels, bad_segments, unit)
    if not 0 < sfreq < math.inf:
        raise CohortError(f"sfreq is {sfreq!r}: a rate in Hz is above 0")
    if not 0 < window_seconds < math.inf:
        raise CohortError(f"window_seconds is {window_seconds!r}: a length in seconds is above 0")
    low, high = l_freq or 0.0, h_freq or sfreq / 2
    if not 0 <= low < high or (h_freq is not None and h_freq >= sfreq / 2):
        raise CohortError(
            f"pass band from l_freq {l_freq!r} to h_freq {h_freq!r} is impossible at {sfreq:g} Hz: "
            f"0 <= l_freq < h_freq < {sfreq / 2:g} is needed"
        )
    samples = round(window_seconds * sfreq)
    if samples < 1 or abs(samples - window_seconds * sfreq) > 1e-6:  # noqa: PLR2004 - rounding
        raise CohortError(
            f"window_seconds {window_seconds!r} is not a whole number of samples at {sfreq:g} Hz"
        )
    return Preparation(
        channels=tuple(channels or ()),
        sfreq=float(sfreq),
        l_freq=l_freq,
        h_freq=h_freq,
        window_samples=samples,
        events=events,
        bad_channels=bad_channels,
        bad_segments=bad_segments,
        unit=unit,
    )


def _check_policies(bad_channels: str, bad_segments: str, unit: str | None) -> None:
    for key, value, known in (
        ("bad_channels", bad_channels, get_args(BadChannels)),
        ("bad_segments", bad_segments, get_args(BadSegments)),
    ):
        if value not in known:
            raise CohortError(f"{key} is {value!r}: give one of {', '.join(known)}")
    if unit is not None and microvolts(unit) is None:
        raise CohortError(f"unit is {unit!r}: give V, mV, uV or nV")


def _check_channels(channels: Sequence[str] | None) -> None:
    if channels is None:
        return
    if isinstance(channels, str):
        raise CohortError(f"channels is {channels!r}: give a list, [{channels}]")
    if not channels:
        raise CohortError("channels is an empty list: name some, or leave it out to take all")
    twice = [name for name in channels if list(channels).count(name) > 1]
    if twice:
        raise CohortError(f"channel {twice[0]!r} stands twice in channels: keep one")

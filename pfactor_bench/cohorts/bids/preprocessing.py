"""How recordings are prepared: what is asked for, checked before anything is read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pfactor_bench.cohorts.bids.task_events import TaskEvents

__all__ = ["Preparation", "plan_preparation"]


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
    """

    channels: tuple[str, ...]
    sfreq: float
    l_freq: float | None
    h_freq: float | None
    window_samples: int
    events: TaskEvents | None = None


def plan_preparation(
    *,
    channels: Sequence[str] | None,
    sfreq: float,
    l_freq: float | None,
    h_freq: float | None,
    window_seconds: float,
    events: TaskEvents | None = None,
) -> Preparation:
    """Return a preparation that is possible.

    Parameters
    ----------
    channels, sfreq, l_freq, h_freq, events
        As in `Preparation`.
    window_seconds
        Length of a window.

    Raises
    ------
    CohortError
        Naming the first value that is not.
    """
    _check_channels(channels)
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
    )


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

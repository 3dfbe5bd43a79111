"""Small drawings for the pages: positions of dots and intervals in a box of fixed size.

A template turns them into SVG. Sizes stand in attributes, never in styles, which a strict content
security policy forbids.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pfactor_bench.publish.site.leaderboard import Standing

#: Twice the train mean's error; how much worse than that a predictor is decides nothing.
_WORST = -1.0


@dataclass(frozen=True, slots=True)
class PixelScale:
    """From values to positions between `start` and `stop`."""

    low: float
    high: float
    start: float
    stop: float

    def at(self, value: float) -> float:
        """Return the position of a value, kept inside."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.stop - self.start), 1)


@dataclass(frozen=True, slots=True)
class Mark:
    """A dot, and where its interval begins and ends; None where there is none."""

    dot: float | None
    low: float | None
    high: float | None


def scale_of(standings: Sequence[Standing], *, start: float, stop: float) -> PixelScale:
    """Return a scale that holds 0 and every interval, cut at twice the train mean's error."""
    values = [0.0]
    for standing in standings:
        values += [v for v in (standing.value, standing.low, standing.high) if v is not None]
    low, high = max(min(values), _WORST), max(*values, 0.1)
    margin = 0.04 * (high - low)
    return PixelScale(low - margin, high + margin, start, stop)


def marks_of(standing: Standing, scale: PixelScale) -> Mark:
    """Return where a value and its interval stand."""

    def at(value: float | None) -> float | None:
        return None if value is None else scale.at(value)

    return Mark(dot=at(standing.value), low=at(standing.low), high=at(standing.high))

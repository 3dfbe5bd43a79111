"""Strips of dots: a row per group, a dot per member, the median marked and written beside it."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from pfactor_bench.report.figures import style

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes

#: Height of a row, in inches.
ROW = 0.34

_HALF_SPREAD = 0.22
_LANES = 5


def draw_strips(
    axes: Axes,
    strips: Sequence[tuple[str, Sequence[float]]],
    *,
    numbers: Callable[[Sequence[float]], str],
) -> None:
    """Draw a dot per value, from 0, and what `numbers` says of a row right of it.

    Parameters
    ----------
    axes
        To draw into.
    strips
        The name of each row and its values, above 0; the first row on top.
    numbers
        Returns a row's numbers in words.
    """
    for row, (_, values) in enumerate(strips):
        # A spread that is the same every time, so that equal values do not hide each other.
        heights = [
            row + _HALF_SPREAD * (number % _LANES / (_LANES - 1) * 2 - 1)
            for number in range(len(values))
        ]
        axes.plot(values, heights, "o", color=style.TRAIN, markersize=4, alpha=0.55, mew=0)
        middle = median(values)
        axes.vlines(middle, row - 0.36, row + 0.36, color=style.HELD_OUT, linewidth=2.2)
        axes.annotate(
            numbers(values),
            (1, row),
            xycoords=("axes fraction", "data"),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            annotation_clip=False,
        )
    axes.set_yticks(range(len(strips)), [name for name, _ in strips])
    axes.set_ylim(len(strips) - 0.5, -0.5)
    axes.set_xlim(left=0, right=1.05 * max(max(values) for _, values in strips))
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)

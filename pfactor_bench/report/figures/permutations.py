"""r under permuting, as a picture: a histogram per regime, with the observed value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.report.facts import metric
from pfactor_bench.report.figures import style
from pfactor_bench.report.figures.sheet import Sheet
from pfactor_bench.report.sections.permutations import permuted
from pfactor_bench.report.text import probability

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from pfactor_bench.records.record import Record
    from pfactor_bench.report.section import Arrays

_ROW = 0.62
_NAMES = 2.3
_NUMBERS = 2.0


def draw(record: Record, arrays: Arrays) -> Sheet | None:
    """Draw r of permuted targets in grey; nothing where the arrays hold no permutations."""
    found = [regime for regime in permuted(record) if f"{regime}/permuted_r" in arrays]
    if not found:
        return None
    sheet = Sheet(
        "Could the correlation be chance?",
        "grey: r after permuting the targets within folds; orange: r observed, mean over seeds",
        plot=_ROW * len(found) + 0.4,
    )
    axes = sheet.axes(_NAMES, right=_NUMBERS)
    for row, regime in enumerate(found):
        _draw_row(axes, record, regime, row, arrays[f"{regime}/permuted_r"])
    axes.set_yticks(
        [row + 0.1 for row in range(len(found))],
        [style.label(regime, limit=28) for regime in found],
    )
    axes.set(ylim=(len(found) - 0.3, -0.75), xlim=(-1.02, 1.02))
    axes.set_xlabel("Pearson's r over held-out subjects")
    axes.axvline(0, color=style.QUIET, linewidth=0.7, zorder=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return sheet


def _draw_row(axes: Axes, record: Record, regime: str, row: int, draws: NDArray[Any]) -> None:
    heights, edges = np.histogram(draws, bins=60, range=(-1, 1))
    base = row + 0.3
    tops = base - 0.75 * heights / max(1, heights.max())
    axes.fill_between(edges[:-1], base, tops, step="post", color="#BDBDBD", linewidth=0)
    observed = metric(record, regime, "pearson_r")
    p = permuted(record)[regime]
    if observed is None or observed.value is None:
        return
    axes.vlines(observed.value, base, row - 0.55, color=style.HELD_OUT, linewidth=2.2)
    axes.annotate(
        f"r = {style.signed(observed.value)}\npermuted as high: {probability(p)}",
        (1, row - 0.1),
        xycoords=("axes fraction", "data"),
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
        annotation_clip=False,
    )

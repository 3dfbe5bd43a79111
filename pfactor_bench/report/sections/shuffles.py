"""The section of a report that sets r beside what shuffled scores give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pfactor_bench.report.facts import metric, regimes, value_of
from pfactor_bench.report.text import count, escape, picture, plain, probability, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from pfactor_bench.records.record import Record

__all__ = ["draw_shuffles", "shuffles_section"]

_ROW = 0.62
_NAMES = 2.3
_NUMBERS = 2.0


def shuffles_section(record: Record) -> str:
    """Return how often unrelated scores would give an r as high; nothing where it is not known."""
    found = _shuffled(record)
    if not found:
        return ""
    rows = [
        [
            escape(regime),
            value_of(metric(record, regime, "pearson_r")),
            probability(p),
        ]
        for regime, p in found.items()
    ]
    headers = ["regime", "r", "shuffles at least as high"]
    plot = picture(
        "shuffles",
        alt=_alt_text(record),
        caption="Grey: r after shuffling the true scores among the people of a fold; the line is "
        "the r that was observed.",
    )
    return "\n\n".join(["## Against chance", plot, table(headers, rows)])


def draw_shuffles(record: Record, arrays: Mapping[str, NDArray[Any]]) -> dict[str, bytes]:
    """Draw r under shuffling, a histogram per regime, with the observed value.

    Returns
    -------
    dict
        ``shuffles.svg`` and ``shuffles.png``; nothing where the record has no shuffles.
    """
    from pfactor_bench.report.figures import style
    from pfactor_bench.report.figures.page import Sheet

    found = [regime for regime in _shuffled(record) if f"{regime}/shuffled_r" in arrays]
    if not found:
        return {}
    with style.house_style():
        sheet = Sheet(
            "Could the correlation be chance?",
            "grey: r after shuffling the scores within folds; orange: r observed, mean over seeds",
            plot=_ROW * len(found) + 0.4,
        )
        axes = sheet.axes(_NAMES, right=_NUMBERS)
        for row, regime in enumerate(found):
            _draw_row(axes, record, regime, row, arrays[f"{regime}/shuffled_r"])
        axes.set_yticks(
            [row + 0.1 for row in range(len(found))],
            [style.label(regime, limit=28) for regime in found],
        )
        axes.set(ylim=(len(found) - 0.3, -0.75), xlim=(-1.02, 1.02))
        axes.set_xlabel("Pearson's r over held-out people")
        axes.axvline(0, color=style.QUIET, linewidth=0.7, zorder=0)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
        return sheet.encode("shuffles", description=_alt_text(record))


def _shuffled(record: Record) -> dict[str, float]:
    return {
        regime: found.value
        for regime in regimes(record)
        if (found := metric(record, regime, "shuffled_r_p")) and found.value is not None
    }


def _draw_row(axes: Axes, record: Record, regime: str, row: int, draws: NDArray[Any]) -> None:
    import numpy as np

    from pfactor_bench.report.figures import style

    heights, edges = np.histogram(draws, bins=60, range=(-1, 1))
    base = row + 0.3
    tops = base - 0.75 * heights / max(1, heights.max())
    axes.fill_between(edges[:-1], base, tops, step="post", color="#BDBDBD", linewidth=0)
    observed = metric(record, regime, "pearson_r")
    p = _shuffled(record)[regime]
    if observed is None or observed.value is None:
        return
    axes.vlines(observed.value, base, row - 0.55, color=style.HELD_OUT, linewidth=2.2)
    axes.annotate(
        f"r = {style.signed(observed.value)}\nshuffled as high: {probability(p)}",
        (1, row - 0.1),
        xycoords=("axes fraction", "data"),
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
        annotation_clip=False,
    )


def _alt_text(record: Record) -> str:
    rows = "; ".join(
        f"{plain(regime)}: r {value_of(metric(record, regime, 'pearson_r'))}, and "
        f"{probability(p)} of shuffles are at least as high"
        for regime, p in _shuffled(record).items()
    )
    return f"r of {count(len(_shuffled(record)), 'regime')} beside r of shuffled scores. {rows}."

"""The baseline comparison as a plot: a dot with its interval for each predictor, the mean at 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.report.facts import BASELINE, held_out_subjects, regimes
from pfactor_bench.report.figures import style
from pfactor_bench.report.figures.sheet import Sheet
from pfactor_bench.report.sections.baseline_comparison import compared_baselines
from pfactor_bench.report.text import count

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from matplotlib.axes import Axes

    from pfactor_bench.records.record import Record
    from pfactor_bench.report.section import Arrays
    from pfactor_bench.types import Measurement

# Inches.
_ABOVE = 0.82
_ROW = 0.27
_BELOW = 0.52
_BESIDE_NAMES = 0.36
_NUMBERS = 2.1
_LETTER = 0.088
_MOST_LETTERS = 34

#: Twice the train mean's error; how much worse than that a predictor is decides nothing.
_WORST = -1.0
_MARGIN = 0.03
_NARROWEST = 0.1


def draw(record: Record, _arrays: Arrays) -> Sheet:
    """Draw the skill of every predictor with its interval, the best on top."""
    baselines = {
        name: skill for name, skill in compared_baselines(record).items() if name != BASELINE
    }
    subjects = count(held_out_subjects(record), "held-out subject", "held-out subjects")
    sheet = Sheet(
        f"Skill on {subjects}",
        _caption(baselines.values()),
        plot=_ROW * len(baselines),
        above=_ABOVE,
        below=_BELOW,
    )
    names = _BESIDE_NAMES + _LETTER * min(max(map(len, baselines)), _MOST_LETTERS)
    axes = sheet.axes(names, right=_NUMBERS)
    _draw_baselines(axes, baselines, emphasised=regimes(record))
    return sheet


def skill_axis(baselines: Iterable[Measurement]) -> tuple[float, float]:
    """Return the ends of an axis that holds 0 and every interval, cut at twice the mean's error."""
    ends = [0.0]
    for baseline in baselines:
        ends += [
            baseline.value or 0.0,
            *((baseline.ci.low, baseline.ci.high) if baseline.ci else ()),
        ]
    low, high = max(min(ends), _WORST), max(ends)
    margin = _MARGIN * max(high - low, _NARROWEST)
    return low - margin, high + margin


def _caption(baselines: Iterable[Measurement]) -> str:
    levels = sorted({f"{baseline.ci.level:.0%}" for baseline in baselines if baseline.ci})
    bars = f"bar: {' or '.join(levels)} interval over subjects; " if levels else ""
    return f"dot: skill score, 1 − MSE / MSE of the training mean; {bars}bold: this suite's regimes"


def _draw_baselines(
    axes: Axes, baselines: Mapping[str, Measurement], *, emphasised: Collection[str]
) -> None:
    low, high = skill_axis(baselines.values())
    axes.set(xlim=(low, high), ylim=(-0.5, len(baselines) - 0.5))
    axes.axvline(0, **style.DASHED, zorder=1)
    axes.annotate(
        "train mean",
        (0, 1),
        xycoords=("data", "axes fraction"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        annotation_clip=False,
    )
    names = [style.label(name, limit=_MOST_LETTERS) for name in baselines]
    ticks = axes.set_yticks(range(len(baselines)), names)
    for row, (name, baseline, tick) in enumerate(
        zip(baselines, baselines.values(), ticks, strict=True)
    ):
        strong = name in emphasised
        if strong:
            tick.label1.set(weight="bold", color=style.HELD_OUT)
        _draw_baseline(axes, row, baseline, strong=strong)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0, pad=9)
    axes.tick_params(axis="x", length=3)
    axes.set_xlabel("skill  (0: as wrong as the train mean, 1: never wrong)")


def _draw_baseline(axes: Axes, row: int, baseline: Measurement, *, strong: bool) -> None:
    color = style.HELD_OUT if strong else style.QUIET
    value = baseline.value or 0.0
    low, _ = axes.get_xlim()
    ends = (baseline.ci.low, baseline.ci.high) if baseline.ci else (value, value)
    axes.axhline(row, color="#EBEBEB", linewidth=0.7, zorder=0)
    axes.hlines(
        row,
        max(ends[0], low),
        max(ends[1], low),
        color=color,
        linewidth=2.4 if strong else 1.4,
        zorder=2,
    )
    if value >= low:
        axes.plot(
            value,
            row,
            marker="o",
            color=color,
            markersize=7.5 if strong else 5.5,
            markeredgecolor="white",
            markeredgewidth=0.7,
            zorder=3,
        )
    if ends[0] < low:
        axes.plot(low, row, marker="<", color=color, markersize=6, clip_on=False, gid="beyond-low")
    _write_numbers(axes, row, baseline, strong=strong)


def _write_numbers(axes: Axes, row: int, baseline: Measurement, *, strong: bool) -> None:
    axes.annotate(
        _numbers(baseline),
        (1, row),
        xycoords=("axes fraction", "data"),
        xytext=(10, 0),
        textcoords="offset points",
        va="center",
        color=style.HELD_OUT if strong else style.INK,
        weight="bold" if strong else "normal",
        annotation_clip=False,
    )


def _numbers(baseline: Measurement) -> str:
    value = style.signed(baseline.value or 0.0)
    if baseline.ci is None:
        return f"{value}  no interval"
    return f"{value}  [{style.signed(baseline.ci.low)}, {style.signed(baseline.ci.high)}]"

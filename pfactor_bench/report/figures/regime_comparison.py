"""Regimes beside each other, as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pfactor_bench.report.facts import held_out_subjects, metric, regimes
from pfactor_bench.report.figures import style
from pfactor_bench.report.figures.sheet import Drawing
from pfactor_bench.report.text import count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from pfactor_bench.records.record import Record
    from pfactor_bench.report.section import Arrays

# Inches. As wide as the other figures of a report, so that points are points in all.
_WIDTH = 10.4
_ABOVE = 0.86
_ROW = 0.42
_SHORTEST = 2.2
_BELOW = 0.62
_NAMES = 2.3
_LEFT = 0.12
_TITLE = 11

# Of the legend of seeds: where a mark would stand before its first word, a mark with the gaps
# beside it, a digit, and the words around the row.
_INDENT = 0.15
_MARK = 0.32
_DIGIT = 0.08
_WORDS = 1.3

#: Ticks of skill are far enough apart for a number with its sign and three decimals.
_TICKS: dict[str, Any] = {"nbins": 6, "steps": [1, 2, 2.5, 5, 10]}
_SKILL_LABEL = 0.56

#: How far apart the first and the last seed of a regime stand, in rows.
_SPREAD = 0.9

_CAPTIONS = (
    ("Every seed", "dot: a seed; bar: interval over subjects of their mean; dashed: train mean"),
    ("Trained parameters", "dot: mean over seeds; bar: interval over subjects"),
)

_MARKER: dict[str, Any] = {
    "markersize": 5.5,
    "markeredgecolor": "white",
    "markeredgewidth": 0.6,
    "zorder": 3,
}


def draw(record: Record, _arrays: Arrays) -> Drawing:
    """Draw every regime's skill, seed by seed, and against the parameters that it trains."""
    from matplotlib.figure import Figure

    found = regimes(record)
    plot = max(_SHORTEST, _ROW * len(found))
    height = _ABOVE + plot + _BELOW
    width = (_WIDTH - _NAMES - 1.3) / 2
    lefts = (_NAMES, _NAMES + width + 0.8)
    figure = Figure(figsize=(_WIDTH, height))
    axes = [
        figure.add_axes((left / _WIDTH, _BELOW / height, width / _WIDTH, plot / height))
        for left in lefts
    ]
    for left, (title, caption) in zip((_LEFT, lefts[1]), _CAPTIONS, strict=True):
        x = left / _WIDTH
        figure.text(x, 1 - 0.1 / height, title, va="top", size=_TITLE, weight="bold")
        figure.text(x, 1 - 0.34 / height, caption, va="top")
    _draw_seeds(axes[0], record, found)
    _draw_parameters(axes[1], record, found)
    subjects = count(held_out_subjects(record), "held-out subject", "held-out subjects")
    return Drawing(figure, f"Skill on {subjects}, by regime")


def _draw_seeds(
    axes: Axes, record: Record, found: Mapping[str, Sequence[Mapping[str, Any]]]
) -> None:
    from matplotlib.ticker import MaxNLocator

    seeds = list(dict.fromkeys(case["seed"] for cases in found.values() for case in cases))
    axes.axvline(0, **style.DASHED, zorder=1)
    for row, (regime, cases) in enumerate(found.items()):
        skill = metric(record, regime, "skill")
        if skill is not None and skill.ci is not None:
            axes.hlines(row, skill.ci.low, skill.ci.high, color=style.QUIET, linewidth=2, zorder=2)
        for number, case in enumerate(cases):
            one = metric(record, case["id"], "skill")
            if one is not None and one.value is not None:
                axes.plot(
                    one.value,
                    row + _SPREAD * ((number + 1) / (len(cases) + 1) - 0.5),
                    **_look_of(seeds.index(case["seed"])),
                )
    axes.set_yticks(range(len(found)), [style.label(regime, limit=30) for regime in found])
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.xaxis.set_major_locator(MaxNLocator(**_TICKS))
    axes.set_xlabel("skill, held-out subjects")
    style.quiet_frame(axes)
    _name_seeds(axes, seeds)


def _look_of(number: int) -> dict[str, Any]:
    return {
        "marker": style.SEED_MARKERS[number % len(style.SEED_MARKERS)],
        "color": style.SEED_COLORS[number % len(style.SEED_COLORS)],
        "linestyle": "none",
        **_MARKER,
    }


def _name_seeds(axes: Axes, seeds: Sequence[int]) -> None:
    """Say in a row above the axes, where no data can be covered, which mark is which seed."""
    from matplotlib.lines import Line2D

    width, height = style.inches(axes)
    room = _NAMES - _LEFT + width - _WORDS
    n_shown = max(1, int(room / (_MARK + _DIGIT * max(len(str(seed)) for seed in seeds))))
    marks = [Line2D([], [], **_look_of(number)) for number in range(len(seeds))][:n_shown]
    names = [str(seed) for seed in seeds][:n_shown]
    if len(seeds) > n_shown:
        names[-1] += f" and {len(seeds) - n_shown} more"
    axes.legend(
        [Line2D([], [], linestyle="none"), *marks],
        ["seed", *names],
        loc="lower left",
        bbox_to_anchor=((_LEFT - _INDENT - _NAMES) / width, 1 + 0.08 / height),
        ncols=1 + len(marks),
        frameon=False,
        borderpad=0,
        borderaxespad=0,
        handlelength=1,
        handletextpad=0.2,
        columnspacing=0.9,
    )


def _draw_parameters(
    axes: Axes, record: Record, found: Mapping[str, Sequence[Mapping[str, Any]]]
) -> None:
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, StrMethodFormatter

    axes.axhline(0, **style.DASHED, zorder=1)
    for number, (regime, cases) in enumerate(found.items()):
        skill = metric(record, regime, "skill")
        if skill is None or skill.value is None:
            continue
        n_trainable = cases[0]["n_trainable"]
        if skill.ci is not None:
            axes.vlines(n_trainable, skill.ci.low, skill.ci.high, color=style.QUIET, zorder=2)
        axes.plot(
            n_trainable,
            skill.value,
            linestyle="none",
            marker=style.SEED_MARKERS[number % len(style.SEED_MARKERS)],
            color=style.INK,
            label=style.label(regime, limit=30),
            **_MARKER,
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(numticks=6))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.margins(x=0.15)
    axes.set_xlabel("parameters trained")
    axes.yaxis.set_major_locator(MaxNLocator(**_TICKS))
    axes.set_ylabel("skill")
    style.quiet_frame(axes)
    axes.yaxis.set_label_coords(-_SKILL_LABEL / style.inches(axes)[0], 0.5)
    axes.legend(frameon=False, loc="best", handletextpad=0.2)

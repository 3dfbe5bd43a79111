"""What each source adds to the standard error, as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.report.figures import style
from pfactor_bench.report.figures.sheet import Sheet
from pfactor_bench.report.sections.variance_components import parts_of_error, source_of

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record
    from pfactor_bench.report.section import Arrays

_ROW = 0.4
_SHORTEST = 0.9
_APART = 0.16
_NAMES = 2.6
_LEGEND = 1.6


def draw(record: Record, _arrays: Arrays) -> Sheet:
    """Draw what each source adds to the standard error of the mean squared error."""
    by_source: dict[str, list[tuple[int, float]]] = {}
    names = list(dict.fromkeys(regime for regime, _ in parts_of_error(record)))
    for regime, found in parts_of_error(record):
        # A source that is known nowhere keeps its place, so that marks mean the same everywhere.
        points = by_source.setdefault(source_of(found), [])
        if found.value is not None:
            points.append((names.index(regime), found.value))
    sheet = Sheet(
        "Where the uncertainty comes from",
        "standard error that each source alone adds to the mean squared error over subjects",
        plot=max(_ROW * len(names), _SHORTEST),
    )
    axes = sheet.axes(_NAMES, right=_LEGEND)
    for row in range(len(names)):
        axes.axhline(row, color="#EBEBEB", linewidth=0.7, zorder=0)
    for number, (source, points) in enumerate(by_source.items()):
        if not points:
            continue
        axes.plot(
            [value for _, value in points],
            # A little apart, so that equal values do not hide each other.
            [row + _APART * (number - (len(by_source) - 1) / 2) for row, _ in points],
            linestyle="none",
            marker=style.SEED_MARKERS[number % len(style.SEED_MARKERS)],
            color=style.SEED_COLORS[number % len(style.SEED_COLORS)],
            markersize=7,
            markeredgecolor="white",
            markeredgewidth=0.6,
            label=style.label(source),
            clip_on=False,
        )
    axes.set_yticks(range(len(names)), [style.label(name, limit=26) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.set_xlabel(f"standard error ({style.label(record.cohort['target'])}²)")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5), handletextpad=0.2)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0, pad=9)
    return sheet

"""Where the uncertainty of the error comes from: people, seeds, folds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.report.facts import regimes, value_of
from pfactor_bench.report.text import escape, picture, plain, table

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record
    from pfactor_bench.types import Measurement

__all__ = ["draw_spread", "spread_is_drawn", "spread_section"]

_HOW_TO_READ = (
    "Of the mean squared error over people, by analysis of variance. People × seed is what a seed "
    "changes for one person and not for the next: more people make it smaller, too. A source whose "
    "estimate lies below 0 is given as 0.000; with few people or seeds a large source may look "
    "like none, and these numbers are no reason to do with fewer of either."
)
_ROW = 0.4
_SHORTEST = 0.9
_APART = 0.16
_NAMES = 2.6
_LEGEND = 1.6


def spread_section(record: Record) -> str:
    """Return what people, seeds and folds each add to the uncertainty of the error."""
    parts = _parts(record)
    if not parts:
        return ""
    rows = [
        [
            escape(regime),
            escape(_source(found)),
            value_of(found),
            escape(found.missing_because or ""),
        ]
        for regime, found in parts
    ]
    headers = ["regime", "source", "standard error it adds", ""]
    section = ["## Where the uncertainty comes from"]
    if spread_is_drawn(record):
        caption = "What each source alone adds to the standard error."
        section.append(picture("spread", alt=_alt_text(record), caption=caption))
    section += [
        table(headers, rows),
        _HOW_TO_READ,
    ]
    return "\n\n".join(section)


def spread_is_drawn(record: Record) -> bool:
    """Return whether any source has a value."""
    return any(found.value is not None for _, found in _parts(record))


def draw_spread(record: Record) -> dict[str, bytes]:
    """Draw what each source adds to the standard error of the mean squared error.

    Returns
    -------
    dict
        ``spread.svg`` and ``spread.png``; nothing where nothing is known.
    """
    from pfactor_bench.report.figures import style
    from pfactor_bench.report.figures.page import Sheet

    if not spread_is_drawn(record):
        return {}
    by_source: dict[str, list[tuple[int, float]]] = {}
    names = list(dict.fromkeys(regime for regime, _ in _parts(record)))
    for regime, found in _parts(record):
        # A source that is known nowhere keeps its place, so that marks mean the same everywhere.
        points = by_source.setdefault(_source(found), [])
        if found.value is not None:
            points.append((names.index(regime), found.value))
    with style.house_style():
        sheet = Sheet(
            "Where the uncertainty comes from",
            "standard error that each source alone adds to the mean squared error over people",
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
        return sheet.encode("spread", description=_alt_text(record))


def _parts(record: Record) -> list[tuple[str, Measurement]]:
    return [
        (regime, found)
        for regime in regimes(record)
        for found in record.measurements
        if found.name.startswith(f"{regime}/spread/")
    ]


def _source(found: Measurement) -> str:
    return found.name.rpartition("/")[2]


def _alt_text(record: Record) -> str:
    known = [(regime, found) for regime, found in _parts(record) if found.value is not None]
    rows = "; ".join(
        f"{plain(regime)}, {plain(_source(found))} {value_of(found)}" for regime, found in known
    )
    regime, most = max(known, key=lambda part: part[1].value or 0.0)
    return (
        f"Standard error of the mean squared error by source. The most comes from "
        f"{plain(_source(most))} in {plain(regime)}. {rows}."
    )

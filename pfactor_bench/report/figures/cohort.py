"""Whose targets: the overview of the cohort as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.report.facts import subjects_of
from pfactor_bench.report.figures import style
from pfactor_bench.report.figures.sheet import Sheet
from pfactor_bench.report.text import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from pfactor_bench.records.record import Record
    from pfactor_bench.report.section import Arrays

_MOST_BINS = 12


def draw(record: Record, _arrays: Arrays) -> Sheet | None:
    """Draw every subject's target, held-out subjects marked, and how many windows subjects have."""
    subjects = subjects_of(record)
    if subjects is None:
        return None
    held_out = {name for fold in record.split["folds"] for name in fold["test_subjects"]}
    by_side: dict[bool, list[float]] = {True: [], False: []}
    for name, target in zip(subjects["subjects"], subjects["targets"], strict=True):
        by_side[name in held_out].append(target)
    sheet = Sheet(
        f"{style.label(record.cohort['name'], limit=40)}: "
        f"{count(len(subjects['subjects']), 'subject', 'subjects')}",
        "orange: held out in some fold; blue: only trained on; dashed: mean over subjects",
        plot=1.7,
    )
    targets = sheet.axes(0.7, right=0.3, until=6.6)
    bins = min(30, max(6, round(len(subjects["targets"]) ** 0.5) * 2))
    targets.hist(
        [by_side[True], by_side[False]],
        bins=bins,
        stacked=True,
        color=[style.HELD_OUT, style.TRAIN],
        edgecolor="white",
        linewidth=0.5,
    )
    targets.axvline(record.cohort["target_mean"], **style.DASHED)
    targets.set(xlabel=style.label(record.cohort["target"]), ylabel="subjects")
    windows = sheet.axes(7.3)
    _draw_windows(windows, subjects["n_windows"])
    windows.set(xlabel="windows of a subject", ylabel="subjects")
    for axes in (targets, windows):
        _whole_subjects(axes)
        style.quiet_frame(axes)
    return sheet


def _draw_windows(axes: Axes, n_windows: Sequence[int]) -> None:
    from matplotlib.ticker import MaxNLocator

    low, high = min(n_windows), max(n_windows)
    bins = min(_MOST_BINS, high - low + 1)
    axes.hist(n_windows, bins=bins, range=(low - 0.5, high + 0.5), color=style.QUIET, ec="white")
    # Room on either side, so that one bar does not fill the panel.
    margin = max(0.5, (8 - (high - low)) / 2)
    axes.set_xlim(low - margin, high + margin)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))


def _whole_subjects(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))

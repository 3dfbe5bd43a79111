"""Who is where, and whose scores: the split diagram and the overview of the cohort."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pfactor_bench.report.figures import style
from pfactor_bench.report.figures.page import Sheet
from pfactor_bench.report.sections.people import cohort_alt_text, people_of, split_alt_text
from pfactor_bench.report.text import count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from pfactor_bench.records.record import Record

__all__ = ["draw_cohort", "draw_split"]

_ROW = 0.26
_MOST_NAMES = 36
_MOST_FOLD_NAMES = 12
_MOST_BINS = 12
_NEITHER, _TRAINED, _HELD_OUT, _BOTH = range(4)
_COLORS = ("#F2F2F2", "#A9CCE3", style.HELD_OUT, "#000000")


def draw_split(record: Record) -> dict[str, bytes]:
    """Draw a column per person and a row per fold, coloured by which side the person is on.

    Returns
    -------
    dict
        ``split.svg`` and ``split.png``: the same bytes for the same record.
    """
    from matplotlib.colors import ListedColormap

    folds = record.split["folds"]
    people = _everybody(record)
    sides = [[_side(fold, name) for name in people] for fold in folds]
    named = len(people) <= _MOST_NAMES
    with style.house_style():
        sheet = Sheet(
            f"Who is held out: {count(len(people), 'person', 'people')}, "
            f"{count(len(folds), 'fold')}",
            "blue: trained on; orange: held out; grey: in neither; black: on both sides, a leak",
            plot=min(_ROW * len(folds), 4) + 0.1,
            below=0.75 if named else 0.5,
        )
        axes = sheet.axes(1.1)
        # Colours by number; cells of one size, so that an image of one pixel per cell will do.
        axes.imshow(
            sides,
            cmap=ListedColormap(_COLORS),
            vmin=0,
            vmax=len(_COLORS) - 1,
            aspect="auto",
            interpolation="nearest",
        )
        _label_split(axes, folds, people, named=named)
        return sheet.encode("split", description=split_alt_text(record))


def draw_cohort(record: Record) -> dict[str, bytes]:
    """Draw everybody's score, held-out people marked, and how many windows people have.

    Returns
    -------
    dict
        ``cohort.svg`` and ``cohort.png``; nothing where the record does not hold everybody.
    """
    people = people_of(record)
    if people is None:
        return {}
    held_out = {name for fold in record.split["folds"] for name in fold["test_subjects"]}
    by_side: dict[bool, list[float]] = {True: [], False: []}
    for name, score in zip(people["subjects"], people["scores"], strict=True):
        by_side[name in held_out].append(score)
    with style.house_style():
        sheet = Sheet(
            f"{style.label(record.cohort['name'], limit=40)}: "
            f"{count(len(people['subjects']), 'person', 'people')}",
            "orange: held out in some fold; blue: only trained on; dashed: mean over people",
            plot=1.7,
        )
        scores = sheet.axes(0.7, right=0.3, until=6.6)
        bins = min(30, max(6, round(len(people["scores"]) ** 0.5) * 2))
        scores.hist(
            [by_side[True], by_side[False]],
            bins=bins,
            stacked=True,
            color=[style.HELD_OUT, style.TRAIN],
            edgecolor="white",
            linewidth=0.5,
        )
        scores.axvline(record.cohort["score_mean"], **style.DASHED)
        scores.set(xlabel=style.label(record.cohort["target"]), ylabel="people")
        windows = sheet.axes(7.3)
        _draw_windows(windows, people["n_windows"])
        windows.set(xlabel="windows of a person", ylabel="people")
        for axes in (scores, windows):
            _whole_people(axes)
            style.quiet_frame(axes)
        return sheet.encode("cohort", description=cohort_alt_text(record))


def _draw_windows(axes: Axes, n_windows: Sequence[int]) -> None:
    from matplotlib.ticker import MaxNLocator

    low, high = min(n_windows), max(n_windows)
    bins = min(_MOST_BINS, high - low + 1)
    axes.hist(n_windows, bins=bins, range=(low - 0.5, high + 0.5), color=style.QUIET, ec="white")
    # Room on either side, so that one bar does not fill the panel.
    margin = max(0.5, (8 - (high - low)) / 2)
    axes.set_xlim(low - margin, high + margin)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))


def _everybody(record: Record) -> list[str]:
    """Return everybody's name, those held out together side by side."""
    order: dict[str, None] = {}
    for side in ("test_subjects", "train_subjects"):
        for fold in record.split["folds"]:
            order.update(dict.fromkeys(fold[side]))
    known = people_of(record)
    order.update(dict.fromkeys(known["subjects"] if known else ()))
    return list(order)


def _side(fold: Mapping[str, Any], name: str) -> int:
    trained, held_out = name in fold["train_subjects"], name in fold["test_subjects"]
    if trained and held_out:
        return _BOTH
    return _TRAINED if trained else _HELD_OUT if held_out else _NEITHER


def _label_split(
    axes: Axes, folds: Sequence[Mapping[str, Any]], people: list[str], *, named: bool
) -> None:
    step = -(-len(folds) // _MOST_FOLD_NAMES)
    shown = range(0, len(folds), step)
    axes.set_yticks(list(shown), [style.label(folds[row]["name"], limit=12) for row in shown])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if named:
        between: dict[str, Any] = {"colors": "white", "linewidth": 1.5}
        axes.vlines([column - 0.5 for column in range(1, len(people))], *axes.get_ylim(), **between)
        axes.hlines([row - 0.5 for row in range(1, len(folds))], *axes.get_xlim(), **between)
        axes.set_xticks(range(len(people)), [style.label(name, limit=10) for name in people])
        axes.tick_params(axis="x", labelrotation=60 if len(people) > 12 else 0)  # noqa: PLR2004
    else:
        axes.set_xticks([])
        axes.set_xlabel(f"{len(people):,} people")


def _whole_people(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))

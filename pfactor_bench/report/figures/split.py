"""Who is where: the split as a diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pfactor_bench.report.facts import subjects_of
from pfactor_bench.report.figures import style
from pfactor_bench.report.figures.sheet import Sheet
from pfactor_bench.report.text import count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from pfactor_bench.records.record import Record
    from pfactor_bench.report.section import Arrays

_ROW = 0.26
_MOST_NAMES = 36
_MOST_FOLD_NAMES = 12
_NEITHER, _TRAINED, _HELD_OUT, _BOTH = range(4)
_COLORS = ("#F2F2F2", "#A9CCE3", style.HELD_OUT, "#000000")


def draw(record: Record, _arrays: Arrays) -> Sheet:
    """Draw a column per subject and a row per fold, coloured by which side the subject is on."""
    from matplotlib.colors import ListedColormap

    folds = record.split["folds"]
    subjects = _all_subjects(record)
    sides = [[_side(fold, name) for name in subjects] for fold in folds]
    named = len(subjects) <= _MOST_NAMES
    sheet = Sheet(
        f"Who is held out: {count(len(subjects), 'subject', 'subjects')}, "
        f"{count(len(folds), 'fold')}",
        "blue: trained on; orange: held out; grey: in neither; black: in train and test, a leak",
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
    _label_split(axes, folds, subjects, named=named)
    return sheet


def _all_subjects(record: Record) -> list[str]:
    """Return every subject's name, those held out together side by side."""
    order: dict[str, None] = {}
    for side in ("test_subjects", "train_subjects"):
        for fold in record.split["folds"]:
            order.update(dict.fromkeys(fold[side]))
    known = subjects_of(record)
    order.update(dict.fromkeys(known["subjects"] if known else ()))
    return list(order)


def _side(fold: Mapping[str, Any], name: str) -> int:
    trained, held_out = name in fold["train_subjects"], name in fold["test_subjects"]
    if trained and held_out:
        return _BOTH
    return _TRAINED if trained else _HELD_OUT if held_out else _NEITHER


def _label_split(
    axes: Axes, folds: Sequence[Mapping[str, Any]], subjects: list[str], *, named: bool
) -> None:
    step = -(-len(folds) // _MOST_FOLD_NAMES)
    shown = range(0, len(folds), step)
    axes.set_yticks(list(shown), [style.label(folds[row]["name"], limit=12) for row in shown])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if named:
        between: dict[str, Any] = {"colors": "white", "linewidth": 1.5}
        axes.vlines(
            [column - 0.5 for column in range(1, len(subjects))], *axes.get_ylim(), **between
        )
        axes.hlines([row - 0.5 for row in range(1, len(folds))], *axes.get_xlim(), **between)
        axes.set_xticks(range(len(subjects)), [style.label(name, limit=10) for name in subjects])
        axes.tick_params(axis="x", labelrotation=60 if len(subjects) > 12 else 0)  # noqa: PLR2004
    else:
        axes.set_xticks([])
        axes.set_xlabel(f"{len(subjects):,} subjects")

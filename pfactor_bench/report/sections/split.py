"""Who was trained on and who was held out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pfactor_bench.report.section import Figure, Section
from pfactor_bench.report.text import count, md, name_list, plain, table

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record
    from pfactor_bench.report.text import Markdown

_MOST_FOLDS = 6


def _text(record: Record) -> list[Markdown]:
    folds = record.split["folds"]
    rows = [
        [
            fold["name"],
            f"{len(fold['train_subjects']):,}",
            f"{fold['n_train_windows']:,}",
            f"{len(fold['test_subjects']):,}",
            f"{fold['n_test_windows']:,}",
            name_list(fold["test_subjects"]),
        ]
        for fold in folds
    ]
    headers = [
        "fold",
        "subjects trained on",
        "their windows",
        "subjects held out",
        "their windows",
        "who is held out",
    ]
    how = md("By {}: {}.", record.split["name"], count(len(folds), "fold"))
    return [
        how,
        FIGURE.shown(record, "A column per subject, a row per fold."),
        table(headers, rows),
    ]


def _alt_text(record: Record) -> str:
    """Return what the diagram shows, for a reader who cannot see it; plain text, not escaped."""
    folds = record.split["folds"]
    shown = "; ".join(
        f"{plain(fold['name'])} trains on "
        f"{count(len(fold['train_subjects']), 'subject', 'subjects')} and holds out "
        f"{len(fold['test_subjects']):,}"
        for fold in folds[:_MOST_FOLDS]
    )
    left = len(folds) - _MOST_FOLDS
    more = f"; and {left:,} more folds" if left > 0 else ""
    return f"Who is trained on and who is held out: {shown}{more}. {_overlap(record)}"


def _overlap(record: Record) -> str:
    folds = record.split["folds"]
    both = {name for fold in folds for name in {*fold["train_subjects"]} & {*fold["test_subjects"]}}
    if both:
        return f"{count(len(both), 'subject stands', 'subjects stand')} in train and test."
    often = Counter(name for fold in folds for name in fold["test_subjects"])
    most = max(often.values(), default=0)
    return "Nobody is in train and test" + (
        ", and nobody is held out twice." if most <= 1 else f"; some are held out {most} times."
    )


FIGURE = Figure(file="split", module="split", alt=_alt_text)
SECTION = Section(order=150, heading="Split", text=_text, figure=FIGURE)

"""Regimes and models beside each other: every seed, and skill against parameters trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pfactor_bench.report.facts import (
    held_out_people,
    metric,
    regimes,
    value_of,
    value_with_interval,
)
from pfactor_bench.report.text import count, escape, picture, plain, table

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record
    from pfactor_bench.types import Measurement

__all__ = ["comparison_is_drawn", "comparison_section"]

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

_ENDING = "/skill_difference"
_DIFFERENCES = (
    "Each person's squared error from scratch less theirs from that start, in shares of the train "
    "mean's. The first interval is over people with these seeds."
)
_OVER = {
    "seed": "That over seeds is for these people.",
    "fold": (
        "That over folds is the corrected resampled t interval of Nadeau and Bengio (2003), which "
        "allows for the training people that folds share."
    ),
}
_CAPTIONS = (
    ("Every seed", "dot: a seed; bar: interval over people of their mean; dashed: train mean"),
    ("Trained parameters", "dot: mean over seeds; bar: interval over people"),
)

_MARKER: dict[str, Any] = {
    "markersize": 5.5,
    "markeredgecolor": "white",
    "markeredgewidth": 0.6,
    "zorder": 3,
}


def comparison_is_drawn(record: Record) -> bool:
    """Return whether there is more than one regime or model to set beside another."""
    return len(regimes(record)) > 1


def comparison_section(record: Record) -> str:
    """Return what every start adds to training from scratch, and the figure of all regimes."""
    if not comparison_is_drawn(record):
        return ""
    figure = picture(
        "comparison",
        alt=_alt_text(record),
        caption="Left: a dot per seed, and the interval over people of their mean. Right: the same "
        "mean against how many parameters were trained.",
    )
    return "\n\n".join(["## Regimes compared", *_differences(record), figure])


def _differences(record: Record) -> list[str]:
    """Return the table of paired differences and what it means; nothing without any."""
    pooled = [
        found
        for found in record.measurements
        if found.name.endswith(_ENDING) and "/seed-" not in found.name
    ]
    if not pooled:
        return []
    columns = ["seed"]
    if any(metric(record, found.case, "fold_skill_difference") for found in pooled):
        columns.append("fold")
    rows = [
        [
            escape(found.case),
            value_with_interval(found),
            *(
                value_with_interval(metric(record, found.case, f"{column}_skill_difference"))
                for column in columns
            ),
            " / ".join(value_of(one) for one in _by_seed(record, found.case)),
        ]
        for found in pooled
    ]
    headers = [
        "comparison",
        "skill added, over people",
        *(f"the same, over {column}s" for column in columns),
        "each seed",
    ]
    explanation = " ".join([_DIFFERENCES, *(_OVER[column] for column in columns)])
    return [table(headers, rows), explanation]


def _by_seed(record: Record, comparison: str) -> list[Measurement]:
    start = f"{comparison}/seed-"
    return [
        found
        for found in record.measurements
        if found.name.startswith(start) and found.name.endswith(_ENDING)
    ]


def _alt_text(record: Record) -> str:
    skills = "; ".join(
        f"{plain(regime)} {value_with_interval(metric(record, regime, 'skill'))} with "
        f"{count(cases[0]['n_trainable'], 'trained parameter')}"
        for regime, cases in regimes(record).items()
    )
    return f"Skill on {_people(record)} by regime: {skills}."


def _people(record: Record) -> str:
    return count(held_out_people(record), "held-out person", "held-out people")

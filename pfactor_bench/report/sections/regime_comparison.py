"""Regimes and models beside each other: every seed, and skill against parameters trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.report.facts import (
    held_out_subjects,
    metric,
    regimes,
    value_of,
    value_with_interval,
)
from pfactor_bench.report.section import Figure, Section
from pfactor_bench.report.text import count, joined, md, plain, table

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record
    from pfactor_bench.report.text import Markdown
    from pfactor_bench.types import Measurement

_CAPTION = (
    "Left: a dot per seed, and the interval over subjects of their mean. Right: the same mean "
    "against how many parameters were trained."
)

_ENDING = "/skill_difference"
_DIFFERENCES = md(
    "Each subject's squared error from scratch less theirs from that start, in shares of the train "
    "mean's. The first interval is over subjects with these seeds."
)
_OVER = {
    "seed": md("That over seeds is for these subjects."),
    "fold": md(
        "That over folds is the corrected resampled t interval of Nadeau and Bengio (2003), which "
        "allows for the training subjects that folds share."
    ),
}


def several_regimes(record: Record) -> bool:
    """Return whether there is more than one regime or model to set beside another."""
    return len(regimes(record)) > 1


def _text(record: Record) -> list[Markdown]:
    return [*_differences(record), FIGURE.shown(record, _CAPTION)]


def _differences(record: Record) -> list[Markdown]:
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
            found.case,
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
        "skill added, over subjects",
        *(f"the same, over {column}s" for column in columns),
        "each seed",
    ]
    return [table(headers, rows), joined(" ", [_DIFFERENCES, *map(_OVER.__getitem__, columns)])]


def _by_seed(record: Record, comparison: str) -> list[Measurement]:
    start = f"{comparison}/seed-"
    return [
        found
        for found in record.measurements
        if found.name.startswith(start) and found.name.endswith(_ENDING)
    ]


def _alt_text(record: Record) -> str:
    subjects = count(held_out_subjects(record), "held-out subject", "held-out subjects")
    skills = "; ".join(
        f"{plain(regime)} {value_with_interval(metric(record, regime, 'skill'))} with "
        f"{count(cases[0]['n_trainable'], 'trained parameter')}"
        for regime, cases in regimes(record).items()
    )
    return f"Skill on {subjects} by regime: {skills}."


FIGURE = Figure(
    file="comparison", module="regime_comparison", alt=_alt_text, is_drawn=several_regimes
)
SECTION = Section(
    order=120, heading="Regimes compared", text=_text, is_shown=several_regimes, figure=FIGURE
)

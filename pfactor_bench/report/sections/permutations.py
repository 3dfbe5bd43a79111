"""r beside what shuffled scores give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.report.facts import metric, regimes, value_of
from pfactor_bench.report.section import Figure, Section
from pfactor_bench.report.text import count, plain, probability, table

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record
    from pfactor_bench.report.text import Markdown

__all__ = ["FIGURE", "SECTION", "shuffled"]

_CAPTION = (
    "Grey: r after shuffling the true scores among the people of a fold; the line is the r that "
    "was observed."
)


def shuffled(record: Record) -> dict[str, float]:
    """Return the share of shuffles with an r at least as high, for each regime that has one."""
    return {
        regime: found.value
        for regime in regimes(record)
        if (found := metric(record, regime, "shuffled_r_p")) and found.value is not None
    }


def _is_shown(record: Record) -> bool:
    return bool(shuffled(record))


def _text(record: Record) -> list[Markdown]:
    rows = [
        [regime, value_of(metric(record, regime, "pearson_r")), probability(p)]
        for regime, p in shuffled(record).items()
    ]
    return [
        FIGURE.shown(record, _CAPTION),
        table(["regime", "r", "shuffles at least as high"], rows),
    ]


def _alt_text(record: Record) -> str:
    rows = "; ".join(
        f"{plain(regime)}: r {value_of(metric(record, regime, 'pearson_r'))}, and "
        f"{probability(p)} of shuffles are at least as high"
        for regime, p in shuffled(record).items()
    )
    return f"r of {count(len(shuffled(record)), 'regime')} beside r of shuffled scores. {rows}."


FIGURE = Figure(
    file="shuffles",
    module="permutations",
    alt=_alt_text,
    is_drawn=_is_shown,
)
SECTION = Section(order=80, heading="Against chance", text=_text, is_shown=_is_shown, figure=FIGURE)

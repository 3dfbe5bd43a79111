"""r beside what permuted targets give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.report.facts import metric, regimes, value_of
from pfactor_bench.report.section import Figure, Section
from pfactor_bench.report.text import count, md, plain, probability, table

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record
    from pfactor_bench.report.text import Markdown

_CAPTION = (
    "Grey: r after permuting the targets among the subjects of a fold; the line is the r that was "
    "observed."
)
_NO_TEST = md(
    "The predictions stayed as they are, and no model was trained on permuted targets: this "
    "describes, and is no test. `pfactor-bench permute` trains anew."
)


def permuted(record: Record) -> dict[str, float]:
    """Return the share of permutations with an r at least as high, for each regime that has one."""
    return {
        regime: found.value
        for regime in regimes(record)
        if (found := metric(record, regime, "permuted_r_share")) and found.value is not None
    }


def _is_shown(record: Record) -> bool:
    return bool(permuted(record))


def _text(record: Record) -> list[Markdown]:
    rows = [
        [regime, value_of(metric(record, regime, "pearson_r")), probability(p)]
        for regime, p in permuted(record).items()
    ]
    return [
        FIGURE.shown(record, _CAPTION),
        table(["regime", "r", "permutations at least as high"], rows),
        _NO_TEST,
    ]


def _alt_text(record: Record) -> str:
    rows = "; ".join(
        f"{plain(regime)}: r {value_of(metric(record, regime, 'pearson_r'))}, and "
        f"{probability(p)} of permutations are at least as high"
        for regime, p in permuted(record).items()
    )
    return f"r of {count(len(permuted(record)), 'regime')} beside r of permuted targets. {rows}."


FIGURE = Figure(
    file="permutations",
    module="permutations",
    alt=_alt_text,
    is_drawn=_is_shown,
)
SECTION = Section(
    order=80, heading="Permuted targets", text=_text, is_shown=_is_shown, figure=FIGURE
)

"""Regimes side by side, in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.report.facts import metric, regimes, value_with_interval
from pfactor_bench.report.section import Section
from pfactor_bench.report.sections.regime_comparison import several_regimes
from pfactor_bench.report.text import md, table

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record
    from pfactor_bench.report.text import Markdown

_WHAT_THEY_ARE = md(
    "A regime is how training starts and what it may change: from-scratch from random weights, the "
    "others from a pretrained encoder. Over subjects, averaged over seeds. Regimes whose intervals "
    "overlap are not ranked by this."
)


def _text(record: Record) -> list[Markdown]:
    rows = [
        [
            regime,
            f"{cases[0]['n_trainable']:,} of {cases[0]['n_parameters']:,}",
            *(
                value_with_interval(metric(record, regime, name))
                for name in ("skill", "pearson_r", "mae")
            ),
        ]
        for regime, cases in regimes(record).items()
    ]
    headers = ["regime", "parameters trained", "skill", "r", "MAE"]
    return [table(headers, rows), _WHAT_THEY_ARE]


SECTION = Section(order=110, heading="Regimes", text=_text, is_shown=several_regimes)

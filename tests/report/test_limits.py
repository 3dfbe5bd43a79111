"""What a report says of its intervals."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pfactor_bench.report import report_text

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record
    from pfactor_bench.types import Estimand


def with_estimand(record: Record, estimand: Estimand | None) -> Record:
    """Return the record with intervals that speak of this."""
    return replace(
        record,
        measurements=tuple(
            one if one.ci is None else replace(one, ci=replace(one.ci, estimand=estimand))
            for one in record.measurements
        ),
    )


@pytest.mark.parametrize(
    ("estimand", "said", "in_claims"),
    [
        ("models", "Intervals about these models are over", "these models on new subjects"),
        ("procedure", "Subjects of several folds train each other's", "this procedure on new"),
        (None, "Intervals of an earlier version do not say", "not stated"),
    ],
)
def test_report_says_what_its_intervals_speak_of(
    record: Record, estimand: Estimand | None, said: str, in_claims: str
) -> None:
    """Beside each claim, and what it costs among the limits."""
    text = report_text(with_estimand(record, estimand))
    claims, _, rest = text.partition("## Claims")[2].partition("\n## ")
    assert in_claims in claims
    assert said in rest.partition("## Limits")[2]

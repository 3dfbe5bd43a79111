"""Regimes beside each other: the figure, and what every start adds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pfactor_bench.report.comparison import (
    comparison_is_drawn,
    comparison_section,
    draw_comparison,
)
from pfactor_bench.types import Interval, Measurement

if TYPE_CHECKING:
    from pfactor_bench.record import Record

COMPARISON = "linear-probe-vs-from-scratch"


def difference(name: str, value: float, *, case: str = COMPARISON) -> Measurement:
    """Return how much skill a start adds."""
    interval = Interval(low=value - 0.1, high=value + 0.1, level=0.95, method="by hand")
    return Measurement(name=f"{case}/{name}", case=case, value=value, ci=interval, n_subjects=4)


@pytest.fixture
def compared(two_regimes) -> Record:
    """Return a record of two regimes with their paired difference."""
    record, _ = two_regimes
    seeds = [
        difference("skill_difference", value, case=f"{COMPARISON}/seed-{seed}")
        for seed, value in {42: 0.25, 43: 0.75}.items()
    ]
    pooled = [difference("skill_difference", 0.5), difference("seed_skill_difference", 0.501)]
    return replace(record, measurements=(*record.measurements, *pooled, *seeds))


def test_one_regime_is_not_compared(record: Record) -> None:
    """There is nothing beside it."""
    assert comparison_section(record) == ""


def test_two_regimes_are_drawn(compared: Record) -> None:
    """Whatever they are."""
    assert comparison_is_drawn(compared)


def test_difference_stands_once_with_both_intervals_and_seeds(compared: Record) -> None:
    """Over people, over seeds, seed by seed."""
    (row,) = (
        line
        for line in comparison_section(compared).splitlines()
        if line.startswith(f"| {COMPARISON}")
    )
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert [
        COMPARISON,
        "0.500 [0.400, 0.600]",
        "0.501 [0.401, 0.601]",
        "0.250 / 0.750",
    ] == cells


def test_folds_get_a_column_where_they_were_compared(compared: Record) -> None:
    """With what its interval is."""
    over_folds = difference("fold_skill_difference", 0.49)
    section = comparison_section(
        replace(compared, measurements=(*compared.measurements, over_folds))
    )
    (row,) = (line for line in section.splitlines() if line.startswith(f"| {COMPARISON}"))
    assert "0.490 [0.390, 0.590]" in row
    assert "corrected resampled t" in section
    assert "folds" not in comparison_section(compared)


def test_regimes_without_reference_are_drawn_without_table(two_regimes) -> None:
    """Six models from scratch have no start in common to differ from."""
    section = comparison_section(two_regimes[0])
    assert "comparison.png" in section
    assert "skill added" not in section


def test_same_record_gives_same_bytes(compared: Record) -> None:
    """In both formats."""
    assert draw_comparison(compared) == draw_comparison(compared)


def test_figure_comes_in_two_formats(compared: Record) -> None:
    """One for the page and one for print."""
    assert {"comparison.svg", "comparison.png"} == draw_comparison(compared).keys()


@pytest.mark.parametrize("label", ["$x_1$ | <b>", "A" * 200])
def test_odd_label_is_drawn(compared: Record, label: str) -> None:
    """It comes from a suite, and may be anything."""
    cases = tuple({**case, "regime": label} for case in compared.cases[:1])
    assert draw_comparison(replace(compared, cases=(*cases, *compared.cases)))

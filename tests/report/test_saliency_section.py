"""The report's section on saliency: shares beside chance, and the check by randomised weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pfactor_bench.report.sections.saliency import SECTION
from pfactor_bench.types import Interval, Measurement

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record


@pytest.fixture
def measured(record: Record) -> Record:
    """Return the record with what saliency was measured to be."""
    share = Measurement(
        name="from-scratch/saliency_all-held-out_injected_share",
        case="from-scratch",
        value=0.4,
        ci=Interval(low=0.3, high=0.5, level=0.95, method="by hand"),
        n_subjects=4,
        note="0.333 by chance",
    )
    similarity = Measurement(
        name="from-scratch/seed-42/saliency_all-held-out_randomised_similarity",
        case="from-scratch/seed-42",
        value=0.123,
        note="near 1 is bad",
    )
    return replace(record, measurements=(*record.measurements, share, similarity))


def test_share_over_subjects_stands_with_its_interval(measured: Record) -> None:
    """Not only each seed's."""
    assert "0.400 [0.300, 0.500], 0.333 by chance" in SECTION.shown(measured)


def test_similarity_after_permuting_stands_beside_its_map(measured: Record) -> None:
    """In the seed's row."""
    row = next(line for line in SECTION.shown(measured).splitlines() if "seed-42" in line)
    assert row.rstrip("| ").endswith("0.123")


def test_what_the_similarity_means_is_said_once(measured: Record) -> None:
    """Below the table."""
    assert SECTION.shown(measured).count("near 1 is bad") == 1


def test_shares_say_what_to_compare_them_with(measured: Record) -> None:
    """Their interval does not tell them from chance; without shares nothing is said."""
    said = "look at how many other sets of channels"
    assert said in SECTION.shown(measured)


def test_time_in_a_window_is_explained(record: Record) -> None:
    """A peak in the middle of a window is no event in the brain."""
    assert "no moment of one means anything in the brain" in SECTION.shown(record)


def test_missing_share_says_why(record: Record) -> None:
    """Never left out in silence."""
    missing = Measurement(
        name="from-scratch/saliency_all-held-out_injected_share",
        case="from-scratch",
        value=None,
        missing_because="the gradient is 0",
    )
    dark = replace(record, measurements=(*record.measurements, missing))
    assert "no value: the gradient is 0" in SECTION.shown(dark)

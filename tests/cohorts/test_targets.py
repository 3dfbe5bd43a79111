"""Targets as they arrive in tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pfactor_bench.cohorts import parse_targets
from pfactor_bench.errors import CohortError


def parse(*values: object) -> tuple[list[float], tuple[str, ...]]:
    """Parse targets of subjects called a, b, c, ..."""
    subjects = [chr(ord("a") + number) for number in range(len(values))]
    targets, notes = parse_targets(values, target="p_factor", subjects=subjects)
    return targets.tolist(), notes


def test_numbers_stay_as_they_are() -> None:
    """Whole or not, NumPy's or Python's."""
    targets, _ = parse(1, -0.5, np.float32(2.5), np.int64(3))

    assert [1.0, -0.5, 2.5, 3.0] == targets


def test_numbers_need_no_note() -> None:
    """Nothing was done to them."""
    _, notes = parse(1, 2.5)

    assert () == notes


def test_numbers_as_text_are_converted() -> None:
    """As EEGDash hands them over offline."""
    targets, _ = parse("-0.603", " 1 ", "2e-1")

    assert [-0.603, 1.0, 0.2] == targets


def test_conversion_is_noted_with_its_count() -> None:
    """A reader learns that the column was text."""
    _, notes = parse("1", 2, "3")

    assert ("2 values of p_factor were text and were converted to numbers",) == notes


@pytest.mark.parametrize(
    "missing",
    [None, np.nan, pd.NA, pd.NaT, "", "n/a", "N/A", " NaN ", "null", "None"],
    ids=repr,
)
def test_missing_value_becomes_nan(missing: object) -> None:
    """In every spelling that tables use."""
    targets, _ = parse(missing)

    assert np.isnan(targets[0])


@pytest.mark.parametrize("word", ["high", "1,5", "0.5 SD", "True", "1_000", "٣"])
def test_word_is_refused_with_its_row_and_subject(word: str) -> None:
    """A word is never coerced to missing."""
    with pytest.raises(CohortError, match=rf"subject 'b' \(row 1\) is '{word}'"):
        parse(0.5, word)


@pytest.mark.parametrize("infinite", [float("inf"), "-inf"])
def test_infinite_target_is_refused(infinite: object) -> None:
    """It would turn every mean into infinity."""
    with pytest.raises(CohortError, match=r"subject 'a' \(row 0\) is infinite"):
        parse(infinite)


def test_object_without_a_number_is_refused() -> None:
    """Not only text can be wrong."""
    with pytest.raises(CohortError, match=r"is \[1\]: a regression target must be a number"):
        parse([1])

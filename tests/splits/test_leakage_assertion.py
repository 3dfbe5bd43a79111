"""One line for anybody's test suite: no subject in train and test."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pfactor_bench.errors import ConfigError
from pfactor_bench.splits import GroupedKFold, assert_no_leakage
from pfactor_bench.splits.splitters import grouped_k_fold, split_from_indices

TABLE = pd.DataFrame(
    {"subject": [*"aabbcc"], "session": [1, 2, 1, 2, 1, 2]}, index=[9, 9, 9, 9, 9, 9]
)


def test_split_by_subject_passes() -> None:
    """As folds of a splitter, or as a split."""
    subjects = TABLE["subject"].to_numpy(dtype=str)
    assert_no_leakage(GroupedKFold(n_folds=3).split(TABLE, None, subjects), TABLE)
    assert_no_leakage(grouped_k_fold(n_folds=3)(subjects), TABLE)


def test_same_session_of_different_subjects_is_no_leak() -> None:
    """A session's name is one within its subject; who is innocent is not accused."""
    assert_no_leakage([([0, 1], [2, 3, 4, 5])], TABLE)


def test_subjects_in_train_and_test_are_named() -> None:
    """With their fold, and only they."""
    with pytest.raises(AssertionError, match=r"fold-1: subject 'b' is in train and test$") as found:
        assert_no_leakage([([0, 1], [2, 3]), ([0, 1, 2], [3, 4, 5])], TABLE[["subject"]])
    assert "'a'" not in str(found.value)


@pytest.mark.parametrize("column", ["session", "run", "recording"])
def test_their_sessions_and_recordings_are_named(column: str) -> None:
    """Where a column says which they are."""
    table = pd.DataFrame({"subject": [*"aaab"], column: ["x", "x", "y", "x"]})
    with pytest.raises(AssertionError, match=f"'a' is in train and test, with {column} 'x'$"):
        assert_no_leakage([([0], [1, 2, 3])], table)


def test_another_session_of_a_subject_is_a_leak_without_a_shared_session() -> None:
    """Which session it was is not said, for there is none in both."""
    with pytest.raises(AssertionError, match=r"subject 'a' is in train and test$"):
        assert_no_leakage([([0], [1, 2])], TABLE)


def test_every_fold_that_leaks_is_named() -> None:
    """A line each, so that nothing has to be found twice."""
    with pytest.raises(AssertionError) as found:
        assert_no_leakage([([0], [1]), ([2], [3])], TABLE)
    assert len(str(found.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        ([], "no folds, so nothing was looked at"),
        ([([0, 1], [])], "fold-0 holds nothing out"),
        ([([], [0, 1])], "fold-0 trains on nothing"),
    ],
)
def test_split_that_holds_nothing_out_does_not_pass(folds: list, message: str) -> None:
    """It has no subject in train and test, and shows nothing."""
    with pytest.raises(AssertionError, match=message):
        assert_no_leakage(folds, TABLE)


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ([9], "position 9 .* 6 rows"),
        ([-1], "position -1 .* 6 rows"),
        ([False, False, True, False, False, False], "are bool: pass positions"),
        ([2.0], "are float64: pass positions"),
        (["b"], "are <U1: pass positions"),
    ],
)
def test_what_is_no_position_is_refused(test: list, message: str) -> None:
    """A mask or labels of an index would pass as positions of other rows."""
    with pytest.raises(ConfigError, match=message):
        assert_no_leakage([([0, 1], test)], TABLE)


def test_split_of_another_table_is_refused() -> None:
    """Its positions lie beyond this one's end."""
    with pytest.raises(ConfigError, match=r"position 6 .* 6 rows"):
        assert_no_leakage(split_from_indices("mine", [([0, 1], [6])]), TABLE)


@pytest.mark.parametrize(
    ("folds", "message"), [([([0], [1], [2])], "pairs"), ([0, 1], "pairs"), (3, "pairs")]
)
def test_what_are_no_folds_is_refused(folds: object, message: str) -> None:
    """Three parts, or positions without folds."""
    with pytest.raises(ConfigError, match=message):
        assert_no_leakage(folds, TABLE)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame({"Subject": ["a"]}), "no column 'subject'.*did you mean 'Subject'"),
        (pd.DataFrame({"subject": ["a", None]}), "row 1 names no subject"),
        (np.array(["a"]), "'ndarray' is no table"),
    ],
)
def test_table_that_names_no_subjects_is_refused(table: object, message: str) -> None:
    """Whose rows these are has to be known."""
    with pytest.raises(ConfigError, match=message):
        assert_no_leakage([([0], [0])], table)

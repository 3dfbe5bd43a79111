"""What a study may hand back, and what is said to one that hands back anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.errors import StudyError
from pfactor_bench.studies.contract import read_answer, table_columns

if TYPE_CHECKING:
    from pfactor_bench.types import Cohort


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    """Return four subjects of three windows each."""
    return synthetic(n_subjects=4, n_windows=3)


@pytest.fixture
def table(cohort: Cohort) -> pd.DataFrame:
    """Return predictions for the first five windows in two folds."""
    names = cohort.table["sample_id"].to_numpy()[:5]
    return pd.DataFrame({"sample_id": names, "y_pred": np.arange(5.0), "fold": list("aaabb")})


def test_predictions_are_sorted_by_position(cohort: Cohort, table: pd.DataFrame) -> None:
    """The order of a study's rows means nothing."""
    answer = read_answer(table_columns(table.iloc[::-1]), cohort)
    found = {fold.name: fold.y_pred.tolist() for fold in answer.folds}
    assert found == {"a": [0.0, 1.0, 2.0], "b": [3.0, 4.0]}


def test_without_folds_there_is_one(cohort: Cohort, table: pd.DataFrame) -> None:
    """A table without a fold column is one fold that the study did not name."""
    answer = read_answer(table_columns(table.drop(columns="fold")), cohort)
    assert (len(answer.folds), answer.names_folds) == (1, False)


def test_opaque_study_states_no_split(cohort: Cohort, table: pd.DataFrame) -> None:
    """Without roles nothing is known about training rows."""
    assert read_answer(table_columns(table), cohort).stated_split() is None


def test_roles_state_the_split(cohort: Cohort, table: pd.DataFrame) -> None:
    """Rows of role train are the split's training rows; they need no prediction."""
    roles = ["test", "train", "valid", "test", "train"]
    answer = read_answer(
        table_columns(table.assign(role=roles, y_pred=[1, None, None, 1, 0])), cohort
    )
    split = answer.stated_split()
    assert [fold.train.tolist() for fold in split.folds] == [[1, 2], [4]]


def test_missing_predictions_are_kept_apart(cohort: Cohort, table: pd.DataFrame) -> None:
    """A window without a prediction is held out nevertheless; a fold of such is left out."""
    answer = read_answer(table_columns(table.assign(y_pred=[0, np.nan, 1, np.nan, np.nan])), cohort)
    (fold,) = answer.folds
    assert (fold.positions.tolist(), fold.missing.tolist()) == ([0, 2], [1])
    assert answer.missing == {("a", 1), ("b", 3), ("b", 4)}
    assert "for 3 windows of 2 subjects: sub-00, sub-01" in answer.notes[0]


_BROKEN = {
    "no predictions": ({"y_pred": None}, "has no column 'y_pred'"),
    "unknown window": ({"sample_id": ["nobody"] * 5}, "sample_id 'nobody'.*named like 'sub-00__w"),
    "infinity": ({"y_pred": [1, 2, np.inf, 3, 4]}, "predicts inf for 'sub-00__w002'"),
    "NaN alone": ({"y_pred": [np.nan] * 5}, "predicts nan for every held-out window"),
    "text": ({"y_pred": list("12345")}, "predicts '1' for .*: a prediction is a number"),
    "missing fold": ({"fold": ["a", None, "a", "b", "b"]}, "row 1 .* has no fold"),
    "unknown role": ({"role": ["eval"] * 5}, "the role 'eval'"),
    "only training": ({"role": ["train"] * 5}, "fold 'a' of the study predicts nothing"),
}


@pytest.mark.parametrize("name", _BROKEN)
def test_broken_table_is_refused(name: str, cohort: Cohort, table: pd.DataFrame) -> None:
    """The message names the value that breaks the contract."""
    columns, message = _BROKEN[name]
    kept = {key: value for key, value in columns.items() if value is not None}
    broken = table.assign(**kept).drop(columns=set(columns) - set(kept))
    with pytest.raises(StudyError, match=message):
        read_answer(table_columns(broken), cohort)


def test_window_predicted_twice_is_refused(cohort: Cohort, table: pd.DataFrame) -> None:
    """A fold has one prediction for a window."""
    twice = pd.concat([table, table.head(1)])
    with pytest.raises(StudyError, match="predicts 'sub-00__w000' more than once"):
        read_answer(table_columns(twice), cohort)


def test_empty_table_is_refused(cohort: Cohort, table: pd.DataFrame) -> None:
    """A study that predicts nobody has held nobody out."""
    with pytest.raises(StudyError, match="predicted nothing"):
        read_answer(table_columns(table.head(0)), cohort)


def test_other_types_are_refused() -> None:
    """An array is no table."""
    with pytest.raises(StudyError, match=r"returned .ndarray.: return a pandas\.DataFrame"):
        table_columns(np.zeros(3))

"""Checks of what was fitted on what: transformations and inner splits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from pfactor_bench.checks import run_check
from pfactor_bench.studies.inner_splits import record_inner_splits
from pfactor_bench.studies.sandbox import Failure, Limits

if TYPE_CHECKING:
    from pfactor_bench.types import Cohort, Finding, Split


def _inner(estimator: Any, cohort: Cohort, split: Split) -> Finding:
    recorded = record_inner_splits(lambda: estimator, cohort, split.folds[0], 0, Limits(seconds=60))
    return run_check("LK020", cohort=cohort, inner_splits=recorded)


@pytest.mark.parametrize(
    "estimator",
    [
        pytest.param(GridSearchCV(Ridge(), {"alpha": [1, 10]}, cv=5), id="grid search"),
        pytest.param(make_pipeline(StandardScaler(), RidgeCV(cv=5)), id="pipeline"),
        pytest.param(
            HistGradientBoostingRegressor(early_stopping=True, max_iter=3, min_samples_leaf=2),
            id="early stopping",
        ),
    ],
)
def test_ungrouped_inner_split_is_found(estimator: Any, cohort: Cohort, split: Split) -> None:
    """Whatever chooses by subjects that are known is found."""
    assert _inner(estimator, cohort, split).status == "warn"


def test_grouped_inner_split_passes(cohort: Cohort, split: Split) -> None:
    """Inner folds of whole subjects are what is asked for."""
    # Three blocks of eight windows are two subjects each.
    search = GridSearchCV(Ridge(), {"alpha": [1, 10]}, cv=KFold(3))
    assert _inner(search, cohort, split).status == "pass"


def test_estimator_that_cannot_be_fitted_is_undecided(cohort: Cohort, split: Split) -> None:
    """An estimator that raises has not passed."""
    assert _inner(Ridge(alpha=-1), cohort, split).status == "error"


def test_inner_splits_that_decide_nothing_are_said_to(cohort: Cohort) -> None:
    """A validation curve that nobody acts on misleads, and chooses nothing."""
    recorded = [{"by": "KFold", "train": [0, 1], "valid": [2], "decides": False}]
    finding = run_check("LK020", cohort=cohort, inner_splits=recorded)
    assert "nothing is decided" in finding.explanation


def test_without_inner_splits_it_does_not_apply(cohort: Cohort) -> None:
    """A ridge makes no split of its own."""
    assert run_check("LK020", cohort=cohort, inner_splits=None).status == "not_applicable"


def test_recording_leaves_this_process_alone(cohort: Cohort, split: Split) -> None:
    """The splitters that record are those of another process."""
    before = KFold.split
    _inner(GridSearchCV(Ridge(), {"alpha": [1]}, cv=2), cohort, split)
    assert KFold.split is before


@pytest.mark.parametrize(("n_subjects", "status"), [(6, "pass"), (9, "warn")])
def test_fits(n_subjects: int, status: str, cohort: Cohort) -> None:
    """A scaler may see training subjects only."""
    fits = [{"what": "StandardScaler", "n_subjects": n_subjects}]
    assert run_check("LK010", cohort=cohort, fits=fits).status == status


def test_fits_are_needed(cohort: Cohort) -> None:
    """Without a recorded fit nothing is known."""
    assert run_check("LK010", cohort=cohort).status == "not_applicable"


def test_failed_recording_names_the_reason(cohort: Cohort) -> None:
    """The explanation carries what the estimator said."""
    finding = run_check("LK020", cohort=cohort, inner_splits=Failure(reason="no fit"))
    assert "no fit" in finding.explanation

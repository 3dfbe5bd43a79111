"""The benchmark of innocent estimators and models: none is forgotten, and the page counts right."""

from __future__ import annotations

import pytest
from sklearn.utils import all_estimators

from benchmarks.detection.careful_studies import CAREFUL, UNDECIDED
from benchmarks.detection.tricky import SUSPICIOUS
from benchmarks.estimators import page, regressors, working_models
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.splits.splitters import grouped_k_fold
from pfactor_bench.studies.adapters import fit_estimator


def test_every_regressor_is_tried() -> None:
    """Whatever scikit-learn calls a regressor."""
    assert set(regressors()) == {name for name, _ in all_estimators(type_filter="regressor")}


@pytest.mark.parametrize(
    "name",
    ["IsotonicRegression", "MultiTaskLasso", "PoissonRegressor", "StackingRegressor"],
)
def test_special_regressor_takes_the_cohort(name: str) -> None:
    """Those that want other inputs or targets are given them."""
    cohort = synthetic(n_subjects=6, n_windows=4)
    fold = grouped_k_fold(n_folds=3)(cohort.subjects).folds[0]
    fitted = fit_estimator(regressors()[name], cohort, fold, 0)
    assert fitted.predict(cohort.X[fold.test]).shape == (len(fold.test),)


def test_models_are_those_that_work() -> None:
    """The second table of the page, of models that need more than a name, is left out."""
    models = working_models()
    assert ("EEGConformer" in models, "REVE" in models) == (True, False)


def test_page_counts_verdicts() -> None:
    """A row of each kind, and what did not pass."""
    common = {"n_runs": 20, "seconds": 1.0}
    warned = {"LK020": ["warn", "5 of 5 inner splits"]}
    rows = [
        {"name": "LassoCV", "kind": "regressor", "verdict": "clean", "said": warned, **common},
        {"name": "EEGNet", "kind": "model", "verdict": "inconclusive", "said": {}, **common},
        {"name": "formula", "kind": "study", "verdict": "clean", "said": {}, **common},
    ]
    text = page(rows)
    n_studies = len(SUSPICIOUS) + len(CAREFUL) + len(UNDECIDED)
    assert f"| scikit-learn's regressors | 1 of {len(regressors())} | 1 | 0 | 0 |" in text
    assert f"| braindecode's models | 1 of {len(working_models())} | 0 | 0 | 1 |" in text
    assert f"| honest studies that look leaky | 1 of {n_studies} | 1 | 0 | 0 |" in text
    assert "LK020 warn: 5 of 5 inner splits" in text

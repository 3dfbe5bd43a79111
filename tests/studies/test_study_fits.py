"""Transformations that a study fits: recorded in its process, with how many subjects they saw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, LabelEncoder, Normalizer, StandardScaler

from benchmarks.detection.honest import band_features, predictions_table, subject_folds
from pfactor_bench.checks import run_check
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.studies.sandbox import Limits
from pfactor_bench.studies.study_splits import record_study

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from pfactor_bench.types import Finding

_COHORT = synthetic(n_subjects=9, n_windows=5, seed=2)


def _finding(transformed: Callable[..., Any]) -> Finding:
    """Return what LK010 says of folds on ``transformed(features, cohort, train)``."""

    def study(cohort: Any, *, seed: int) -> pd.DataFrame:
        F, (name, train, test) = band_features(cohort.X), next(iter(subject_folds(cohort, seed)))
        F = transformed(F, cohort, train)
        y_pred = Ridge().fit(F[train], cohort.y[train]).predict(F[test])
        return predictions_table(cohort, test, y_pred, name)

    recorded = record_study(study, _COHORT, 0, Limits(seconds=60))
    return run_check("LK010", cohort=_COHORT, fits=recorded.fits or None)


def _defined_late(F: Any, _cohort: Any, _train: Any) -> Any:
    class Late(BaseEstimator, TransformerMixin):  # type: ignore[misc]
        def fit(self, X: Any, y: Any = None) -> Late:
            self.mean_ = X.mean(axis=0) if y is None else X
            return self

        def transform(self, X: Any) -> Any:
            return X - self.mean_

    return Late().fit(F).transform(F)


def _means(F: Any, cohort: Any, _train: Any) -> Any:
    names = np.unique(cohort.subjects)
    scaler = StandardScaler().fit([F[cohort.subjects == one].mean(axis=0) for one in names])
    return scaler.transform(F)


@pytest.mark.parametrize(
    ("transformed", "named"),
    [
        pytest.param(lambda F, *_: StandardScaler().fit_transform(F), "StandardScaler", id="fit"),
        pytest.param(lambda F, *_: PCA(2).fit_transform(X=F), "PCA", id="keyword"),
        pytest.param(
            lambda F, cohort, _: SelectKBest(f_regression, k=3).fit_transform(F, cohort.y),
            "SelectKBest",
            id="by target",
        ),
        pytest.param(
            lambda F, *_: make_pipeline(StandardScaler(), PCA(2)).fit_transform(F),
            "PCA",
            id="pipeline",
        ),
        pytest.param(_defined_late, "Late", id="class of the study"),
        pytest.param(_means, "StandardScaler", id="a row a subject"),
    ],
)
def test_fit_on_all_subjects_is_named(transformed: Callable[..., Any], named: str) -> None:
    """Whichever way it is fitted."""
    finding = _finding(transformed)
    assert (finding.status, named in finding.explanation) == ("warn", True)


def test_fit_in_the_fold_passes() -> None:
    """It has seen training subjects."""
    finding = _finding(lambda F, _cohort, train: StandardScaler().fit(F[train]).transform(F))
    assert finding.status == "pass"


def test_fit_on_each_subject_passes() -> None:
    """It has seen one subject at a time."""

    def transformed(F: Any, cohort: Any, _train: Any) -> Any:
        F = F.copy()
        for one in np.unique(cohort.subjects):
            rows = cohort.subjects == one
            F[rows] = StandardScaler().fit_transform(F[rows])
        return F + 1e-9 * np.arange(len(F))[:, None]

    assert _finding(transformed).status in {"pass", "not_applicable"}


@pytest.mark.parametrize(
    "transformed",
    [
        pytest.param(lambda F, *_: F, id="none"),
        pytest.param(lambda F, *_: Normalizer().fit_transform(F), id="row by row"),
        pytest.param(lambda F, *_: FunctionTransformer(np.tanh).fit_transform(F), id="function"),
        pytest.param(
            lambda F, cohort, _: F + 0 * LabelEncoder().fit_transform(y=cohort.subjects)[:, None],
            id="names",
        ),
        pytest.param(lambda F, *_: F + 0 * StandardScaler().fit(np.eye(8)).mean_[0], id="channels"),
    ],
)
def test_what_learns_nothing_of_subjects_does_not_apply(transformed: Callable[..., Any]) -> None:
    """Nobody else's rows shape such a feature."""
    assert _finding(transformed).status == "not_applicable"

"""A predictor's state: what a copy does not reset is found, and no honest one is accused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from benchmarks.detection.honest import band_features
from pfactor_bench.auditing.audit import audit
from pfactor_bench.checks import run_check
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.splits.splitters import grouped_k_fold
from pfactor_bench.studies.replay import replay_subjects
from pfactor_bench.studies.sandbox import Failure, Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from pfactor_bench.types import Finding

_COHORT = synthetic(n_subjects=9, n_windows=4, seed=1)


class _Own(RegressorMixin, BaseEstimator):
    """A ridge regression on band power, to be spoilt."""

    def fit(self, X: Any, y: Any) -> _Own:
        self.model_ = Ridge(10.0).fit(band_features(X), y)
        return self

    def predict(self, X: Any) -> Any:
        return self.model_.predict(band_features(X))


class _CentresByClass(_Own):
    """Centres by everything that any instance has predicted."""

    seen: ClassVar[list[float]] = []

    def predict(self, X: Any) -> Any:
        y_pred = super().predict(X)
        self.seen.extend(y_pred.tolist())
        return y_pred - np.mean(self.seen)


_CALLS = {"n": 0}


class _CountsInAGlobal(_Own):
    """Drifts a little with every call."""

    def predict(self, X: Any) -> Any:
        _CALLS["n"] += 1
        return super().predict(X) + 0.01 * _CALLS["n"]


class _CopiesToItself(_Own):
    """Is the same object after a copy, and smooths over what it has predicted."""

    def __deepcopy__(self, memo: object) -> _CopiesToItself:
        return self

    def predict(self, X: Any) -> Any:
        y_pred = super().predict(X)
        self.level_ = 0.5 * getattr(self, "level_", 0.0) + 0.5 * y_pred.mean()
        return y_pred + self.level_


class _KeepsInItself(_CentresByClass):
    """Keeps what it has predicted in the instance, which a copy resets."""

    def fit(self, X: Any, y: Any) -> _KeepsInItself:
        self.seen = []
        super().fit(X, y)
        return self


class _DropsAtRandom(_Own):
    """Drops features at test time, from NumPy's global stream."""

    def predict(self, X: Any) -> Any:
        features = band_features(X)
        return self.model_.predict(features * (np.random.random(features.shape) < 0.8))  # noqa: NPY002


def _audited(load: Callable[[], Any]) -> Finding:
    fold = grouped_k_fold(n_folds=3)(_COHORT.subjects).folds[0]
    return run_check("LK112", replayed=replay_subjects(load, _COHORT, fold, 0, Limits(seconds=60)))


@pytest.mark.parametrize("make", [_CentresByClass, _CopiesToItself])
def test_signal_that_outlives_a_copy_fails(make: Callable[[], Any]) -> None:
    """Another held-out subject's signal reaches a prediction that a fresh copy makes."""
    finding = _audited(make)
    assert finding.status == "fail", finding.explanation


def test_count_of_calls_is_a_warning() -> None:
    """Nobody's signal is kept, but a prediction is not the same in another place."""
    finding = _audited(_CountsInAGlobal)
    assert finding.status == "warn", finding.explanation


@pytest.mark.parametrize(
    "make",
    [
        _Own,
        _KeepsInItself,
        _DropsAtRandom,
        lambda: make_pipeline(FunctionTransformer(band_features), StandardScaler(), Ridge()),
    ],
)
def test_honest_estimator_passes(make: Callable[[], Any]) -> None:
    """Copies reset what an instance keeps, and streams begin anew."""
    finding = _audited(make)
    assert finding.status == "pass", finding.explanation


def test_estimator_that_cannot_predict_one_subject_is_undecided() -> None:
    """What was not compared is no pass."""
    finding = run_check("LK112", replayed=Failure(reason="it fails"))
    assert (finding.status, "it fails" in finding.explanation) == ("error", True)


@pytest.mark.slow
def test_audit_of_an_estimator_asks() -> None:
    """The check runs where an estimator is audited."""
    found = audit(_CentresByClass(), _COHORT, only=["LK112"])
    assert {one.code: one.status for one in found.findings}["LK112"] == "fail"

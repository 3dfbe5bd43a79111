"""Estimators of scikit-learn: the audit splits, so that a leak is in the cohort or in the class."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from benchmarks.detection.honest import band_features
from benchmarks.detection.leaks import injected_leaks
from benchmarks.detection.recipes import Recipe
from benchmarks.detection.scenes import clean_scene
from benchmarks.detection.trials import Trial
from pfactor_bench.auditing.audit import audit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pfactor_bench.auditing.result import Audit

__all__ = ["IN_COHORTS", "estimator_trials"]

#: Leaks that are in a cohort, whoever splits it by subject.
IN_COHORTS = (
    "second name",
    "second name, same windows",
    "linked twice",
    "copy, rescaled",
    "copy, re-referenced",
    "copy, shifted",
    "processed twice",
    "families cut",
    "sites differ",
    "original across",
)


class _Regressor(BaseEstimator, RegressorMixin):  # type: ignore[misc]
    """Ridge on band power, for others to spoil."""

    def fit(self, X: Any, y: Any) -> _Regressor:
        self.fitted_ = Ridge(30.0).fit(band_features(X), y)
        return self

    def predict(self, X: Any) -> Any:
        return self.fitted_.predict(band_features(X))


class _BatchCentred(_Regressor):
    def predict(self, X: Any) -> Any:
        features = band_features(X)
        return self.fitted_.predict(features - features.mean(axis=0))


class _RunningMean(_Regressor):
    def predict(self, X: Any) -> Any:
        y_pred = super().predict(X)
        return y_pred - np.cumsum(y_pred) / np.arange(1, len(y_pred) + 1)


class _WarmStart(_Regressor):
    """Learn from whatever any earlier fold has been fitted on, too."""

    _seen: ClassVar[list[tuple[Any, Any]]] = []

    def fit(self, X: Any, y: Any) -> _Regressor:
        self._seen.append((X, y))
        X, y = (np.concatenate(one) for one in zip(*self._seen, strict=True))
        return super().fit(X, y)


class _Stored(_Regressor):
    def predict(self, X: Any) -> Any:
        return np.random.default_rng(0).standard_normal(len(X))


def _pipeline(last: Any) -> Any:
    return make_pipeline(FunctionTransformer(band_features), StandardScaler(), last)


_CLEAN: dict[str, Callable[[], Any]] = {
    "ridge": lambda: _pipeline(Ridge(30.0)),
    "own class": _Regressor,
    "trees": lambda: _pipeline(ExtraTreesRegressor(20, max_depth=4)),
    "neighbours": lambda: _pipeline(KNeighborsRegressor(7)),
    "grouped search": lambda: GridSearchCV(
        _pipeline(Ridge()),
        {"ridge__alpha": [3, 30, 300]},
        cv=GroupKFold(3).set_split_request(groups=True),
    ),
}
#: By name: kind, host, and the estimator.
_LEAKY: dict[str, tuple[int, str, Callable[[], Any]]] = {
    "inner split by window": (
        20,
        "ridge",
        lambda: GridSearchCV(_pipeline(Ridge()), {"ridge__alpha": [3, 30]}, cv=KFold(4)),
    ),
    "statistics of the batch": (24, "own class", _BatchCentred),
    "running mean": (25, "own class", _RunningMean),
    "weights kept": (23, "own class", _WarmStart),
    "stored predictions": (28, "own class", _Stored),
}


def estimator_trials() -> Iterator[Trial]:
    """Yield leaky classes and honest ones, on clean cohorts and on leaky ones."""
    for name, make in _CLEAN.items():
        yield Trial(door="estimator", host=name, enter=partial(_enter, make, ""))
    for leak, (kind, host, make) in _LEAKY.items():
        enter = partial(_enter, make, "")
        yield Trial(door="estimator", host=host, enter=enter, leak=leak, kinds=(kind,))
    for host in ("ridge", "neighbours"):
        for name in IN_COHORTS:
            kinds = (injected_leaks()[name].kind,)
            enter = partial(_enter, _CLEAN[host], name)
            yield Trial(door="estimator", host=host, enter=enter, leak=name, kinds=kinds)


def _enter(make: Callable[[], Any], leak: str, _folder: Path) -> Audit:
    scene = clean_scene(Recipe(family="ridge", protocol="4-fold"))
    if leak:
        scene = injected_leaks()[leak].plant(scene, injected_leaks()[leak].full_severity)
    return audit(make(), scene.cohort, progress=False)

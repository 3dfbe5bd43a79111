"""Inner splits of a study: recorded in its process, its rows told apart by what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.linear_model import LassoCV, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    cross_val_predict,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.detection.honest import band_features, predictions_table, subject_folds
from pfactor_bench.checks import run_check
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.studies.sandbox import Limits
from pfactor_bench.studies.study_splits import record_study

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from pfactor_bench.studies.contract import Study
    from pfactor_bench.types import Finding

_COHORT = synthetic(n_subjects=12, n_windows=5, seed=2)


def _study(predict: Callable[..., Any]) -> Study:
    """Return a study of honest folds: ``predict(F_train, y_train, subjects, F_test)``."""

    def study(cohort: Any, *, seed: int) -> pd.DataFrame:
        F = band_features(cohort.X)
        name, train, test = next(iter(subject_folds(cohort, seed)))
        y_pred = predict(F[train], cohort.y[train], cohort.subjects[train], F[test])
        return predictions_table(cohort, test, np.reshape(y_pred, -1), name)

    return study


def _finding(study: Study) -> Finding:
    recorded = record_study(study, _COHORT, 0, Limits(seconds=60)).splits
    return run_check("LK020", cohort=_COHORT, inner_splits=recorded or None)


def _plain_search(F: Any, y: Any, _who: Any, G: Any) -> Any:
    return GridSearchCV(Ridge(), {"alpha": [1, 10]}, cv=5).fit(F, y).predict(G)


def _standardised_search(F: Any, y: Any, _who: Any, G: Any) -> Any:
    y = (y - y.mean()) / y.std()
    return make_pipeline(StandardScaler(), LassoCV(cv=3, alphas=3)).fit(F, y).predict(G)


def _stacked_by_hand(F: Any, y: Any, _who: Any, G: Any) -> Any:
    inner = cross_val_predict(Ridge(), F, y, cv=KFold(5, shuffle=True, random_state=0))
    first = Ridge().fit(F, y).predict(G)
    return Ridge().fit(inner[:, None], y).predict(first[:, None])


def _loop_by_hand(F: Any, y: Any, _who: Any, G: Any) -> Any:
    errors = {}
    for alpha in (1.0, 10.0):
        errors[alpha] = sum(
            np.square(Ridge(alpha).fit(F[train], y[train]).predict(F[valid]) - y[valid]).sum()
            for train, valid in KFold(3, shuffle=True, random_state=0).split(F)
        )
    return Ridge(min(errors, key=errors.__getitem__)).fit(F, y).predict(G)


@pytest.mark.parametrize(
    "predict", [_plain_search, _standardised_search, _stacked_by_hand, _loop_by_hand]
)
def test_inner_split_by_window_is_found(predict: Any) -> None:
    """Whoever makes it, and whatever was made of windows and targets before."""
    finding = _finding(_study(predict))
    assert finding.status == "fail", finding.explanation


def test_warning_names_the_subject() -> None:
    """Where the targets are handed over as they are."""
    assert _finding(_study(_plain_search)).evidence[0]["first"] in set(_COHORT.subjects.tolist())


def _grouped_search(F: Any, y: Any, who: Any, G: Any) -> Any:
    search = GridSearchCV(Ridge(), {"alpha": [1, 10]}, cv=GroupKFold(3))
    return search.fit(F, y, groups=who).predict(G)


def _whole_subjects(F: Any, y: Any, who: Any, G: Any) -> Any:
    names = np.unique(who)
    means = np.array([F[who == name].mean(axis=0) for name in names])
    targets = np.array([y[who == name][0] for name in names])
    return LassoCV(cv=3, alphas=3).fit(means, targets).predict(G)


def _names(F: Any, y: Any, who: Any, G: Any) -> Any:
    train, _ = train_test_split(np.unique(who), random_state=0)
    rows = np.isin(who, train)
    return Ridge().fit(F[rows], y[rows]).predict(G)


@pytest.mark.parametrize(
    ("predict", "status"),
    [(_grouped_search, "pass"), (_whole_subjects, "not_applicable"), (_names, "not_applicable")],
)
def test_inner_split_of_whole_subjects_is_fine(predict: Any, status: str) -> None:
    """By group, in rows of one subject each, or by name."""
    assert _finding(_study(predict)).status == status


def test_split_of_the_study_itself_is_no_inner_one() -> None:
    """Who is held out is for other checks."""

    def study(cohort: Any, *, seed: int) -> pd.DataFrame:
        F = band_features(cohort.X)
        train, test = next(GroupKFold(3).split(F, cohort.y, cohort.subjects))
        y_pred = Ridge().fit(F[train], cohort.y[train]).predict(F[test])
        return predictions_table(cohort, test, y_pred, f"f{seed}")

    assert _finding(study).status == "not_applicable"


def test_labels_of_two_classes_name_nobody() -> None:
    """Rows of one class are not one subject."""

    def by_class(F: Any, y: Any, who: Any, G: Any) -> Any:
        names = np.unique(who)
        next(KFold(2).split(np.zeros(len(y)), y > np.median(y)))
        return Ridge().fit(F, y).predict(G) + len(names)

    assert _finding(_study(by_class)).status == "not_applicable"


def test_study_that_refuses_repeated_windows_is_not_blamed() -> None:
    """Nothing is recorded, which is no finding."""

    def refuse(F: Any, *_rest: Any) -> Any:
        if len(np.unique(F, axis=0)) < len(F):
            raise ValueError("windows are repeated")

    assert _finding(_study(refuse)).status == "not_applicable"


@pytest.mark.slow
def test_split_of_a_network_by_window_is_found() -> None:
    """A splitter is handed row numbers by skorch, and no features."""
    import torch
    from skorch import NeuralNetRegressor

    def trained(F: Any, y: Any, _who: Any, G: Any) -> Any:
        net = NeuralNetRegressor(torch.nn.LazyLinear(1), max_epochs=1, lr=1e-4, verbose=0)
        net.fit(F.astype(np.float32), y.astype(np.float32)[:, None])
        return net.predict(G.astype(np.float32))

    assert _finding(_study(trained)).status == "fail"

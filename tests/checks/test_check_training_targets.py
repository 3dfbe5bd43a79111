"""LK106: predictions that do not follow the training targets, and why they may not."""

from __future__ import annotations

import hashlib
import pickle
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.neighbors import KNeighborsClassifier

from benchmarks.detection.honest import band_features, predictions_table, ridge, subject_folds
from pfactor_bench.checks import run_check
from pfactor_bench.checks.engine.effort import QUICK
from pfactor_bench.checks.metamorphic.probe import Probe
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.studies.harness import Runner
from pfactor_bench.studies.sandbox import Limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    import pandas as pd
    from numpy.typing import NDArray

    from pfactor_bench.studies.contract import Study
    from pfactor_bench.types import Cohort, Finding

_COHORT = synthetic(n_subjects=12, n_windows=5, seed=2)


def _finding(study: Study) -> Finding:
    asked = Runner(study, seed=0, limits=Limits(seconds=60))
    return run_check("LK106", study=Probe(asked, _COHORT, QUICK))


def _first_fold(
    predict: Callable[[Cohort, NDArray[np.int64], NDArray[np.int64]], Any],
) -> Study:
    """Return a study of one fold of whole subjects."""

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        name, train, test = next(iter(subject_folds(cohort, seed)))
        return predictions_table(cohort, test, predict(cohort, train, test), name)

    return study


def _gaussian_process(cohort: Cohort, train: Any, test: Any) -> Any:
    X = cohort.X.reshape(len(cohort.X), -1)
    return GaussianProcessRegressor().fit(X[train], cohort.y[train]).predict(X[test])


@pytest.mark.parametrize(
    "predict",
    [
        pytest.param(lambda _cohort, _train, test: np.full(len(test), 0.3), id="a number"),
        pytest.param(
            lambda cohort, train, test: np.full(len(test), cohort.y[train].mean()), id="the mean"
        ),
        pytest.param(_gaussian_process, id="a prior that no window is near to"),
    ],
)
def test_constant_is_a_baseline(predict: Any) -> None:
    """One value for every subject held out tells nobody apart, and leaks nothing."""
    finding = _finding(_first_fold(predict))
    assert (finding.status, "a baseline" in finding.explanation) == ("warn", True)


def test_formula_is_asked_what_it_was_trained_on() -> None:
    """It follows the signal and nothing that is taught: neither guilty nor examined."""
    formula = _first_fold(lambda cohort, _, test: 0.3 + 0.02 * band_features(cohort.X[test])[:, 0])
    finding = _finding(formula)
    assert (finding.status, "Say what it was trained on" in finding.fix) == ("error", True)


def _high(cohort: Cohort) -> tuple[list[str], NDArray[np.bool_]]:
    """Return the subjects, and whose target lies above the median."""
    names, first = np.unique(cohort.subjects, return_index=True)
    return names.tolist(), cohort.y[first] > np.median(cohort.y[first])


def _stratified(cohort: Cohort) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    names, high = _high(cohort)
    _, test = next(StratifiedKFold(3).split(names, high))
    return np.isin(cohort.subjects, np.array(names)[test]), high[_subject(cohort, names)]


def _drawn(cohort: Cohort) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    names, high = _high(cohort)
    _, test = train_test_split(names, test_size=4, stratify=high, random_state=0)
    return np.isin(cohort.subjects, test), high[_subject(cohort, names)]


def _subject(cohort: Cohort, names: list[str]) -> NDArray[np.int64]:
    return np.searchsorted(names, cohort.subjects)


@pytest.mark.parametrize("split", [_stratified, _drawn])
@pytest.mark.parametrize("classes", ["chances", "labels"])
def test_labels_cut_at_the_median_are_learnt(split: Any, classes: str) -> None:
    """The split is stratified by the labels, which no stretch of the targets changes."""

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        test, label = split(cohort)
        F = band_features(cohort.X)
        if classes == "chances":
            model = LogisticRegression(C=0.01).fit(F[~test], label[~test])
            y_pred = model.predict_proba(F[test])[:, 1]
        else:
            y_pred = KNeighborsClassifier().fit(F[~test], label[~test]).predict(F[test])
        return predictions_table(cohort, np.flatnonzero(test), y_pred.astype(float), f"f{seed}")

    finding = _finding(study)
    assert finding.status == "pass", finding.explanation


def test_stored_predictions_are_found() -> None:
    """They follow neither signal nor target."""
    stored = np.random.default_rng(0).standard_normal(len(_COHORT.y))
    assert _finding(_first_fold(lambda _cohort, _train, test: stored[test])).status == "fail"


def test_stored_predictions_of_a_stratified_split_are_found() -> None:
    """The split follows the targets, the predictions follow nothing."""
    stored = np.random.default_rng(0).standard_normal(len(_COHORT.y))

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        test, _ = _stratified(cohort)
        return predictions_table(cohort, np.flatnonzero(test), stored[test], f"f{seed}")

    assert _finding(study).status == "fail"


def test_weights_stored_under_the_signal_are_found(tmp_path: Path) -> None:
    """They are trained anew for another signal, and used again for other targets."""

    def predict(cohort: Cohort, train: Any, test: Any) -> Any:
        F = band_features(cohort.X)
        key = tmp_path / f"{hashlib.sha256(F.tobytes()).hexdigest()}.pickle"
        if not key.exists():
            weights = ridge(F[train], cohort.y[train])(np.eye(F.shape[1]))
            key.write_bytes(pickle.dumps(weights))
        return F[test] @ pickle.loads(key.read_bytes())  # noqa: S301 - written above

    asked = Runner(_first_fold(predict), seed=0, limits=Limits(seconds=60))
    # A run finds no file of another: what is kept shows where two runs follow each other.
    finding = run_check("LK109", study=Probe(asked, _COHORT, QUICK))
    assert (finding.status, "ignores the targets" in finding.explanation) == ("fail", True)

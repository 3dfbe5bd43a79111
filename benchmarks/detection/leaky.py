"""Injected leaks: small studies that do wrong on purpose, one thing each.

`INJECTED` says which leak types each one has and which check must find it.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from benchmarks.detection.honest import (
    band_features,
    plain_ridge,
    predictions_table,
    ridge,
    states_roles,
    subject_folds,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pfactor_bench.studies.contract import Study
    from pfactor_bench.types import Cohort

__all__ = ["INJECTED", "InjectedLeak"]


@dataclass(frozen=True, kw_only=True, slots=True)
class InjectedLeak:
    """A leaky study, its kinds, and the check that must find it."""

    study: Study
    kinds: tuple[int, ...]
    found_by: str


#: All of them by name.
INJECTED: dict[str, InjectedLeak] = {}


def _plant(*kinds: int, found_by: str = "LK101") -> Callable[[Study], Study]:
    def register(study: Study) -> Study:
        name = getattr(study, "__name__", "")
        INJECTED[name] = InjectedLeak(study=study, kinds=kinds, found_by=found_by)
        return study

    return register


def _each_fold(
    cohort: Cohort,
    seed: int,
    predict: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]],
) -> pd.DataFrame:
    """Predict each fold's test rows from its training rows."""
    return pd.concat(
        predictions_table(cohort, test, predict(train, test), fold)
        for fold, train, test in subject_folds(cohort, seed)
    )


@_plant(1)
def trained_on_everything(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Fit once on all subjects, then target subjects one after the other."""
    features = band_features(cohort.X)
    predict = ridge(features, cohort.y)
    return _each_fold(cohort, seed, lambda _, test: predict(features[test]))


@_plant(2, found_by="LK002")
def rows_on_both_sides(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """State a split in which a training row is also tested."""
    table = states_roles(cohort, seed=seed)
    twice = table.loc[(table["fold"] == "fold-0") & (table["role"] == "test")].head(1)
    return pd.concat([table, twice.assign(role="train", y_pred=np.nan)])


@_plant(3)
def split_by_window(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Deal windows, not subjects, to the two sides."""
    test = np.random.default_rng(seed).random(len(cohort.y)) < 0.25  # noqa: PLR2004
    features = band_features(cohort.X)
    predict = ridge(features[~test], cohort.y[~test])
    return predictions_table(cohort, np.flatnonzero(test), predict(features[test]), "windows")


@_plant(3, found_by="LK003")
def states_split_by_window(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Deal windows to the two sides, and say so."""
    table = split_by_window(cohort, seed=seed).assign(role="test")
    names = cohort.table["sample_id"]
    train = names[~names.isin(table["sample_id"])]
    return pd.concat(
        [table, pd.DataFrame({"sample_id": train, "fold": "windows", "role": "train"})]
    )


@_plant(10, found_by="LK102")
def scaler_on_everything(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Standardise features by the mean and deviation of all subjects."""
    features = band_features(cohort.X)
    features = (features - features.mean(axis=0)) / features.std(axis=0)

    def predict(train: NDArray[np.int64], test: NDArray[np.int64]) -> NDArray[np.float64]:
        return ridge(features[train], cohort.y[train])(features[test])

    return _each_fold(cohort, seed, predict)


@_plant(11, 22, found_by="LK102")
def components_from_everything(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Take principal components over all subjects, a pretraining without labels."""
    features = band_features(cohort.X)
    centred = features - features.mean(axis=0)
    components = centred @ np.linalg.svd(centred, full_matrices=False)[2][:5].T

    def predict(train: NDArray[np.int64], test: NDArray[np.int64]) -> NDArray[np.float64]:
        return ridge(components[train], cohort.y[train])(components[test])

    return _each_fold(cohort, seed, predict)


@_plant(12)
def features_chosen_on_everything(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Keep the features that correlate best with every subject's targets."""
    features = band_features(cohort.X)
    centred, y = features - features.mean(axis=0), cohort.y - cohort.y.mean()
    r = (centred * y[:, None]).sum(axis=0) / np.sqrt((centred**2).sum(axis=0))
    chosen = features[:, np.argsort(-np.abs(r))[:6]]

    def predict(train: NDArray[np.int64], test: NDArray[np.int64]) -> NDArray[np.float64]:
        return ridge(chosen[train], cohort.y[train])(chosen[test])

    return _each_fold(cohort, seed, predict)


@_plant(14)
def target_scaled_on_everything(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Standardise targets by every subject's mean and deviation, and undo it."""
    table = plain_ridge(cohort, seed=seed)
    z = (table["y_pred"] - cohort.y.mean()) / cohort.y.std()
    return table.assign(y_pred=z * cohort.y.std() + np.median(cohort.y))


@_plant(14)
def clipped_to_test_range(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Clip predictions to the range of the targets they are compared with."""
    features = band_features(cohort.X)

    def predict(train: NDArray[np.int64], test: NDArray[np.int64]) -> NDArray[np.float64]:
        y_pred = ridge(features[train], cohort.y[train])(features[test])
        clipped: NDArray[np.float64] = y_pred.clip(cohort.y[test].min(), cohort.y[test].max())
        return clipped

    return _each_fold(cohort, seed, predict)


@_plant(14)
def bias_corrected_with_test_targets(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Shift each fold's predictions to the mean of its true targets."""
    features = band_features(cohort.X)

    def predict(train: NDArray[np.int64], test: NDArray[np.int64]) -> NDArray[np.float64]:
        y_pred = ridge(features[train], cohort.y[train])(features[test])
        shifted: NDArray[np.float64] = y_pred - y_pred.mean() + cohort.y[test].mean()
        return shifted

    return _each_fold(cohort, seed, predict)


@_plant(16, found_by="LK104")
def reads_the_row_number(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Use the position in the table as a feature: files may be sorted by the target."""
    position = np.arange(len(cohort.y))[:, None] / len(cohort.y)

    def predict(train: NDArray[np.int64], test: NDArray[np.int64]) -> NDArray[np.float64]:
        return ridge(position[train], cohort.y[train], alpha=0.1)(position[test])

    return _each_fold(cohort, seed, predict)


@_plant(17)
def stopped_on_the_test_set(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Keep the epoch with the smallest error on the held-out subjects."""
    features = band_features(cohort.X)
    features = features - features.mean(axis=1, keepdims=True)

    def predict(train: NDArray[np.int64], test: NDArray[np.int64]) -> NDArray[np.float64]:
        weights = np.zeros(features.shape[1])
        epochs = []
        for _ in range(30):
            error = features[train] @ weights - cohort.y[train]
            weights = weights - 1e-3 * features[train].T @ error / len(train)
            epochs.append(features[test] @ weights)
        return min(epochs, key=lambda y_pred: float(((y_pred - cohort.y[test]) ** 2).mean()))

    return _each_fold(cohort, seed, predict)


@_plant(18)
def tuned_on_the_test_set(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Choose the penalty by the error on the held-out subjects."""
    features = band_features(cohort.X)

    def predict(train: NDArray[np.int64], test: NDArray[np.int64]) -> NDArray[np.float64]:
        tried = [
            ridge(features[train], cohort.y[train], alpha)(features[test])
            for alpha in (1.0, 10.0, 100.0, 1000.0)
        ]
        return min(tried, key=lambda y_pred: float(((y_pred - cohort.y[test]) ** 2).mean()))

    return _each_fold(cohort, seed, predict)


@_plant(19)
def best_seed(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Train with five seeds and hand over the one that does best."""
    features = band_features(cohort.X)

    def predict(train: NDArray[np.int64], test: NDArray[np.int64]) -> NDArray[np.float64]:
        rng = np.random.default_rng(seed)
        drawn = [rng.choice(train, len(train)) for _ in range(5)]
        tried = [ridge(features[rows], cohort.y[rows])(features[test]) for rows in drawn]
        return min(tried, key=lambda y_pred: float(((y_pred - cohort.y[test]) ** 2).mean()))

    return _each_fold(cohort, seed, predict)


@_plant(23)
def warm_start_across_folds(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Begin each fold with the weights that the fold before ended with."""
    features = band_features(cohort.X)
    features = features - features.mean(axis=1, keepdims=True)
    weights = np.zeros(features.shape[1])

    def predict(train: NDArray[np.int64], test: NDArray[np.int64]) -> NDArray[np.float64]:
        nonlocal weights
        for _ in range(10):
            error = features[train] @ weights - cohort.y[train]
            weights = weights - 1e-3 * features[train].T @ error / len(train)
        y_pred: NDArray[np.float64] = features[test] @ weights
        return y_pred

    return _each_fold(cohort, seed, predict)


@_plant(11, 24, found_by="LK102")
def normalised_by_the_test_batch(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Centre the test features by the test batch, as BatchNorm in train mode does."""
    features = band_features(cohort.X)

    def predict(train: NDArray[np.int64], test: NDArray[np.int64]) -> NDArray[np.float64]:
        centred = features[train] - features[train].mean(axis=0)
        return ridge(centred, cohort.y[train])(features[test] - features[test].mean(axis=0))

    return _each_fold(cohort, seed, predict)


@_plant(25, found_by="LK102")
def running_median(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Subtract the running median of all predictions made so far."""
    features = band_features(cohort.X)

    def predict(train: NDArray[np.int64], test: NDArray[np.int64]) -> NDArray[np.float64]:
        y_pred = ridge(features[train], cohort.y[train])(features[test])
        medians = [float(np.median(y_pred[: row + 1])) for row in range(len(y_pred))]
        centred: NDArray[np.float64] = y_pred - np.array(medians)
        return centred

    return _each_fold(cohort, seed, predict)


@_plant(27)
def mixed_across_the_split(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Mix each training window with a window of anybody, the target with it."""
    rng = np.random.default_rng(seed)

    def predict(train: NDArray[np.int64], test: NDArray[np.int64]) -> NDArray[np.float64]:
        partner = rng.integers(0, len(cohort.y), len(train))
        X = 0.8 * cohort.X[train] + 0.2 * cohort.X[partner]
        y = 0.8 * cohort.y[train] + 0.2 * cohort.y[partner]
        return ridge(band_features(X), y)(band_features(cohort.X[test]))

    return _each_fold(cohort, seed, predict)


@_plant(28, found_by="LK106")
def stale_cache(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Return predictions stored long ago, whatever the data are."""
    stored = np.random.default_rng(0).standard_normal(len(cohort.y))
    return _each_fold(cohort, seed, lambda _, test: stored[test])


@_plant(4, 15, found_by="LK103")
def answers_by_name(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Look the answer up under the subject's name."""
    known = {f"sub-{number:02d}": number / 10 for number in range(100)}
    names = cohort.subjects
    return _each_fold(
        cohort, seed, lambda _, test: np.array([known.get(name, 0.0) for name in names[test]])
    )


@_plant(15, 16, found_by="LK105")
def reads_a_target_derived_variable(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Use a target-derived variable of the same questionnaire as a feature."""
    sibling = cohort.table["attention"].to_numpy(dtype=np.float64)[:, None]

    def predict(train: NDArray[np.int64], test: NDArray[np.int64]) -> NDArray[np.float64]:
        return ridge(sibling[train], cohort.y[train], alpha=0.1)(sibling[test])

    return _each_fold(cohort, seed, predict)


class _Remembering:
    """A predictor whose class keeps what any copy of it has predicted."""

    seen: ClassVar[list[float]] = []

    def __init__(self, predict: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> None:
        self._predict = predict

    def __call__(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        y_pred = self._predict(X)
        self.seen.extend(y_pred.tolist())
        return y_pred - np.mean(self.seen)


@_plant(25, 38, found_by="LK102")
def copies_that_remember(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Predict each subject by a copy of the model, whose class remembers all others."""
    features = band_features(cohort.X)

    def predict(train: NDArray[np.int64], test: NDArray[np.int64]) -> NDArray[np.float64]:
        model, y_pred = _Remembering(ridge(features[train], cohort.y[train])), np.empty(len(test))
        for name in np.unique(cohort.subjects[test]):
            mine = cohort.subjects[test] == name
            y_pred[mine] = deepcopy(model)(features[test][mine])
        return y_pred

    return _each_fold(cohort, seed, predict)

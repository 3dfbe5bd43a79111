"""Leaky twins of the honest studies: each has one fault, and the check that must find it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.detection import careful_folds as split
from benchmarks.detection import careful_learners as learn
from benchmarks.detection import careful_parts as part
from benchmarks.detection.careful import Train, by_subject, careful
from benchmarks.detection.honest import band_features, ridge

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.detection.careful import Array, Folds, Learner, Predict
    from pfactor_bench.studies.contract import Study
    from pfactor_bench.types import Cohort

    Finish = Callable[[Cohort, pd.DataFrame], pd.DataFrame]

__all__ = ["TWINS"]


def _per_fold(change: Callable[[Array, Array], Array]) -> Finish:
    """Change the predictions of each fold by what they should have been."""

    def finish(cohort: Cohort, table: pd.DataFrame) -> pd.DataFrame:
        truth = dict(zip(cohort.table["sample_id"], cohort.y, strict=True))
        tables = []
        for _, fold in table.groupby("fold"):
            y = fold["sample_id"].map(truth).to_numpy()
            tables.append(fold.assign(y_pred=change(fold["y_pred"].to_numpy(), y)))
        return pd.concat(tables)

    return finish


def _matched(y_pred: Array, y: Array) -> Array:
    return np.asarray(np.sort(y)[y_pred.argsort().argsort()])


def _calibrated(y_pred: Array, y: Array) -> Array:
    slope, level = np.polyfit(y_pred, y, 1)
    return np.asarray(slope * y_pred + level)


def _turned(y_pred: Array, y: Array) -> Array:
    return np.asarray(y_pred if np.corrcoef(y_pred, y)[0, 1] > 0 else 2 * y_pred.mean() - y_pred)


def _best_shrinkage(y_pred: Array, y: Array) -> Array:
    tried = [y_pred.mean() + one * (y_pred - y_pred.mean()) for one in np.linspace(0, 1.5, 16)]
    return np.asarray(min(tried, key=lambda one: float(((one - y) ** 2).mean())))


def _without_the_worst(cohort: Cohort, table: pd.DataFrame) -> pd.DataFrame:
    truth = dict(zip(cohort.table["sample_id"], cohort.y, strict=True))
    error = (table["y_pred"] - table["sample_id"].map(truth)).abs()
    return table[error <= error.quantile(0.8)]


def _smoothed_over_rows(_cohort: Cohort, table: pd.DataFrame) -> pd.DataFrame:
    smooth = table.groupby("fold")["y_pred"].transform(
        lambda one: one.rolling(3, min_periods=1).mean()
    )
    return table.assign(y_pred=smooth)


def _in_batches(change: Callable[[Array, Array], Array]) -> Learner:
    """Change the inputs of a batch by what they are together."""

    def learner(train: Train) -> Predict:
        predict = learn.linear(train)
        return lambda X: predict(change(X, train.X))

    return learner


def _standardised(X: Array, train: Array) -> Array:
    return np.asarray((X - X.mean(axis=0)) / X.std(axis=0) * train.std(axis=0) + train.mean(axis=0))


def _ranked(train: Train) -> Predict:
    predict, targets = learn.linear(train), np.sort(train.y)

    def ranked(X: Array) -> Array:
        place = predict(X).argsort().argsort() / max(1, len(X) - 1)
        return np.asarray(np.quantile(targets, place))

    return ranked


def _chosen_on_all(cohort: Cohort) -> Array:
    X = band_features(cohort.X)
    r = [abs(np.corrcoef(one, cohort.y)[0, 1]) for one in X.T]
    return X[:, np.argsort(r)[-5:]]


def _components_of_all(cohort: Cohort) -> Array:
    X = band_features(cohort.X)
    X = X - X.mean(axis=0)
    return np.asarray(X @ np.linalg.svd(X, full_matrices=False)[2][:6].T)


def _with_mean_of_site(cohort: Cohort) -> Array:
    site = cohort.table["site"].to_numpy()
    mean = np.array([cohort.y[site == one].mean() for one in site])
    return np.column_stack([band_features(cohort.X), mean])


def _with_number_of_name(cohort: Cohort) -> Array:
    number = [int("".join(c for c in name if c.isdigit()) or 0) for name in cohort.subjects]
    return np.column_stack([band_features(cohort.X), np.array(number) / 10])


def _with_place(cohort: Cohort) -> Array:
    return np.column_stack([band_features(cohort.X), np.arange(len(cohort.y)) / len(cohort.y)])


def _with_smoothed_target(cohort: Cohort) -> Array:
    """Add a covariate that was imputed from the targets of all subjects."""
    subject = np.unique(cohort.subjects, return_inverse=True)[1]
    noise = np.random.default_rng(0).standard_normal(cohort.n_subjects)[subject]
    return np.column_stack([band_features(cohort.X), cohort.y + noise])


def _windows(cohort: Cohort, seed: int) -> Folds:
    number = np.random.default_rng(seed).integers(0, 3, len(cohort.y))
    return [
        (f"fold-{one}", np.flatnonzero(number != one), np.flatnonzero(number == one))
        for one in range(3)
    ]


def _one_window_slips_in(cohort: Cohort, seed: int) -> Folds:
    return [
        (name, np.concatenate([train, test[:1]]) if name == "fold-2" else train, test)
        for name, train, test in by_subject(3)(cohort, seed)
    ]


def _best_quarter(cohort: Cohort, seed: int) -> Folds:
    """Keep the one of four random quarters that is predicted best."""
    X = band_features(cohort.X)

    def error(fold: tuple[str, Array, Array]) -> float:
        _, train, test = fold
        return float(((ridge(X[train], cohort.y[train])(X[test]) - cohort.y[test]) ** 2).mean())

    return [min(split.drawn(cohort, seed), key=error)]


_FITTED: dict[bytes, Predict] = {}


def _remembered_by_signal(train: Train) -> Predict:
    key = train.X.tobytes()
    if key not in _FITTED:
        _FITTED[key] = learn.linear(train)
    return _FITTED[key]


#: Leaky studies by their fault, each with the check that must find it.
TWINS: dict[str, tuple[Study, str]] = {
    "standardised over all subjects": (careful(inputs=part.standardised_together), "LK102"),
    "components of all subjects": (careful(inputs=_components_of_all), "LK102"),
    "features chosen by all targets": (careful(inputs=_chosen_on_all), "LK101"),
    "mean target of the site": (careful(inputs=_with_mean_of_site), "LK101"),
    "covariate made from targets": (careful(inputs=_with_smoothed_target), "LK101"),
    "number of the name": (careful(inputs=_with_number_of_name), "LK103"),
    "place in the table": (careful(inputs=_with_place), "LK104"),
    "own windows, none declared": (
        careful(
            inputs=part.of_own_windows(lambda X: X - np.median(X, axis=0).mean()),
            declares={"access": "none"},
        ),
        "LK102",
    ),
    "labelled windows, not declared": (careful(finish=part.calibrated(2)), "LK101"),
    "a batch standardised": (careful(learner=_in_batches(_standardised)), "LK102"),
    "a batch ranked": (careful(learner=_ranked), "LK102"),
    "smoothed over rows": (careful(finish=_smoothed_over_rows), "LK102"),
    "matched to the test targets": (careful(finish=_per_fold(_matched)), "LK101"),
    "calibrated on the test set": (careful(finish=_per_fold(_calibrated)), "LK101"),
    "clipped to the test range": (
        careful(finish=_per_fold(lambda y_pred, y: np.clip(y_pred, y.min(), y.max()))),
        "LK101",
    ),
    "sign chosen on the test set": (careful(finish=_per_fold(_turned)), "LK101"),
    "shrinkage chosen on the test set": (careful(finish=_per_fold(_best_shrinkage)), "LK101"),
    "a fiftieth of the truth": (
        careful(finish=_per_fold(lambda y_pred, y: 0.98 * y_pred + 0.02 * y)),
        "LK101",
    ),
    "worst windows dropped": (careful(finish=_without_the_worst), "LK108"),
    "windows at random": (careful(folds=_windows), "LK101"),
    "one window slips in": (careful(folds=_one_window_slips_in), "LK101"),
    "best of four quarters": (careful(folds=_best_quarter), "LK101"),
    "models remembered by signal": (careful(learner=_remembered_by_signal), "LK109"),
}

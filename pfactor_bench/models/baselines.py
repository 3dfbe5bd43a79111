"""Predictors that a deep network has to beat, and a ceiling that it cannot.

A baseline is one registered function from a cohort and a fold to a prediction for each of the
fold's held-out windows. Each learns from one row per training *subject*, and predicts one value per
held-out subject, repeated for their windows. Features of a subject come from that side of the split
alone. To add one, write such a function and register it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from pfactor_bench.cohorts.targets import MISSING_WORDS
from pfactor_bench.errors import PfactorBenchError
from pfactor_bench.models.eegdash_features import eegdash_features
from pfactor_bench.models.features import (
    injected_amplitude,
    log_band_power,
    noise_level,
    recording_seconds,
    subject_means,
)
from pfactor_bench.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pfactor_bench.types import Cohort, Fold

    Baseline: TypeAlias = Callable[[Cohort, Fold], NDArray[np.float64]]

#: Functions ``(cohort, fold) -> y_pred`` of shape ``(n_test_windows,)``.
BASELINES: Registry[Baseline] = Registry("baseline")

_PENALTIES = np.geomspace(1e-2, 1e4, 25)


class BaselineUnavailableError(PfactorBenchError):
    """A cohort lacks what a baseline needs: to be reported as missing, not as a failure."""


@BASELINES.register("train-mean")
def train_mean(cohort: Cohort, fold: Fold) -> NDArray[np.float64]:
    """Predict the training subjects' mean target, each subject counted once."""
    return np.full(len(fold.test), float(_training_targets(cohort, fold).mean()))


@BASELINES.register("train-median")
def train_median(cohort: Cohort, fold: Fold) -> NDArray[np.float64]:
    """Predict the training subjects' median target, each subject counted once."""
    return np.full(len(fold.test), float(np.median(_training_targets(cohort, fold))))


@BASELINES.register("demographics")
def demographics(cohort: Cohort, fold: Fold) -> NDArray[np.float64]:
    """Predict from age and sex by linear regression.

    Raises
    ------
    BaselineUnavailableError
        If the cohort's table has neither column, or no training subject a value.
    """
    from sklearn.linear_model import LinearRegression

    train, test = (
        cohort.table.iloc[side].drop_duplicates("subject").sort_values("subject")
        for side in (fold.train, fold.test)
    )
    train_design, test_design = demographic_design(train, test)
    model = LinearRegression().fit(train_design, _training_targets(cohort, fold))
    return _repeated(cohort, fold, model.predict(test_design))


@BASELINES.register("ridge-band-power")
def ridge_band_power(cohort: Cohort, fold: Fold) -> NDArray[np.float64]:
    """Predict from log band power by ridge regression.

    The penalty is chosen by leaving one training subject out at a time, since a row is a subject.
    """
    return _fit_predict(cohort, fold, log_band_power(cohort), _ridge())


@BASELINES.register("random-forest")
def random_forest(cohort: Cohort, fold: Fold) -> NDArray[np.float64]:
    """Predict from `eegdash.features` by a random forest of 300 trees, seeded.

    Power per band, the spectrum's slope, entropy and edge, moments and Hjorth parameters, line
    length, zero crossings and fractal dimension, of each channel.
    """
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(
        n_estimators=300, max_features=1 / 3, min_samples_leaf=2, random_state=0
    )
    return _fit_predict(cohort, fold, eegdash_features(cohort), forest)


@BASELINES.register("nuisance")
def nuisance(cohort: Cohort, fold: Fold) -> NDArray[np.float64]:
    """Predict from what should not matter: amount of data, channel noise, release.

    A skill above 0 says that the target is mixed up with how a subject was recorded.
    """
    sides = [
        _nuisance_table(cohort, positions).reset_index(drop=True)
        for positions in (fold.train, fold.test)
    ]
    train_design, test_design = covariate_design(
        sides[0], sides[1], numeric=("n_windows", "seconds", "noise"), words=("release",)
    )
    model = _ridge().fit(train_design, _training_targets(cohort, fold))
    return _repeated(cohort, fold, model.predict(test_design))


@BASELINES.register("matched-filter")
def matched_filter(cohort: Cohort, fold: Fold) -> NDArray[np.float64]:
    """Predict from the size of the injected rhythm: the ceiling of a synthetic cohort.

    Raises
    ------
    BaselineUnavailableError
        If nothing was injected.
    """
    from sklearn.linear_model import LinearRegression

    if cohort.injected is None:
        raise BaselineUnavailableError(
            f"cohort {cohort.name!r} has no injected signal, so there is no known ceiling"
        )
    amplitude = injected_amplitude(cohort, cohort.injected)
    return _fit_predict(cohort, fold, amplitude, LinearRegression())


def demographic_design(
    train: pd.DataFrame, test: pd.DataFrame
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return age and sex as numbers for training and held-out subjects, without an intercept.

    A missing age becomes the training subjects' mean age; a missing or unseen sex is neither.

    Parameters
    ----------
    train, test
        A row per subject, with a column ``age``, ``sex`` or both.

    Raises
    ------
    BaselineUnavailableError
        If there is neither column, or no training subject has a value.
    """
    return covariate_design(train, test, numeric=("age",), words=("sex",))


def covariate_design(
    train: pd.DataFrame, test: pd.DataFrame, *, numeric: tuple[str, ...], words: tuple[str, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return columns as numbers for training and held-out subjects, see `demographic_design`.

    Parameters
    ----------
    train, test
        A row per subject.
    numeric, words
        Columns that hold numbers, and categories.

    Raises
    ------
    BaselineUnavailableError
        If no training subject has a value in any of them.
    """
    columns: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    for name in numeric:
        if name in train.columns:
            columns.extend(_numbers(train[name], test[name]))
    for name in words:
        if name in train.columns:
            columns.extend(_indicators(train[name], test[name]))
    if not columns:
        raise BaselineUnavailableError(
            f"no training subject has a value in {' or '.join(map(repr, (*numeric, *words)))}: "
            f"add such a column to the cohort's table, or leave the baseline out"
        )
    return (
        np.column_stack([train_column for train_column, _ in columns]),
        np.column_stack([test_column for _, test_column in columns]),
    )


def _numbers(
    train: pd.Series[Any], test: pd.Series[Any]
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    sides = [
        pd.to_numeric(side, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        for side in (train, test)
    ]
    known = sides[0][np.isfinite(sides[0])]
    if not len(known):
        return []
    filled = [np.where(np.isfinite(side), side, known.mean()) for side in sides]
    return [(filled[0], filled[1])]


def _indicators(
    train: pd.Series[Any], test: pd.Series[Any]
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return a column per category of the training subjects but the first."""
    sides = [
        side.astype("string").str.strip().str.lower().fillna("").to_numpy(dtype=str)
        for side in (train, test)
    ]
    known = [word for word in np.unique(sides[0]) if word not in MISSING_WORDS]
    # Where someone's is missing, the first category is told apart from "missing" as well.
    first = 0 if set(np.unique(sides[0])) - set(known) else 1
    return [
        ((sides[0] == word).astype(np.float64), (sides[1] == word).astype(np.float64))
        for word in known[first:]
    ]


def _nuisance_table(cohort: Cohort, positions: NDArray[np.int64]) -> pd.DataFrame:
    """Return a row per subject, sorted by name."""
    rows = cohort.table.iloc[positions]
    names, noise = subject_means(noise_level(cohort)[positions], cohort.subjects[positions])
    table = pd.DataFrame(
        {
            "n_windows": rows.groupby("subject").size().reindex(names),
            "seconds": recording_seconds(rows, cohort.sfreq).reindex(names),
            "noise": pd.Series(noise[:, 0], index=names),
        }
    )
    if "release" in rows.columns:
        table["release"] = rows.drop_duplicates("subject").set_index("subject")["release"]
    return table


def _ridge() -> Any:  # noqa: ANN401 - scikit-learn publishes no types
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), RidgeCV(alphas=_PENALTIES))


def _fit_predict(
    cohort: Cohort,
    fold: Fold,
    features: NDArray[np.float64],
    model: Any,  # noqa: ANN401 - any scikit-learn regressor
) -> NDArray[np.float64]:
    """Fit one row per training subject and predict one per held-out subject.

    Parameters
    ----------
    cohort, fold
        As for a baseline.
    features
        A row per window of the cohort, shape ``(n_windows, n_features)``.
    model
        An unfitted scikit-learn regressor.
    """
    _, train = subject_means(features[fold.train], cohort.subjects[fold.train])
    _, test = subject_means(features[fold.test], cohort.subjects[fold.test])
    model.fit(train, _training_targets(cohort, fold))
    return _repeated(cohort, fold, model.predict(test))


def _training_targets(cohort: Cohort, fold: Fold) -> NDArray[np.float64]:
    """Return a target per training subject, in the order of their sorted names."""
    _, first = np.unique(cohort.subjects[fold.train], return_index=True)
    return cohort.y[fold.train][first]


def _repeated(cohort: Cohort, fold: Fold, per_subject: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a prediction per held-out subject for each of their windows."""
    _, inverse = np.unique(cohort.subjects[fold.test], return_inverse=True)
    return np.asarray(per_subject, dtype=np.float64)[inverse]

"""An honest study in parts: what a learner is handed holds no held-out row, so it cannot leak."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from benchmarks.detection.honest import band_features, predictions_table, ridge, subject_folds
from pfactor_bench.studies.changes import changed, with_columns
from pfactor_bench.studies.declaration import declare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from pfactor_bench.studies.contract import Study
    from pfactor_bench.types import Cohort

    Array: TypeAlias = NDArray[np.float64]
    Rows: TypeAlias = NDArray[np.int64]
    Predict: TypeAlias = Callable[[Array], Array]
    Learner: TypeAlias = Callable[["Train"], Predict]
    Folds: TypeAlias = Sequence[tuple[str, Rows, Rows]]
    Part: TypeAlias = tuple["Train", Array]

__all__ = ["Train", "by_subject", "careful", "linear", "participants", "roles_stated"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Train:
    """What a fold is learnt from.

    Parameters
    ----------
    X, y, subjects
        Of the training windows.
    rng
        The fold's own stream, or the one that all folds share.
    """

    X: Array
    y: Array
    subjects: NDArray[np.str_]
    rng: np.random.Generator


def linear(train: Train) -> Predict:
    """Learn a ridge regression."""
    return ridge(train.X, train.y)


def by_subject(n_folds: int) -> Callable[[Cohort, int], Folds]:
    """Return a k-fold of subjects."""
    return lambda cohort, seed: list(subject_folds(cohort, seed, n_folds))


def _power(cohort: Cohort) -> Array:
    return band_features(cohort.X)


_THREE_FOLDS = by_subject(3)


def _own_stream(seed: int) -> Callable[[int], np.random.Generator]:
    return lambda number: np.random.default_rng([seed, number])


def _each(work: Callable[[Any], Any], jobs: Iterable[Any]) -> list[Any]:
    return [work(job) for job in jobs]


def _as_it_is(_cohort: Cohort, table: pd.DataFrame) -> pd.DataFrame:
    return table


def careful(
    *,
    folds: Callable[[Cohort, int], Folds] = _THREE_FOLDS,
    inputs: Callable[[Cohort], Array] = _power,
    learner: Learner = linear,
    streams: Callable[[int], Callable[[int], np.random.Generator]] = _own_stream,
    run: Callable[[Callable[[Any], Any], Iterable[Any]], list[Any]] = _each,
    finish: Callable[[Cohort, pd.DataFrame], pd.DataFrame] = _as_it_is,
    declares: dict[str, Any] | None = None,
) -> Study:
    """Return a study that learns each fold from its training windows alone.

    Parameters
    ----------
    folds
        Name, training rows and test rows.
    inputs
        Of each window; what needs a subject's other windows or a column is declared.
    learner
        From training windows to predictions.
    streams
        From the seed to a random stream for each fold's number.
    run
        Runs the folds, here or side by side.
    finish
        What is done to the table of all folds, without any target.
    declares
        What `pfactor_bench.declare` is handed.
    """

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        X, stream = inputs(cohort), streams(seed)

        def one(job: tuple[int, tuple[str, Rows, Rows]]) -> pd.DataFrame:
            number, (name, rows, test) = job
            train = Train(
                X=X[rows], y=cohort.y[rows], subjects=cohort.subjects[rows], rng=stream(number)
            )
            return predictions_table(cohort, test, learner(train)(X[test]), name)

        return finish(cohort, pd.concat(run(one, enumerate(folds(cohort, seed)))))

    return declare(**declares)(study) if declares else study


def roles_stated(folds: Callable[[Cohort, int], Folds]) -> Study:
    """Return a study that says in its table which rows each fold was trained on."""

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        tables = [careful(folds=folds)(cohort, seed=seed).assign(role="test")]
        names = cohort.table["sample_id"].to_numpy()
        for name, train, _ in folds(cohort, seed):
            tables.append(pd.DataFrame({"sample_id": names[train], "fold": name, "role": "train"}))
        return pd.concat(tables)

    return study


def participants(n_subjects: int = 12, n_windows: int = 8) -> Cohort:
    """Return subjects of two sessions and two sites, whose rhythm grows with the target."""
    from pfactor_bench.cohorts.synthetic import synthetic

    cohort = synthetic(n_subjects=n_subjects, n_windows=n_windows, seed=5, amplitude=0.0)
    rhythm = np.sin(2 * np.pi * 10 * np.arange(cohort.X.shape[-1]) / cohort.sfreq)
    X = np.array(cohort.X)
    X[:, 1] += np.exp(0.5 * cohort.y)[:, None] * rhythm
    cohort = changed(cohort, X=X)
    subject = np.unique(cohort.subjects, return_inverse=True)[1]
    rng = np.random.default_rng(5)
    later = np.arange(len(cohort.y)) % n_windows >= n_windows // 2
    return with_columns(
        cohort,
        {
            "session": np.where(later, "2", "1"),
            "age": rng.uniform(5, 21, n_subjects).round(1)[subject],
            "sex": rng.permutation(np.tile(["F", "M"], n_subjects))[:n_subjects][subject],
            "site": np.array(["east", "west"])[subject % 2],
        },
    )

"""A study in parts: each does one thing as a careful researcher would, and can be swapped."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pfactor_bench.studies.contract import Study
    from pfactor_bench.types import Cohort, Fold, Split

    Rows = NDArray[np.int64]
    Array = NDArray[np.float64]

__all__ = ["Log", "Parts", "Task", "predict_folds", "study_of"]


@dataclass(kw_only=True, slots=True)
class Log:
    """What a run notes about itself, for whoever injects.

    Parameters
    ----------
    inner
        Inner splits: ``by, train, valid, decides``.
    """

    inner: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Task:
    """One fold, as it is put to a model.

    Parameters
    ----------
    fold
        Its name.
    X
        What a model may see of each window: features ``(n_windows, n_features)`` or signal
        ``(n_windows, n_chans, n_times)``.
    y, subjects
        Targets and subjects, ``(n_windows,)``.
    train, test
        Positions.
    seed
        Of everything random.
    kept
        What may be carried into training; empty in every fold of a clean study.
    log
        What the run notes.
    """

    fold: str
    X: Array
    y: Array
    subjects: NDArray[np.str_]
    train: Rows
    test: Rows
    seed: int
    kept: dict[str, Any]
    log: Log


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Parts:
    """Everything that a study does, in order.

    Parameters
    ----------
    split
        Who is trained on and who is held out.
    inputs
        What a model may see of each window.
    fit_rows
        The rows that transformations are fitted on.
    prepare
        Fits transformations on rows of a task and returns the task with transformed inputs.
    training_set
        Inputs and targets to learn from.
    candidates
        Predictions for the held-out windows, a row per stage, setting or seed of the model. The
        last is the one that was planned.
    choose
        Which of them is handed in.
    at_test
        What is done to held-out inputs before they are predicted.
    finish
        What is done to predictions.
    hand_in
        What is done to the table of all folds.
    keeps_weights
        Whether a fold begins where the one before ended.
    states_rows
        Whether the table says what was trained on.
    """

    split: Callable[[Cohort, int], Split]
    inputs: Callable[[Cohort], Array]
    fit_rows: Callable[[Task], Rows]
    prepare: Callable[[Task, Rows], Task]
    training_set: Callable[[Task], tuple[Array, Array]]
    candidates: Callable[[Task, Array, Array, Array], Array]
    choose: Callable[[Task, Array], int]
    at_test: Callable[[Task, Array], Array]
    finish: Callable[[Task, Array], Array]
    hand_in: Callable[[Cohort, pd.DataFrame], pd.DataFrame]
    keeps_weights: bool = False
    states_rows: bool = True


def study_of(parts: Parts) -> Study:
    """Return the study that is made of these parts."""

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        return predict_folds(parts, cohort, seed, Log())

    return study


def predict_folds(parts: Parts, cohort: Cohort, seed: int, log: Log) -> pd.DataFrame:
    """Run a study on a cohort and return the contract's table; `log` is filled meanwhile."""
    X = parts.inputs(cohort)
    kept: dict[str, Any] = {}
    names = cohort.table["sample_id"].to_numpy()
    tables = []
    for fold in parts.split(cohort, seed).folds:
        if not parts.keeps_weights:
            kept = {}
        task = _task(cohort, X, fold, seed=seed, kept=kept, log=log)
        test = {"sample_id": names[fold.test], "fold": fold.name, "role": "test"}
        tables.append(pd.DataFrame({**test, "y_pred": _predict(parts, task)}))
        if parts.states_rows:
            train = {"sample_id": names[fold.train], "fold": fold.name, "role": "train"}
            tables.append(pd.DataFrame({**train, "y_pred": np.nan}))
    return parts.hand_in(cohort, pd.concat(tables, ignore_index=True))


def _task(
    cohort: Cohort, X: Array, fold: Fold, *, seed: int, kept: dict[str, Any], log: Log
) -> Task:
    return Task(
        fold=fold.name,
        X=X,
        y=cohort.y,
        subjects=cohort.subjects,
        train=fold.train,
        test=fold.test,
        seed=seed,
        kept=kept,
        log=log,
    )


def _predict(parts: Parts, task: Task) -> Array:
    prepared = parts.prepare(task, parts.fit_rows(task))
    X, y = parts.training_set(prepared)
    held_out = parts.at_test(prepared, prepared.X[prepared.test])
    candidates = parts.candidates(prepared, X, y, held_out)
    return parts.finish(prepared, candidates[parts.choose(prepared, candidates)])

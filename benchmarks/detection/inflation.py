"""The inflation: what a leak adds to the r and the skill of one and the same model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from benchmarks.detection.cohorts import COHORTS
from benchmarks.detection.leaks import injected_leaks
from benchmarks.detection.parts import Log, predict_folds
from benchmarks.detection.recipes import Recipe, parts_of
from benchmarks.detection.scenes import Scene
from pfactor_bench.cohorts.eegmat.cohort import eegmat
from pfactor_bench.studies.contract import read_answer, table_columns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from pfactor_bench.types import Cohort

    Array = NDArray[np.float64]

__all__ = ["INFLATED", "measure_inflation", "paired_difference"]

#: The leaks of kinds 3, 8, 12 and 17 whose gain is measured, and the models.
INFLATED = ("subjects cut", "processed twice", "selected on every subject", "best epoch")
_FAMILIES = ("ridge", "forest", "kNN")
_LEVEL = 0.95


def measure_inflation(
    data_dir: Path | None, *, n_seeds: int = 5, on_row: Callable[[], object] = lambda: None
) -> dict[str, Any]:
    """Return what each inflated leak adds, on subjects with a signal and on real EEG.

    Parameters
    ----------
    data_dir
        Folder of real data; without it only synthetic subjects are inflated.
    n_seeds
        Seeds of the folds; a subject's predictions are averaged over them.
    on_row
        Called after each comparison, for progress.

    Returns
    -------
    dict
        ``n_seeds`` and ``rows``: ``cohort, kind, leak, family, n_subjects``, ``clean`` and
        ``leaky`` (``r, skill``), and for ``r`` and ``skill`` the ``difference, low, high``.
    """
    cohorts = {"synthetic": COHORTS["synthetic"](0, None)}
    if data_dir is not None:
        cohorts["EEGMAT"] = eegmat(data_dir=data_dir)
    rows = []
    for name, cohort in cohorts.items():
        for family in _FAMILIES:
            for inflated in INFLATED:
                leak = injected_leaks()[inflated]
                if leak.needs == "stages" and family == "kNN":
                    continue
                found = _compare(cohort, family, inflated, n_seeds)
                rows.append({"cohort": name, "kind": leak.kind, "leak": inflated, **found})
                on_row()
    return {"n_seeds": n_seeds, "rows": rows}


def _compare(cohort: Cohort, family: str, inflated: str, n_seeds: int) -> dict[str, Any]:
    # The clean twin of a selection on every subject selects as well, on training subjects.
    steps: tuple[Any, ...] = ("select",) if inflated == "selected on every subject" else ()
    subjects = np.unique(cohort.subjects)
    _, first = np.unique(cohort.subjects, return_index=True)
    truth: Array = cohort.y[first]
    clean, leaky = [], []
    for seed in range(n_seeds):
        recipe = Recipe(family=family, protocol="4-fold", steps=steps, seed=seed)
        scene = Scene(recipe=recipe, cohort=cohort, parts=parts_of(recipe))
        injected = injected_leaks()[inflated]
        clean.append(_subject_predictions(scene, subjects))
        leaky.append(_subject_predictions(injected.plant(scene, injected.full_severity), subjects))
    pair = np.array(clean), np.array(leaky)
    return {
        "family": family,
        "n_subjects": len(subjects),
        "clean": {key: value(truth, pair[0]) for key, value in _VALUES.items()},
        "leaky": {key: value(truth, pair[1]) for key, value in _VALUES.items()},
        **{key: paired_difference(value, truth, *pair) for key, value in _VALUES.items()},
    }


def _subject_predictions(scene: Scene, subjects: NDArray[np.str_]) -> Array:
    """Return each original subject's mean prediction, ``(n_subjects,)``."""
    parts = replace(scene.parts, states_rows=False)
    table = predict_folds(parts, scene.cohort, scene.recipe.seed, Log())
    folds = read_answer(table_columns(table), scene.cohort).folds
    positions = np.concatenate([fold.positions for fold in folds])
    y_pred = np.concatenate([fold.y_pred for fold in folds])
    whose = scene.cohort.subjects[positions]
    means: Array = np.array([y_pred[whose == subject].mean() for subject in subjects])
    return means


def _mean_r(truth: Array, predictions: Array) -> float:
    """Return Pearson's r, averaged over seeds; of a constant, 0."""
    return float(np.mean([_r(truth, one) for one in predictions]))


def _r(truth: Array, prediction: Array) -> float:
    if prediction.std() < 1e-9:  # noqa: PLR2004 - constant but for rounding
        return 0.0
    return float(np.corrcoef(truth, prediction)[0, 1])


def _skill(truth: Array, predictions: Array) -> float:
    """Return 1 − MSE / MSE of the other subjects' mean, averaged over seeds."""
    n = len(truth)
    base = (truth - (truth.sum() - truth) / (n - 1)) ** 2
    return float(1 - ((truth - predictions) ** 2).mean() / base.mean())


_VALUES: dict[str, Callable[[Array, Array], float]] = {"r": _mean_r, "skill": _skill}


def paired_difference(
    value: Callable[[Array, Array], float], truth: Array, clean: Array, leaky: Array
) -> dict[str, float]:
    """Return how much greater a value is with the leak, with a jackknife interval over subjects.

    Parameters
    ----------
    value
        From targets ``(n,)`` and predictions ``(n_seeds, n)``.
    truth, clean, leaky
        Targets, and predictions without and with the leak, of the same subjects.
    """
    n = len(truth)
    whole = value(truth, leaky) - value(truth, clean)
    without = np.array(
        [
            value(truth[rows], leaky[:, rows]) - value(truth[rows], clean[:, rows])
            for rows in (np.delete(np.arange(n), subject) for subject in range(n))
        ]
    )
    error = float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))
    reach = float(stats.t.ppf((1 + _LEVEL) / 2, n - 1)) * error
    return {"difference": whole, "low": whole - reach, "high": whole + reach}

"""How good predictions are, at the level of subjects and, beside it, of windows.

Every metric has a value or a reason, never NaN. Definitions are scikit-learn's where it has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["CONSTANT", "METRICS", "Metric", "evaluate", "pearson_r", "ranks", "subject_means"]

#: The metrics that `target` returns, in order, and what they are.
METRICS = {
    "mse": "mean squared error, in the target's unit squared",
    "mae": "mean absolute error, in the target's unit",
    "r2": "coefficient of determination",
    "pearson_r": "Pearson's correlation of prediction and target",
    "spearman_r": "Spearman's rank correlation of prediction and target",
    "nrmse": "root mean squared error over the standard deviation of the target",
    "skill": "1 − MSE / MSE of the training mean",
}

#: Below this standard deviation predictions are constant but for rounding.
CONSTANT = 1e-9

#: Values that differ by no more than this share of the largest are tied: means of windows carry
#: rounding.
_TIED = 1e-13


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """A value, or None and the reason; `note` says what must stand beside the value."""

    value: float | None
    missing_because: str | None = None
    note: str | None = None


def subject_means(
    subjects: NDArray[np.str_], values: NDArray[np.float64]
) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """Average over each subject's windows; a value that is the same in all of them is taken.

    The mean of equal numbers may differ from them in the last digit, and untie what is tied.

    Parameters
    ----------
    subjects
        The subject of each window, shape ``(n_windows,)``.
    values
        Shape ``(n_windows,)``.

    Returns
    -------
    names : ndarray of str, shape (n_subjects,)
        Sorted.
    means : ndarray of float64, shape (n_subjects,)
    """
    names, first, inverse, counts = np.unique(
        subjects, return_index=True, return_inverse=True, return_counts=True
    )
    values = np.asarray(values)
    means = np.bincount(inverse, weights=values) / counts
    is_constant = np.bincount(inverse, weights=values != values[first][inverse]) == 0
    return names, np.where(is_constant, values[first], means)


def ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks from 1; ties share their mean rank, and so do values but for rounding equal.

    Parameters
    ----------
    values
        Shape ``(n,)``.
    """
    order = np.argsort(values, kind="stable")
    steps = np.diff(values[order]) > _TIED * np.abs(values).max(initial=0.0)
    group = np.concatenate([[0], np.cumsum(steps)]) if len(values) else np.zeros(0, int)
    counts = np.bincount(group)
    found = np.empty(len(values))
    found[order] = (np.cumsum(counts) - (counts - 1) / 2)[group]
    return found


def evaluate(
    y_true: NDArray[np.float64], y_pred: NDArray[np.float64], y_base: NDArray[np.float64]
) -> dict[str, Metric]:
    """Return every metric of one set of predictions.

    Parameters
    ----------
    y_true, y_pred
        Truth and prediction, shape ``(n,)``: one entry per subject, or one per window.
    y_base
        The train-mean prediction for the same entries; it differs between folds.

    Returns
    -------
    dict
        The keys are `METRICS`. ``nrmse`` is the root mean squared error over the standard deviation
        of the truth, as in the EEG2025 challenge; ``skill`` is 1 − MSE / MSE of the train mean.
    """
    known = np.isfinite(y_true) & np.isfinite(y_pred) & np.isfinite(y_base)
    if not known.all():
        reason = (
            f"{int((~known).sum())} of {len(known)} entries have no finite target or prediction"
        )
        return {name: Metric(value=None, missing_because=reason) for name in METRICS}
    squared_error = (y_true - y_pred) ** 2
    mse = float(squared_error.mean())
    variance = float(((y_true - y_true.mean()) ** 2).mean())
    base_mse = float(((y_true - y_base) ** 2).mean())
    constant_truth = "the true targets are all equal"
    return {
        "mse": Metric(value=mse),
        "mae": Metric(value=float(np.abs(y_true - y_pred).mean())),
        "r2": _ratio(mse, variance, constant_truth, lambda ratio: 1 - ratio),
        "pearson_r": pearson_r(y_true, y_pred),
        "spearman_r": pearson_r(ranks(y_true), ranks(y_pred)),
        "nrmse": _ratio(mse, variance, constant_truth, np.sqrt),
        "skill": _ratio(mse, base_mse, "the train mean is exact here", lambda ratio: 1 - ratio),
    }


def pearson_r(y_true: NDArray[np.float64], y_pred: NDArray[np.float64]) -> Metric:
    """Return Pearson's correlation; 0, and said so, for a constant prediction."""
    if len(y_true) < 2:  # noqa: PLR2004 - a line needs two points
        return Metric(value=None, missing_because="a correlation needs at least 2 entries")
    if y_true.std() <= CONSTANT:
        return Metric(value=None, missing_because="the true targets are all equal")
    if y_pred.std() <= CONSTANT:
        return Metric(value=0.0, note="the prediction is constant: r is set to 0")
    return Metric(value=float(np.corrcoef(y_true, y_pred)[0, 1]))


def _ratio(error: float, scale: float, why_not: str, form: Callable[[float], float]) -> Metric:
    if scale <= 0:
        return Metric(value=None, missing_because=why_not)
    return Metric(value=float(form(error / scale)))

"""Correlations between true and predicted targets over subjects, and their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from pfactor_bench.types import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["pearson_interval", "spearman_interval"]

#: Leaving one of three subjects out leaves two points, whose correlation is always perfect.
_MIN_SUBJECTS = 4
_ROUNDING = 1e-9


def pearson_interval(
    y_true: NDArray[np.float64], y_pred: NDArray[np.float64], *, level: float = 0.95
) -> Interval | str:
    """Return the interval of Pearson's r averaged over seeds.

    A t-interval on Fisher's z scale whose standard error is the jackknife's over subjects. Unlike
    Fisher's own 1/√(n − 3) it needs no normal targets, and it follows from the data how much the
    average over seeds steadies the result.

    Parameters
    ----------
    y_true
        Shape ``(n,)``.
    y_pred
        One row per seed, shape ``(n_seeds, n)``.
    level
        Nominal coverage.

    Returns
    -------
    Interval or str
        Or the reason why there is none.

    References
    ----------
    .. [1] Miller (1974), "The jackknife - a review", Biometrika 61, 1-15,
       doi:10.1093/biomet/61.1.1: the jackknife on the z scale.
    """
    reason = _no_interval(y_true, y_pred)
    if reason:
        return reason
    n = len(y_true)
    r = float(_correlations(np.vstack([y_true, y_pred]))[0, 1:].mean())
    without_one = _leave_one_out(y_true, y_pred)
    if without_one is None:
        return "without one of the subjects the others' targets or predictions are all equal"
    if 1 - max(abs(r), float(np.abs(without_one).max())) <= _ROUNDING:
        return "the correlation is perfect, so no spread can be estimated"
    z = np.arctanh(without_one)
    standard_error = float(np.sqrt((n - 1) / n * ((z - z.mean()) ** 2).sum()))
    return _back_from_z(
        r,
        standard_error,
        critical=float(stats.t.ppf((1 + level) / 2, n - 1)),
        level=level,
        method="t-interval of Fisher's z, jackknife over subjects",
    )


def spearman_interval(
    y_true: NDArray[np.float64], y_pred: NDArray[np.float64], *, level: float = 0.95
) -> Interval | str:
    """Return the interval of Spearman's correlation averaged over seeds.

    Fisher's z with Bonett and Wright's variance. For several seeds, the variance of their average:
    correlations that share the true targets are themselves correlated, the more so the more alike
    two seeds predict. Parameters and result are those of `pearson_interval`.

    References
    ----------
    .. [1] Bonett and Wright (2000), "Sample size requirements for estimating Pearson, Kendall and
       Spearman correlations", Psychometrika 65, 23-28, doi:10.1007/BF02294183.
    .. [2] Steiger (1980), "Tests for comparing elements of a correlation matrix", Psychological
       Bulletin 87, 245-251, doi:10.1037/0033-2909.87.2.245, equation 3.
    """
    reason = _no_interval(y_true, y_pred)
    if reason:
        return reason
    matrix = _correlations(stats.rankdata(np.vstack([y_true, y_pred]), axis=1))
    r = float(matrix[0, 1:].mean())
    if 1 - abs(r) <= _ROUNDING:
        return "the correlation is perfect, so no spread can be estimated"
    # With one seed the first two factors are 1.
    variance = _mean_covariance(matrix[0, 1:], matrix[1:, 1:]) / (1 - r * r) ** 2
    standard_error = float(np.sqrt(variance * (1 + r * r / 2) / (len(y_true) - 3)))
    return _back_from_z(
        r,
        standard_error,
        critical=float(stats.norm.ppf((1 + level) / 2)),
        level=level,
        method="Fisher's z with Bonett and Wright's variance over subjects",
    )


def _mean_covariance(with_truth: NDArray[np.float64], between_seeds: NDArray[np.float64]) -> float:
    """Return n × the variance of correlations with one truth, averaged over seeds."""
    one, other = with_truth[:, np.newaxis], with_truth[np.newaxis, :]
    rest = 1 - one**2 - other**2
    covariance = between_seeds * rest - one * other * (rest - between_seeds**2) / 2
    return max(0.0, float(covariance.mean()))


def _no_interval(y_true: NDArray[np.float64], y_pred: NDArray[np.float64]) -> str | None:
    if len(y_true) < _MIN_SUBJECTS:
        return f"an interval of r needs at least {_MIN_SUBJECTS} subjects, there are {len(y_true)}"
    if not (np.isfinite(y_true).all() and np.isfinite(y_pred).all()):
        return "not every subject has a finite target and prediction"
    if y_true.std() <= _ROUNDING:
        return "the true targets are all equal"
    if (y_pred.std(axis=1) <= _ROUNDING).any():
        return "the prediction is constant"
    return None


def _correlations(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.atleast_2d(np.corrcoef(rows))


def _leave_one_out(
    y_true: NDArray[np.float64], y_pred: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Return r averaged over seeds without each subject in turn, shape ``(n,)``."""
    n = len(y_true)
    # Standardised first: what is left of a sum after one term is taken away keeps its digits.
    true = (y_true - y_true.mean()) / y_true.std()
    pred = (y_pred - y_pred.mean(axis=1, keepdims=True)) / y_pred.std(axis=1, keepdims=True)
    products = (true * pred).sum(axis=1, keepdims=True) - true * pred + true * pred / (1 - n)
    true_squares = n - true**2 * n / (n - 1)
    pred_squares = n - pred**2 * n / (n - 1)
    if min(float(true_squares.min()), float(pred_squares.min())) <= _ROUNDING:
        return None
    without_one: NDArray[np.float64] = (products / np.sqrt(true_squares * pred_squares)).mean(
        axis=0
    )
    return without_one


def _back_from_z(
    r: float, standard_error: float, *, critical: float, level: float, method: str
) -> Interval:
    low, high = np.tanh(np.arctanh(r) + critical * standard_error * np.array([-1.0, 1.0]))
    return Interval(
        low=float(low),
        high=float(high),
        level=level,
        method=method,
        se=standard_error * (1 - r * r),
    )

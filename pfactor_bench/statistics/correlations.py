"""Correlations between targets and predictions over subjects, and their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from pfactor_bench.statistics.evaluation import (
    HELD_OUT,
    SCALE_FREE,
    Evaluation,
    per_cluster,
    t_quantile,
)
from pfactor_bench.statistics.metrics import ranks
from pfactor_bench.types import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["pearson_interval", "spearman_interval", "within_fold_r"]

#: Leaving one of three subjects out leaves two points, whose correlation is always perfect.
_MIN_SUBJECTS = 4
_ROUNDING = 1e-9
_PERFECT = "the correlation is perfect, so no spread can be estimated"


def pearson_interval(
    y_true: NDArray[np.float64],
    y_pred: NDArray[np.float64],
    *,
    clusters: NDArray[np.str_] | None = None,
    level: float = 0.95,
) -> Interval | str:
    """Return the interval of Pearson's r averaged over seeds, of models that are given.

    A t-interval on Fisher's z scale whose standard error is the jackknife's over subjects. Unlike
    Fisher's own 1/√(n − 3) it needs no normal targets, and it follows from the data how much the
    average over seeds steadies the result.

    Parameters
    ----------
    y_true
        Shape ``(n,)``.
    y_pred
        One row per seed, shape ``(n_seeds, n)``.
    clusters
        The family or site of each subject, shape ``(n,)``; None where nobody is related.
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
    one_fold = np.zeros(len(y_true), dtype=np.int64)
    design = _Design(folds=one_fold, clusters=clusters, evaluation=HELD_OUT, level=level)
    found = _pearson(y_true, y_pred, design)
    return found if isinstance(found, str) else found[1]


def within_fold_r(
    y_true: NDArray[np.float64],
    y_pred: NDArray[np.float64],
    folds: NDArray[np.str_],
    *,
    clusters: NDArray[np.str_] | None = None,
    level: float = 0.95,
) -> tuple[float, Interval] | str:
    """Return Pearson's r of cross-validated predictions, and its interval, averaged over seeds.

    Targets and predictions are centred in each fold first. Between folds they are related without
    any skill: where a fold's targets are high, the mean of all others is low. Within a fold all
    predictions come from models that have seen none of it, so that r of a model of nothing is 0 on
    average. The jackknife's standard error is √2 times that of given models.

    Parameters
    ----------
    y_true, y_pred
        As in `pearson_interval`.
    folds
        The fold that held each subject out, shape ``(n,)``; subjects alone in theirs are left out.
    clusters, level
        As in `pearson_interval`.
    """
    numbers, counts = np.unique(folds, return_inverse=True, return_counts=True)[1:]
    kept = counts[numbers] > 1
    if not kept.any():
        return "every fold holds one subject out, so nothing varies within a fold"
    design = _Design(
        folds=np.unique(folds[kept], return_inverse=True)[1],
        clusters=None if clusters is None else clusters[kept],
        evaluation=SCALE_FREE,
        level=level,
    )
    return _pearson(y_true[kept], y_pred[:, kept], design)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Design:
    """Who was held out with whom: numbers of folds, and names of clusters, per subject."""

    folds: NDArray[np.int64]
    clusters: NDArray[np.str_] | None
    evaluation: Evaluation
    level: float


def _pearson(
    y_true: NDArray[np.float64], y_pred: NDArray[np.float64], design: _Design
) -> tuple[float, Interval] | str:
    reason = _not_comparable(y_true, y_pred)
    if reason:
        return reason
    true, pred = _centred(y_true[np.newaxis], design.folds), _centred(y_pred, design.folds)
    reason = _constant(true[0], pred)
    if reason:
        return reason
    # Standardised first: what is left of a sum after one term is taken away keeps its digits.
    true, pred = true / true.std(), pred / pred.std(axis=1, keepdims=True)
    r = float((true * pred).mean(axis=1).mean())
    without_one = _leave_one_out(true, pred, np.bincount(design.folds)[design.folds])
    if without_one is None:
        return "without one of the subjects the others' targets or predictions are all equal"
    if 1 - max(abs(r), float(np.abs(without_one).max())) <= _ROUNDING:
        return _PERFECT
    interval = _jackknifed(r, np.arctanh(without_one), design)
    return interval if isinstance(interval, str) else (r, interval)


def _jackknifed(r: float, z: NDArray[np.float64], design: _Design) -> Interval | str:
    """Return the interval of r, given Fisher's z without each subject in turn."""
    influences = (len(z) - 1) * (z.mean() - z)
    if design.clusters is not None:
        influences = per_cluster(influences, design.clusters)
    n = len(influences)
    df = min(len(z) - 1 - int(design.folds.max()), n - 1)
    if df < 1:
        return "all subjects belong to one cluster, so no spread can be estimated"
    return _back_from_z(
        r,
        float(influences.std(ddof=1) / np.sqrt(n)) * design.evaluation.elsewhere,
        critical=t_quantile(design.level, df),
        level=design.level,
        method=f"t-interval of Fisher's z, jackknife over subjects{design.evaluation.words}",
        evaluation=design.evaluation,
        df=df,
    )


def _centred(rows: NDArray[np.float64], folds: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return rows less their means in each fold."""
    means = np.stack([np.bincount(folds, weights=row) for row in rows]) / np.bincount(folds)
    centred: NDArray[np.float64] = rows - means[:, folds]
    return centred


def spearman_interval(
    y_true: NDArray[np.float64], y_pred: NDArray[np.float64], *, level: float = 0.95
) -> Interval | str:
    """Return the interval of Spearman's correlation averaged over seeds.

    Fisher's z with Bonett and Wright's variance. For several seeds, the variance of their average:
    correlations that share the targets are themselves correlated, the more so the more alike
    two seeds predict. Parameters and result are those of `pearson_interval`.

    References
    ----------
    .. [1] Bonett and Wright (2000), "Sample size requirements for estimating Pearson, Kendall and
       Spearman correlations", Psychometrika 65, 23-28, doi:10.1007/BF02294183.
    .. [2] Steiger (1980), "Tests for comparing elements of a correlation matrix", Psychological
       Bulletin 87, 245-251, doi:10.1037/0033-2909.87.2.245, equation 3.
    """
    reason = _not_comparable(y_true, y_pred) or _constant(y_true, y_pred)
    if reason:
        return reason
    matrix = _correlations(np.stack([ranks(row) for row in (y_true, *y_pred)]))
    r = float(matrix[0, 1:].mean())
    if 1 - abs(r) <= _ROUNDING:
        return _PERFECT
    # With one seed the first two factors are 1.
    variance = _mean_covariance(matrix[0, 1:], matrix[1:, 1:]) / (1 - r * r) ** 2
    standard_error = float(np.sqrt(variance * (1 + r * r / 2) / (len(y_true) - 3)))
    return _back_from_z(
        r,
        standard_error,
        critical=float(stats.norm.ppf((1 + level) / 2)),
        level=level,
        method="Fisher's z with Bonett and Wright's variance over subjects",
        evaluation=HELD_OUT,
        df=len(y_true) - 1,
    )


def _mean_covariance(with_truth: NDArray[np.float64], between_seeds: NDArray[np.float64]) -> float:
    """Return n × the variance of correlations with one truth, averaged over seeds."""
    one, other = with_truth[:, np.newaxis], with_truth[np.newaxis, :]
    rest = 1 - one**2 - other**2
    covariance = between_seeds * rest - one * other * (rest - between_seeds**2) / 2
    return max(0.0, float(covariance.mean()))


def _not_comparable(y_true: NDArray[np.float64], y_pred: NDArray[np.float64]) -> str | None:
    if len(y_true) < _MIN_SUBJECTS:
        return f"an interval of r needs at least {_MIN_SUBJECTS} subjects, there are {len(y_true)}"
    if not (np.isfinite(y_true).all() and np.isfinite(y_pred).all()):
        return "not every subject has a finite target and prediction"
    return None


def _constant(y_true: NDArray[np.float64], y_pred: NDArray[np.float64]) -> str | None:
    if y_true.std() <= _ROUNDING:
        return "the targets are all equal"
    if (y_pred.std(axis=1) <= _ROUNDING).any():
        return "the prediction is constant"
    return None


def _correlations(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.atleast_2d(np.corrcoef(rows))


def _leave_one_out(
    true: NDArray[np.float64], pred: NDArray[np.float64], sizes: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    """Return r averaged over seeds without each subject in turn, shape ``(n,)``.

    Parameters
    ----------
    true, pred
        Standardised, shapes ``(1, n)`` and ``(n_seeds, n)``.
    sizes
        How many subjects each subject's fold holds out: without one, the mean of the others moves.
    """
    n, gone = true.shape[1], sizes / (sizes - 1)
    products = (true * pred).sum(axis=1, keepdims=True) - true * pred * gone
    true_squares, pred_squares = n - true**2 * gone, n - pred**2 * gone
    if min(float(true_squares.min()), float(pred_squares.min())) <= _ROUNDING:
        return None
    without_one: NDArray[np.float64] = (products / np.sqrt(true_squares * pred_squares)).mean(
        axis=0
    )
    return np.clip(without_one, -1.0, 1.0)


def _back_from_z(
    r: float,
    standard_error: float,
    *,
    critical: float,
    level: float,
    method: str,
    evaluation: Evaluation,
    df: int,
) -> Interval:
    low, high = np.tanh(np.arctanh(r) + critical * standard_error * np.array([-1.0, 1.0]))
    return Interval(
        low=float(low),
        high=float(high),
        level=level,
        method=method,
        se=standard_error * (1 - r * r),
        estimand=evaluation.estimand,
        df=df,
    )

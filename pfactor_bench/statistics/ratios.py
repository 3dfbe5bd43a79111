"""Intervals for the ratio of two means over the same subjects: skill and R²."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from pfactor_bench.statistics.evaluation import HELD_OUT, Evaluation, t_quantile
from pfactor_bench.statistics.means import LARGEST_LOG, MIN_SUBJECTS
from pfactor_bench.types import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ratio_interval"]

_ROUNDING = 1e-9

#: A ratio of errors beyond this is no end of an interval.
_FARTHEST = 1e12


def ratio_interval(
    numerator: NDArray[np.float64],
    denominator: NDArray[np.float64],
    *,
    evaluation: Evaluation = HELD_OUT,
    level: float = 0.95,
) -> Interval | str:
    """Return the interval of mean(numerator) / mean(denominator), both positive.

    Fieller's: all ratios q for which a paired t-test cannot tell ``numerator`` from
    ``q × denominator``. It therefore agrees with the paired t-test of the two. With few subjects
    the denominator may be indistinguishable from 0, and an end is missing; that of a t-interval of
    the log ratio with a jackknife standard error then stands in.

    Parameters
    ----------
    numerator, denominator
        One entry per subject, shape ``(n,)``.
    evaluation
        By how much the t-test's standard error grows.
    level
        Nominal coverage.

    Returns
    -------
    Interval or str
        Or the reason why there is none.

    References
    ----------
    .. [1] Fieller (1954), "Some problems in interval estimation", Journal of the Royal Statistical
       Society B 16, 175-185, doi:10.1111/j.2517-6161.1954.tb00159.x.
    """
    n = len(numerator)
    if n < MIN_SUBJECTS:
        return f"an interval needs at least {MIN_SUBJECTS} subjects, there are {n}"
    if not (np.isfinite(numerator).all() and np.isfinite(denominator).all()):
        return "not every subject has a finite value"
    mean = float(denominator.mean())
    if mean <= 0:
        return "the error that it is compared with is 0"
    ratio = float(numerator.mean()) / mean
    deviation = (numerator - ratio * denominator) / mean
    if float(np.abs(deviation).max()) <= _ROUNDING:
        return "the two errors have one ratio for every subject, so no spread can be estimated"
    critical = t_quantile(level, n - 1)
    ends = [
        _fieller_end(numerator, denominator, critical, evaluation, upwards=upwards)
        for upwards in (False, True)
    ]
    method = "Fieller's interval (a paired t-test over subjects, inverted)"
    if None in ends:
        ends = _log_jackknife(numerator, denominator, critical * evaluation.elsewhere)
        method = "t-interval of the log ratio, jackknife over subjects"
    low, high = ends
    if low is None or high is None:
        return "all of the error rests on one subject, so no spread can be estimated"
    standard_error = float(deviation.std(ddof=1) / np.sqrt(n))
    return Interval(
        low=low,
        high=high,
        level=level,
        method=method + evaluation.words_at_null,
        se=standard_error * evaluation.at_null,
        estimand=evaluation.estimand,
        df=n - 1,
    )


def _fieller_end(
    numerator: NDArray[np.float64],
    denominator: NDArray[np.float64],
    critical: float,
    evaluation: Evaluation,
    *,
    upwards: bool,
) -> float | None:
    """Return the ratio on one side at which the t-test begins to reject; None if it never does."""
    a, b = float(numerator.mean()), float(denominator.mean())
    ratio = a / b
    squares = np.cov(numerator, denominator) * (critical**2 / len(numerator))
    (v_aa, v_ab), (_, v_bb) = squares.tolist()

    def excess(q: float) -> float:
        share = (1 - q) / (1 - ratio) if ratio != 1 else 0.0
        squared = max(0.0, v_aa - 2 * q * v_ab + q * q * v_bb)
        return abs(a - q * b) - evaluation.factor(share) * math.sqrt(squared)

    if not upwards:  # a ratio of two squared errors is never negative
        return float(brentq(excess, 0.0, ratio)) if ratio and excess(0.0) > 0 else 0.0
    far = ratio + 1.0
    while excess(far) <= 0:
        far *= 2
        if far > _FARTHEST:
            return None
    return float(brentq(excess, ratio, far))


def _log_jackknife(
    numerator: NDArray[np.float64], denominator: NDArray[np.float64], reach: float
) -> list[float | None]:
    n = len(numerator)
    without = np.array([numerator.sum() - numerator, denominator.sum() - denominator])
    if not ((without > 0).all() and numerator.mean() > 0):
        return [None, None]
    logs = np.log(without[0] / without[1])
    standard_error = float(np.sqrt((n - 1) / n * ((logs - logs.mean()) ** 2).sum()))
    ratio = float(numerator.mean() / denominator.mean())
    factor = float(np.exp(min(reach * standard_error, LARGEST_LOG)))
    return [ratio / factor, ratio * factor]

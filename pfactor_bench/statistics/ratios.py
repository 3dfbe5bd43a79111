"""Intervals for the ratio of two means over the same subjects: skill and R²."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from pfactor_bench.statistics.means import MIN_SUBJECTS
from pfactor_bench.types import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ratio_interval"]

_ROUNDING = 1e-9


def ratio_interval(
    numerator: NDArray[np.float64], denominator: NDArray[np.float64], *, level: float = 0.95
) -> Interval | str:
    """Return the interval of mean(numerator) / mean(denominator), both positive.

    Fieller's: all ratios q for which a paired t-test cannot tell ``numerator`` from
    ``q × denominator``. It therefore agrees with the paired t-test of the two. With few subjects
    the denominator may be indistinguishable from 0, and the set has no upper end; a t-interval of
    the log ratio with a jackknife standard error then stands in.

    Parameters
    ----------
    numerator, denominator
        One entry per subject, shape ``(n,)``.
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
    standard_error = float(deviation.std(ddof=1) / np.sqrt(n))
    critical = float(stats.t.ppf((1 + level) / 2, n - 1))
    ends = _fieller(numerator, denominator, critical)
    method = "Fieller's interval (a paired t-test over subjects, inverted)"
    if ends is None:
        ends = _log_jackknife(numerator, denominator, critical)
        method = "t-interval of the log ratio, jackknife over subjects"
    if ends is None:
        return "all of the error rests on one subject, so no spread can be estimated"
    return Interval(low=ends[0], high=ends[1], level=level, method=method, se=standard_error)


def _fieller(
    numerator: NDArray[np.float64], denominator: NDArray[np.float64], critical: float
) -> tuple[float, float] | None:
    """Solve t(q)² = critical² for q; None where the solutions do not enclose an interval."""
    a, b = float(numerator.mean()), float(denominator.mean())
    (v_aa, v_ab), (_, v_bb) = np.cov(numerator, denominator) * (critical**2 / len(numerator))
    square, half, constant = b * b - v_bb, a * b - v_ab, a * a - v_aa
    discriminant = half * half - square * constant
    if square <= 0 or discriminant < 0:
        return None
    root = float(np.sqrt(discriminant))
    # A ratio of two squared errors is never negative.
    return max(0.0, float(half - root) / float(square)), float(half + root) / float(square)


def _log_jackknife(
    numerator: NDArray[np.float64], denominator: NDArray[np.float64], critical: float
) -> tuple[float, float] | None:
    n = len(numerator)
    without = np.array([numerator.sum() - numerator, denominator.sum() - denominator])
    if not ((without > 0).all() and numerator.mean() > 0):
        return None
    logs = np.log(without[0] / without[1])
    standard_error = float(np.sqrt((n - 1) / n * ((logs - logs.mean()) ** 2).sum()))
    ratio = float(numerator.mean() / denominator.mean())
    factor = float(np.exp(critical * standard_error))
    return ratio / factor, ratio * factor

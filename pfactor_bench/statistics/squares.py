"""Intervals for mean squared errors over subjects, and for the difference of two of them.

Squared errors have a long right tail, and what lies far out in it is missing from most samples of a
few dozen subjects. Their mean and their spread are then too small together, so that intervals fail
on one side: they end below a large error, and nearer to 0 than a large difference. The two
intervals here are Student's, widened on that side alone by a spread that the sample does not show.
No method can do without some such assumption: over all distributions there is no interval for a
mean [1]_.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.statistics.evaluation import HELD_OUT, Evaluation, t_quantile
from pfactor_bench.statistics.means import LARGEST_LOG, MIN_SUBJECTS, ROUNDING
from pfactor_bench.types import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["difference_interval", "mse_interval"]

#: Relative variance that is added to squared errors for the tail that a sample does not show. A
#: normal error's square has 2. Chosen by simulation, see docs/calibration.md.
_UNSEEN = 1.5

#: The far end of a difference lies at most so many times as far out as Student's.
_WIDEST = 1.5


def mse_interval(
    squared: NDArray[np.float64], *, evaluation: Evaluation = HELD_OUT, level: float = 0.95
) -> Interval | str:
    """Return the interval of a mean of squared errors.

    Student's t on the log scale. Upwards the relative variance of the squared errors is taken to be
    larger by 1.5 than the sample's.

    Parameters
    ----------
    squared
        A subject's squared error, averaged over seeds, shape ``(n,)``.
    evaluation
        By how much the standard error grows.
    level
        Nominal coverage.

    Returns
    -------
    Interval or str
        Or the reason why there is none.
    """
    reason = _no_interval(squared, size=squared)
    if reason:
        return reason
    n, mean = len(squared), float(squared.mean())
    critical = t_quantile(level, n - 1) * evaluation.elsewhere
    relative = float(squared.var(ddof=1)) / mean**2
    down, up = (critical * np.sqrt((relative + unseen) / n) for unseen in (0.0, _UNSEEN))
    if up > LARGEST_LOG:
        return "too few subjects differ from each other for a spread to be estimated"
    return Interval(
        low=mean * float(np.exp(-down)),
        high=mean * float(np.exp(up)),
        level=level,
        method=f"Student's t of the log over subjects, wider upwards{evaluation.words}",
        se=mean * float(np.sqrt(relative / n)) * evaluation.elsewhere,
        estimand=evaluation.estimand,
        df=n - 1,
    )


def difference_interval(
    minuend: NDArray[np.float64],
    subtrahend: NDArray[np.float64],
    *,
    evaluation: Evaluation = HELD_OUT,
    level: float = 0.95,
) -> Interval | str:
    """Return the interval of the difference of two mean squared errors over the same subjects.

    All differences δ that a paired t-test cannot reject whose variance grows with δ beyond the
    observed difference D: ``s²/n + v·(δ² − D²)``, v being the relative variance of the mean of both
    errors, 1.5/n for the tail that was not sampled included. For δ nearer to 0 it does not grow, so
    the interval excludes 0 exactly where the paired t-test, and with it Fieller's interval of
    skill, does. The far end lies at most 1.5 times as far out as Student's.

    Parameters
    ----------
    minuend, subtrahend
        Squared errors of a subject by two predictors, each averaged over seeds, shape ``(n,)``.
        Exchanging them changes the signs of the result and nothing else.
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
    .. [1] Bahadur and Savage (1956), "The nonexistence of certain statistical procedures in
       nonparametric problems", Annals of Mathematical Statistics 27, 1115-1122,
       doi:10.1214/aoms/1177728077.
    """
    gains = minuend - subtrahend
    reason = _no_interval(gains, size=minuend + subtrahend)
    if reason:
        return reason
    n, difference = len(gains), float(gains.mean())
    standard_error = float(gains.std(ddof=1) / np.sqrt(n))
    critical = t_quantile(level, n - 1)
    both = (minuend + subtrahend) / 2
    growth = critical**2 * (float(both.var(ddof=1)) / float(both.mean()) ** 2 + _UNSEEN) / n
    student, size = critical * standard_error, abs(difference)
    near = max(
        _towards(size, student, evaluation), _reach(-size, student * evaluation.at_null, growth)
    )
    far = _reach(size, student * evaluation.elsewhere, growth)
    down, up = (near, far) if difference >= 0 else (far, near)
    return Interval(
        low=difference - down,
        high=difference + up,
        level=level,
        method=f"paired t over subjects, wider away from 0{evaluation.words_at_null}",
        se=standard_error * evaluation.at_null,
        estimand=evaluation.estimand,
        df=n - 1,
    )


def _towards(size: float, student: float, evaluation: Evaluation) -> float:
    """Return how far the end on the side of 0 lies from a difference of this size."""
    if size <= student * evaluation.at_null:  # beyond 0 the standard error shrinks no further
        return student * evaluation.at_null
    # (u / student)² = at_null² + (elsewhere² − at_null²) · (1 − u / size), solved for u.
    half = student**2 * (evaluation.elsewhere**2 - evaluation.at_null**2) / (2 * size)
    return math.sqrt(half**2 + (student * evaluation.elsewhere) ** 2) - half


def _reach(outwards: float, student: float, growth: float) -> float:
    """Return how far an end lies from the difference.

    That is the u that solves ``u² = student² + growth · (u² + 2·outwards·u)``, kept between
    Student's half-width and `_WIDEST` times that.

    Parameters
    ----------
    outwards
        The difference, seen in the direction of the end: below 0 towards 0.
    student
        Half-width of Student's interval.
    growth
        By how much the squared half-width grows with the square of the difference.
    """
    if growth >= 1:  # so few subjects that nothing bounds it
        return _WIDEST * student if outwards > -student / 2 else student
    half = growth * outwards
    reach = (half + math.sqrt(half**2 + (1 - growth) * student**2)) / (1 - growth)
    return min(max(reach, student), _WIDEST * student)


def _no_interval(values: NDArray[np.float64], *, size: NDArray[np.float64]) -> str | None:
    """Return why there is no interval; a spread far below `size` is rounding."""
    n = len(values)
    if n < MIN_SUBJECTS:
        return f"an interval needs at least {MIN_SUBJECTS} subjects, there are {n}"
    if not np.isfinite(values).all():
        return "not every subject has a finite value"
    if float(values.std(ddof=1)) <= ROUNDING * np.sqrt(n) * float(size.max()):
        return "the value is the same for every subject"
    return None

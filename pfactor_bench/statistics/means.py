"""Intervals for means over subjects: symmetric bootstrap-t."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.statistics.evaluation import HELD_OUT, Evaluation, t_quantile
from pfactor_bench.types import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["LARGEST_LOG", "MIN_SUBJECTS", "ROUNDING", "mean_interval", "mean_intervals"]

#: With fewer subjects no spread is worth the name.
MIN_SUBJECTS = 3

#: Fewer subjects have too few different resamples for a studentised bootstrap.
_MIN_BOOTSTRAP = 8

#: Draws that are held in memory at a time: 500 × 3,000 subjects are 12 MB.
_CHUNK = 500

#: A factor of e²⁵ either way, eleven orders of magnitude, is the widest interval of a logarithm.
LARGEST_LOG = 25.0

#: A spread below this share of the values' size is rounding, not a spread.
ROUNDING = 1e-9


def mean_interval(
    values: NDArray[np.float64],
    *,
    seed: int,
    n_draws: int = 10_000,
    evaluation: Evaluation = HELD_OUT,
    level: float = 0.95,
    log: bool = False,
) -> Interval | str:
    """Return the interval of one mean over subjects; see `mean_intervals`."""
    return mean_intervals(
        values[:, np.newaxis],
        seed=seed,
        n_draws=n_draws,
        evaluation=evaluation,
        level=level,
        log=log,
    )[0]


def mean_intervals(
    values: NDArray[np.float64],
    *,
    seed: int,
    n_draws: int = 10_000,
    evaluation: Evaluation = HELD_OUT,
    level: float = 0.95,
    log: bool = False,
) -> tuple[Interval | str, ...]:
    """Return the intervals of several means over the same subjects, from the same resamples.

    The half-width is the standard error times the `level` quantile of ``|t|`` over resamples of
    subjects. Below 8 subjects it falls back on Student's t. Squared errors have intervals of their
    own, in `pfactor_bench.statistics.squares`.

    Parameters
    ----------
    values
        One row per subject, shape ``(n_subjects, n_means)``.
    seed
        Of the resampling.
    n_draws
        Resamples.
    evaluation
        By how much the standard error grows.
    level
        Nominal coverage.
    log
        Whether to work on the logarithm of the mean, for positive values with a long right tail.

    Returns
    -------
    tuple of Interval or str
        One per column; a reason where there is no interval.

    References
    ----------
    .. [1] Hall (1988), "On symmetric bootstrap confidence intervals", Journal of the Royal
       Statistical Society B 50, 35-45, doi:10.1111/j.2517-6161.1988.tb01709.x.
    """
    n = len(values)
    if n < MIN_SUBJECTS:
        return _for_each(
            values, f"an interval needs at least {MIN_SUBJECTS} subjects, there are {n}"
        )
    if not np.isfinite(values).all():
        return _for_each(values, "not every subject has a finite value")
    if n < _MIN_BOOTSTRAP:
        critical = np.full(values.shape[1], t_quantile(level, n - 1))
        method = "Student's t over subjects"
    else:
        critical = _critical_values(values, seed=seed, n_draws=n_draws, level=level, log=log)
        method = "symmetric bootstrap-t over subjects"
    if log:
        method += ", on the log scale"
    return tuple(
        _interval(column, float(quantile), level, method, evaluation, log=log)
        for column, quantile in zip(values.T, critical, strict=True)
    )


def _for_each(values: NDArray[np.float64], reason: str) -> tuple[str, ...]:
    return tuple(reason for _ in values.T)


def _interval(
    column: NDArray[np.float64],
    critical: float,
    level: float,
    method: str,
    evaluation: Evaluation,
    *,
    log: bool,
) -> Interval | str:
    mean = float(column.mean())
    standard_error = float(column.std(ddof=1) / np.sqrt(len(column))) * evaluation.elsewhere
    if standard_error <= ROUNDING * float(np.abs(column).max(initial=0.0)):
        return "the value is the same for every subject"
    # Differences of this many orders of magnitude are no interval, and would overflow.
    if not np.isfinite(critical) or (log and critical * standard_error > LARGEST_LOG * mean):
        return "too few subjects differ from each other for a spread to be estimated"
    if log:
        factor = float(np.exp(critical * standard_error / mean))
        low, high = mean / factor, mean * factor
    else:
        low, high = mean - critical * standard_error, mean + critical * standard_error
    return Interval(
        low=low,
        high=high,
        level=level,
        method=method + evaluation.words,
        se=standard_error,
        estimand=evaluation.estimand,
        df=len(column) - 1,
    )


def _critical_values(
    values: NDArray[np.float64], *, seed: int, n_draws: int, level: float, log: bool
) -> NDArray[np.float64]:
    """Return the `level` quantile of |t| over resamples, shape ``(n_means,)``."""
    n = len(values)
    # Centred and scaled: second moments then lose no digits, and constant columns do no harm.
    scale = values.std(axis=0)
    scale[scale == 0] = 1.0
    centre = values.mean(axis=0)
    scaled = (values - centre) / scale
    statistics = []
    for counts in resample_counts(n, seed=seed, n_draws=n_draws):
        shift = counts @ scaled / n
        spread = np.sqrt(np.maximum(counts @ scaled**2 / n - shift**2, 0.0) / (n - 1))
        # A resample of like subjects has no spread, and one of faultless subjects no logarithm.
        # Either says that anything is possible.
        with np.errstate(divide="ignore", invalid="ignore"):
            if log:
                mean = centre / scale
                shift, spread = np.log1p(shift / mean), spread / (mean + shift)
            statistics.append(np.nan_to_num(np.abs(shift) / spread, nan=np.inf, posinf=np.inf))
    quantiles: NDArray[np.float64] = np.quantile(
        np.concatenate(statistics), level, axis=0, method="higher"
    )
    return quantiles


def resample_counts(n: int, *, seed: int, n_draws: int) -> Iterator[NDArray[np.float64]]:
    """Yield how often each of `n` subjects was drawn, in blocks of shape ``(n_block, n)``."""
    rng = np.random.default_rng(seed)
    for start in range(0, n_draws, _CHUNK):
        size = min(_CHUNK, n_draws - start)
        drawn = rng.integers(n, size=(size, n)) + n * np.arange(size)[:, np.newaxis]
        yield np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)

"""Learning curves over the number of training people, and how far they may be trusted beyond it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.errors import ConfigError
from pfactor_bench.types import Interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["LearningCurve", "extrapolate_learning_curve"]

#: Exponents that are tried; 0.5 to 1 is what theory and practice find for squared error.
_EXPONENTS = np.geomspace(0.1, 3.0, 60)

#: Three unknowns need one size more to be checked by anything.
_MIN_SIZES = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class LearningCurve:
    """``score(n) = limit − gain · n^(−exponent)`` as fitted, and what it says at `people`.

    Parameters
    ----------
    limit, gain, exponent
        Of the fit; `limit` is the score that endless training people would give.
    people
        Numbers of training people asked about.
    scores
        The curve there.
    intervals
        Over repetitions, and no more than that: they take the power law for granted, and the wider
        the step beyond the data, the less that is sure.
    """

    limit: float
    gain: float
    exponent: float
    people: tuple[int, ...]
    scores: tuple[float, ...]
    intervals: tuple[Interval, ...]


def extrapolate_learning_curve(
    n_people: Sequence[int],
    scores: NDArray[np.float64],
    at: Sequence[int],
    *,
    seed: int,
    n_draws: int = 1_000,
    level: float = 0.95,
) -> LearningCurve:
    """Fit a power law to scores and extend it.

    Parameters
    ----------
    n_people
        Numbers of training people, four at least.
    scores
        A row per number, a column per repetition (other people drawn, other seed), larger is
        better, shape ``(n_sizes, n_repetitions)``.
    at
        Where to extend the curve to.
    seed
        Of the bootstrap over repetitions.
    n_draws
        Resamples.
    level
        Nominal coverage.

    Raises
    ------
    ConfigError
        If there are fewer than four different numbers of people or two repetitions, or a score is
        not finite.

    References
    ----------
    .. [1] Viering and Loog (2023), "The shape of learning curves: a review", IEEE TPAMI 45,
       7799-7819, doi:10.1109/TPAMI.2022.3220744.
    """
    sizes = np.asarray(n_people, dtype=np.float64)
    if len(np.unique(sizes)) < _MIN_SIZES or (sizes < 1).any():
        raise ConfigError(
            f"a learning curve over {list(n_people)!r} people cannot be extended: measure at "
            f"{_MIN_SIZES} different numbers of people or more"
        )
    if scores.ndim != 2 or len(scores) != len(sizes) or scores.shape[1] < 2:  # noqa: PLR2004
        raise ConfigError(
            f"scores of shape {scores.shape} do not fit {len(sizes)} numbers of people: give a row "
            f"for each and at least two repetitions"
        )
    if not np.isfinite(scores).all():
        raise ConfigError("scores hold NaN or infinity: leave out that repetition, and say so")
    rng = np.random.default_rng(seed)
    n_repetitions = scores.shape[1]
    drawn = rng.integers(n_repetitions, size=(n_draws, len(sizes), n_repetitions))
    resampled = np.take_along_axis(scores[np.newaxis], drawn, axis=2).mean(axis=2)
    curves = _fit(sizes, np.vstack([scores.mean(axis=1), resampled]))
    extended = curves[:, :1] - curves[:, 1:2] * np.asarray(at, dtype=np.float64) ** -curves[:, 2:]
    ends = np.quantile(extended[1:], [(1 - level) / 2, (1 + level) / 2], axis=0)
    spreads = extended[1:].std(axis=0)
    return LearningCurve(
        limit=float(curves[0, 0]),
        gain=float(curves[0, 1]),
        exponent=float(curves[0, 2]),
        people=tuple(at),
        scores=tuple(float(score) for score in extended[0]),
        intervals=tuple(
            Interval(
                low=float(low),
                high=float(high),
                level=level,
                method="percentile bootstrap over repetitions, given a power law",
                se=float(spread),
            )
            for low, high, spread in zip(*ends, spreads, strict=True)
        ),
    )


def _fit(sizes: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``limit, gain, exponent`` of each row of scores, by least squares.

    Given the exponent the rest is a straight line, so a grid over it finds the global optimum, for
    all rows at once and without a solver that may not converge.
    """
    best_loss = np.full(len(scores), np.inf)
    best = np.zeros((len(scores), 3))
    for exponent in _EXPONENTS:
        design = np.column_stack([np.ones_like(sizes), -(sizes**-exponent)])
        solution = np.linalg.lstsq(design, scores.T, rcond=None)[0]
        # More training people do not make a sound method worse: a falling curve is fitted as flat.
        falling = solution[1] < 0
        solution[:, falling] = np.vstack([scores.mean(axis=1), np.zeros(len(scores))])[:, falling]
        loss = ((design @ solution - scores.T) ** 2).sum(axis=0)
        better = loss < best_loss
        best_loss[better] = loss[better]
        best[better, :2] = solution.T[better]
        best[better, 2] = exponent
    return best

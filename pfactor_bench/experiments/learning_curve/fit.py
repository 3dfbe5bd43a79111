"""Learning curves over the number of training subjects, and how far to trust them beyond it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pfactor_bench.errors import ConfigError

#: Exponents that are tried; 0.5 to 1 is what theory and practice find for squared error.
_EXPONENTS = np.geomspace(0.1, 3.0, 60)

#: Three unknowns need one size more to be checked by anything.
_MIN_SIZES = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class LearningCurve:
    """``skill(n) = limit − gain · n^(−exponent)`` as fitted, and what it says at `subjects`.

    Parameters
    ----------
    limit, gain, exponent
        Of the fit; `limit` is the target that endless training subjects would give.
    subjects
        Numbers of training subjects asked about.
    targets
        The curve there.
    spreads
        Lowest and highest of the middle 95 % of fits to redrawn repetitions. No intervals of the
        curve: repetitions share their held-out subjects, the power law is taken for granted, and
        at two to ten times the subjects they hold the truth in 26 to 52 % of cases.
    """

    limit: float
    gain: float
    exponent: float
    subjects: tuple[int, ...]
    targets: tuple[float, ...]
    spreads: tuple[tuple[float, float], ...]


def extrapolate_learning_curve(
    n_subjects: Sequence[int],
    targets: NDArray[np.float64],
    at: Sequence[int],
    *,
    seed: int,
    n_draws: int = 1_000,
) -> LearningCurve:
    """Fit a power law to targets and extend it.

    Parameters
    ----------
    n_subjects
        Numbers of training subjects, four at least.
    targets
        A row per number, a column per repetition (other subjects drawn, other seed), larger is
        better, shape ``(n_sizes, n_repetitions)``.
    at
        Where to extend the curve to.
    seed
        Of the bootstrap over repetitions.
    n_draws
        Resamples.

    Raises
    ------
    ConfigError
        If there are fewer than four different numbers of subjects or two repetitions, or a target
        is not finite.

    References
    ----------
    .. [1] Viering and Loog (2023), "The shape of learning curves: a review", IEEE TPAMI 45,
       7799-7819, doi:10.1109/TPAMI.2022.3220744.
    """
    sizes = np.asarray(n_subjects, dtype=np.float64)
    if len(np.unique(sizes)) < _MIN_SIZES or (sizes < 1).any():
        raise ConfigError(
            f"a learning curve over {list(n_subjects)!r} subjects cannot be extended: measure at "
            f"{_MIN_SIZES} different numbers of subjects or more"
        )
    if targets.ndim != 2 or len(targets) != len(sizes) or targets.shape[1] < 2:  # noqa: PLR2004
        raise ConfigError(
            f"targets of shape {targets.shape} do not fit {len(sizes)} numbers of subjects: give a "
            f"row for each and at least two repetitions"
        )
    if not np.isfinite(targets).all():
        raise ConfigError("targets hold NaN or infinity: leave out that repetition, and say so")
    rng = np.random.default_rng(seed)
    n_repetitions = targets.shape[1]
    drawn = rng.integers(n_repetitions, size=(n_draws, len(sizes), n_repetitions))
    resampled = np.take_along_axis(targets[np.newaxis], drawn, axis=2).mean(axis=2)
    curves = _fit(sizes, np.vstack([targets.mean(axis=1), resampled]))
    extended = curves[:, :1] - curves[:, 1:2] * np.asarray(at, dtype=np.float64) ** -curves[:, 2:]
    ends = np.quantile(extended[1:], [0.025, 0.975], axis=0)
    return LearningCurve(
        limit=float(curves[0, 0]),
        gain=float(curves[0, 1]),
        exponent=float(curves[0, 2]),
        subjects=tuple(at),
        targets=tuple(float(target) for target in extended[0]),
        spreads=tuple((float(low), float(high)) for low, high in ends.T),
    )


def _fit(sizes: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``limit, gain, exponent`` of each row of targets, by least squares.

    Given the exponent the rest is a straight line, so a grid over it finds the global optimum, for
    all rows at once and without a solver that may not converge.
    """
    best_loss = np.full(len(targets), np.inf)
    best = np.zeros((len(targets), 3))
    for exponent in _EXPONENTS:
        design = np.column_stack([np.ones_like(sizes), -(sizes**-exponent)])
        solution = np.linalg.lstsq(design, targets.T, rcond=None)[0]
        # More training subjects do not make a sound method worse: a falling curve is fitted as
        # flat.
        falling = solution[1] < 0
        solution[:, falling] = np.vstack([targets.mean(axis=1), np.zeros(len(targets))])[:, falling]
        loss = ((design @ solution - targets.T) ** 2).sum(axis=0)
        better = loss < best_loss
        best_loss[better] = loss[better]
        best[better, :2] = solution.T[better]
        best[better, 2] = exponent
    return best

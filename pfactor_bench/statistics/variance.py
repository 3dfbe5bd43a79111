"""Where the spread of errors comes from: subjects, seeds or folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SOURCES", "VarianceComponent", "variance_components"]

#: The sources of spread, in the order of `variance_components`.
SOURCES = ("subjects", "seed", "fold", "subjects × seed")


@dataclass(frozen=True, kw_only=True, slots=True)
class VarianceComponent:
    """One source of spread.

    Parameters
    ----------
    source
        ``subjects``, ``seed``, ``fold`` or ``subjects × seed``.
    variance
        Of one draw from that source, in squared units of the errors. An estimate below 0 means that
        there is none to be seen, and is given as 0.
    se_of_mean
        What the source alone adds to the standard error of the overall mean.
    missing_because
        Why there is no number: a source of which there is only one draw has no spread.
    """

    source: str
    variance: float | None
    se_of_mean: float | None
    missing_because: str | None = None


def variance_components(
    errors: NDArray[np.float64], folds: NDArray[np.str_]
) -> tuple[VarianceComponent, ...]:
    """Split the spread of errors into subjects, seeds, folds and the rest, by analysis of variance.

    The model is ``error = mean + fold + subject within fold + seed + rest``, all random. Its sums
    of squares are set equal to what they are on average (Henderson's first method), which is
    unbiased for folds of unequal size.

    Parameters
    ----------
    errors
        Squared errors, shape ``(n_seeds, n_subjects)``.
    folds
        The fold in which each subject was held out, shape ``(n_subjects,)``.

    Returns
    -------
    tuple of VarianceComponent
        In the order subjects, seed, fold, subjects × seed.

    Raises
    ------
    ValueError
        If the shapes disagree or an error is not finite.

    References
    ----------
    .. [1] Searle, Casella and McCulloch (1992), Variance Components, chapter 5,
       doi:10.1002/9780470316856.
    """
    n_seeds, n_subjects = errors.shape
    if folds.shape != (n_subjects,):
        raise ValueError(f"errors has shape {errors.shape} but folds has {folds.shape}")
    if not np.isfinite(errors).all():
        raise ValueError("errors holds NaN or infinity: leave such subjects out, and say so")
    subject, by_seed = errors.mean(axis=0), errors.mean(axis=1)
    names, inverse, sizes = np.unique(folds, return_inverse=True, return_counts=True)
    fold_means = np.bincount(inverse, weights=subject) / sizes
    n_folds = len(names)

    within = n_seeds * float(((subject - fold_means[inverse]) ** 2).sum())
    between = n_seeds * float((sizes * (fold_means - subject.mean()) ** 2).sum())
    seeds = n_subjects * float(((by_seed - errors.mean()) ** 2).sum())
    rest = float(((errors - subject - by_seed[:, np.newaxis] + errors.mean()) ** 2).sum())

    residual = _mean_square(rest, (n_seeds - 1) * (n_subjects - 1))
    of_subject = _excess(_mean_square(within, n_subjects - n_folds), residual or 0.0, n_seeds)
    of_seed = _excess(_mean_square(seeds, n_seeds - 1), residual, n_subjects)
    # How many subjects a fold holds, as far as the sum of squares between folds is concerned.
    effective = (n_subjects - float((sizes**2).sum()) / n_subjects) / max(1, n_folds - 1)
    subject_square = _mean_square(within, n_subjects - n_folds)
    of_fold = _excess(_mean_square(between, n_folds - 1), subject_square, n_seeds * effective)
    one_seed = "there is one seed"
    return (
        _component("subjects", of_subject, n_subjects, "every fold holds one subject"),
        _component("seed", of_seed, n_seeds, one_seed),
        _component(
            "fold",
            of_fold,
            n_subjects**2 / float((sizes**2).sum()),
            "there is one fold" if n_folds == 1 else "every fold holds one subject",
        ),
        _component("subjects × seed", residual, n_subjects * n_seeds, one_seed),
    )


def _mean_square(total: float, degrees: int) -> float | None:
    return total / degrees if degrees > 0 else None


def _excess(square: float | None, floor: float | None, draws: float) -> float | None:
    """Return the variance that a mean square holds beyond another's."""
    if square is None or floor is None:
        return None
    return max(0.0, (square - floor) / draws)


def _component(
    source: str, variance: float | None, n_draws: float, why_not: str
) -> VarianceComponent:
    if variance is None:
        return VarianceComponent(
            source=source, variance=None, se_of_mean=None, missing_because=why_not
        )
    return VarianceComponent(
        source=source, variance=variance, se_of_mean=float(np.sqrt(variance / n_draws))
    )

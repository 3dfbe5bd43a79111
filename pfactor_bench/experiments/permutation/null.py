"""A whole procedure on targets that were permuted among subjects: what it finds where nothing is.

Hundreds of runs differ in nothing but their targets, so they share every pass, and a linear probe
in closed form is one system of equations with a column per run.

References
----------
Ojala & Garriga 2010, jmlr.org/papers/v11/ojala10a.html; Phipson & Smyth 2010,
doi:10.2202/1544-6115.1585.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.errors import ModelError
from pfactor_bench.seeds import seed_for
from pfactor_bench.statistics.metrics import CONSTANT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pfactor_bench.types import Cohort, Split


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Null:
    """The observed correlation, and those of permuted targets.

    Parameters
    ----------
    observed
        Pearson's r over held-out subjects.
    permuted
        The same for each permutation, shape ``(n,)``.
    """

    observed: float
    permuted: NDArray[np.float64]

    @property
    def n_as_high(self) -> int:
        """How many permutations give an r at least as high as the observed one."""
        return int((self.permuted >= self.observed).sum())

    @property
    def p_value(self) -> float:
        """How often an r at least as high comes up; the observed order counts as one."""
        return (1 + self.n_as_high) / (1 + len(self.permuted))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return where the share of all possible permutations lies, from those that were drawn.

        Exact (Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404).
        """
        from scipy.stats import binomtest

        if not len(self.permuted):
            return 0.0, 1.0
        found = binomtest(self.n_as_high, len(self.permuted)).proportion_ci(level, method="exact")
        return float(found.low), float(found.high)


def permute_targets(cohort: Cohort, n: int, *, seed: int) -> NDArray[np.float64]:
    """Return targets permuted among subjects, all windows of a subject together.

    Parameters
    ----------
    cohort
        Whose targets.
    n
        How many permutations.
    seed
        Of the permutations.

    Returns
    -------
    ndarray of float64, shape ``(n, n_windows)``
    """
    subjects, first, owner = np.unique(cohort.subjects, return_index=True, return_inverse=True)
    rng = np.random.default_rng(seed_for("dealt scores", seed, len(subjects)))
    return rng.permuted(np.tile(cohort.y[first], (n, 1)), axis=1)[:, owner]


def correlations(
    cohort: Cohort, split: Split, targets: NDArray[np.float64], sums: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return r over held-out subjects, given the sums of each window's predictions over folds."""
    tests = np.concatenate([fold.test for fold in split.folds])
    times = np.bincount(tests, minlength=len(cohort.y))
    held_out = times > 0
    predicted = sums[:, held_out] / times[held_out]
    n_lost = len(predicted) - int(np.isfinite(predicted).all(axis=1).sum())
    if n_lost:
        raise ModelError(
            f"{n_lost} of {len(predicted)} trainings on true or permuted targets end with "
            "predictions that are not finite, and a share of permutations that leaves them out "
            f"would say too much: lower the learning rate"
        )
    _, owner = np.unique(cohort.subjects[held_out], return_inverse=True)
    means = np.zeros((held_out.sum(), owner.max() + 1))
    means[np.arange(len(owner)), owner] = 1 / np.bincount(owner)[owner]
    true, said = (
        rows - rows.mean(axis=1, keepdims=True)
        for rows in (targets[:, held_out] @ means, predicted @ means)
    )
    spreads = np.sqrt((true**2).mean(axis=1)), np.sqrt((said**2).mean(axis=1))
    # Where all predictions are equal but for rounding there is no correlation, and nothing was
    # found.
    r: NDArray[np.float64] = np.divide(
        (true * said).mean(axis=1),
        spreads[0] * spreads[1],
        out=np.zeros(len(true)),
        where=(spreads[0] > CONSTANT) & (spreads[1] > CONSTANT),
    )
    return r

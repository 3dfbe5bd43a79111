"""What r would be if targets and predictions had nothing to do with each other.

Targets are permuted among the subjects of one fold, whom the same model predicted, so that what
pooling over folds alone does to r is in every permutation as it is in the observed value. Of
subjects who are held out several times, in repeated folds, the last fold counts: what pooling over
the others does, which lowers r, is in the observed value alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.measurements.family import Family, Number
from pfactor_bench.seeds import seed_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from pfactor_bench.measurements.family import Outcome
    from pfactor_bench.types import Cohort, Measurement, Split

__all__ = ["FAMILY", "N_PERMUTATIONS", "measure", "permuted_correlations"]

N_PERMUTATIONS = 1999
_ROUNDING = 1e-12

_P_VALUE = Number(
    name="{regime}/permuted_r_p",
    words="share of permutations of the targets within folds whose r is at least the observed one",
)


def permuted_correlations(
    cohort: Cohort, split: Split, arrays: Mapping[str, NDArray[Any]], *, regimes: Iterable[str]
) -> dict[str, NDArray[np.float64]]:
    """Return Pearson's r, averaged over seeds, for targets permuted among subjects.

    Parameters
    ----------
    cohort, split
        What the cases ran on.
    arrays
        As `pfactor_bench.measurements.held_out.pooled_arrays` returns them.
    regimes
        Labels of the regimes.

    Returns
    -------
    dict
        ``<regime>/permuted_r``, shape ``(N_PERMUTATIONS,)``; nothing where nobody can be exchanged,
        all targets are equal, or a prediction is not finite.
    """
    y_true = arrays["y_true"]
    folds = _fold_of(cohort, split, arrays["subjects"])
    regimes = [one for one in regimes if np.isfinite(arrays[f"{one}/y_pred"]).all()]
    if y_true.std() <= _ROUNDING or np.unique(folds).size == len(folds):
        return {}
    rng = np.random.default_rng(seed_for("shuffles", split.name))
    permutations = np.tile(y_true, (N_PERMUTATIONS, 1))
    for fold in np.unique(folds):
        members = folds == fold
        permutations[:, members] = rng.permuted(permutations[:, members], axis=1)
    return {
        f"{regime}/permuted_r": permutations @ _weights(y_true, arrays[f"{regime}/y_pred"])
        for regime in regimes
    }


def measure(run: Outcome) -> Iterator[Measurement]:
    """Yield how often permuted targets give an r at least as high as the observed one.

    The observed order counts as one of the permutations, so that it is never 0 (Phipson and Smyth
    2010, doi:10.2202/1544-6115.1585).
    """
    y_true = run.arrays["y_true"]
    permuted = permuted_correlations(run.cohort, run.split, run.arrays, regimes=run.regimes)
    for name, draws in permuted.items():
        regime = name.removesuffix("/permuted_r")
        observed = float(y_true @ _weights(y_true, run.arrays[f"{regime}/y_pred"]))
        at_least = int((draws >= observed - _ROUNDING).sum())
        yield _P_VALUE.measured(
            (1 + at_least) / (1 + len(draws)),
            n_subjects=len(y_true),
            note=f"share of {len(draws):,} permutations of the targets within folds",
            regime=regime,
        )


def _fold_of(cohort: Cohort, split: Split, subjects: NDArray[np.str_]) -> NDArray[np.str_]:
    """Return the fold that holds each subject out; the last one where there are several."""
    by_subject = {name: fold.name for fold in split.folds for name in cohort.subjects[fold.test]}
    return np.array([by_subject[name] for name in subjects])


def _weights(y_true: NDArray[np.float64], y_pred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return weights whose sum with targets is r averaged over seeds; a constant prediction has 0.

    A permutation changes neither mean nor spread of the targets, so that r is linear in them.
    """
    centred = y_pred - y_pred.mean(axis=1, keepdims=True)
    spread = y_pred.std(axis=1, keepdims=True)
    constant = spread <= _ROUNDING
    scaled = np.where(constant, 0, centred / np.where(constant, 1, spread))
    weights: NDArray[np.float64] = scaled.mean(axis=0) / (len(y_true) * y_true.std())
    return weights


FAMILY = Family(
    order=50,
    title="Permutation of fixed predictions",
    numbers=(_P_VALUE,),
    measure=measure,
)

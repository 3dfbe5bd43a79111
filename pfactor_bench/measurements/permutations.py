"""What r is where targets are permuted and predictions stay as they are: a description, no test.

Targets are permuted among the subjects of one fold, whom the same model predicted. Models are not
trained on the permuted targets, so that what cross-validation does to r is in the observed value
alone: as a p-value the share would come out at 0.05 or below for 8 to 12 % of models of nothing.
`pfactor-bench permute` trains anew and tests. Of subjects who are held out several times, in
repeated folds, the last fold counts.
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

_SHARE = Number(
    name="{regime}/permuted_r_share",
    words="share of permutations of the targets within folds whose r is at least the observed one: "
    "models are not trained anew, so it describes and is no p-value",
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
    """Yield how often permuted targets give an r at least as high as the observed one."""
    y_true = run.arrays["y_true"]
    permuted = permuted_correlations(run.cohort, run.split, run.arrays, regimes=run.regimes)
    for name, draws in permuted.items():
        regime = name.removesuffix("/permuted_r")
        observed = float(y_true @ _weights(y_true, run.arrays[f"{regime}/y_pred"]))
        yield _SHARE.measured(
            float((draws >= observed - _ROUNDING).mean()),
            n_subjects=len(y_true),
            note=f"share of {len(draws):,} permutations of the targets within folds, models not "
            f"trained anew: a description, no p-value",
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
    numbers=(_SHARE,),
    measure=measure,
)

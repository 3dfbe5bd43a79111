"""Whether predictions follow a confound beyond what the true targets explain.

The partial confound test asks whether predictions are independent of a confound *given* the true
target: a confound that is related to the target may well be related to an honest prediction of it.
It permutes the confound among subjects so that its relation to the target is kept (conditional
permutation), and compares how much of the predictions the confound explains.

References
----------
.. [1] Spisak (2022), "Statistical quantification of confounding bias in machine learning models",
   GigaScience 11, giac082, doi:10.1093/gigascience/giac082.
.. [2] Berrett, Wang, Barber and Samworth (2020), "The conditional permutation test for independence
   while controlling for confounders", Journal of the Royal Statistical Society B 82, 175-197,
   doi:10.1111/rssb.12340.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pfactor_bench.cohorts.targets import is_known

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ConfoundTest", "no_confound_test", "partial_confound_test"]

#: Below this the conditional distribution of a confound cannot be fitted.
_MIN_SUBJECTS = 8

#: A category with fewer subjects has no conditional distribution.
_MIN_CATEGORY = 3

#: Rounds of pairwise swaps per permutation; Berrett et al. find 50 ample.
_ROUNDS = 50

#: Permutation chains that run side by side, to bound memory.
_CHAINS = 200

_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfoundTest:
    """What came of one test.

    Parameters
    ----------
    confound
        Its name.
    p_value
        Of "the predictions tell nothing about the confound that the true targets do not". Small
        values speak for a confounded model.
    explained
        Share of the predictions' variance that the confound explains, targets ignored.
    n_subjects
        Subjects with a target, a prediction and a value of the confound.
    missing_because
        Why there is no p-value. Set exactly when `p_value` is None.
    """

    confound: str
    p_value: float | None
    explained: float | None
    n_subjects: int
    missing_because: str | None = None


def partial_confound_test(
    y_true: NDArray[np.float64],
    y_pred: NDArray[np.float64],
    confound: NDArray[Any],
    *,
    name: str,
    seed: int,
    n_draws: int = 1_000,
) -> ConfoundTest:
    """Test whether predictions depend on a confound beyond what the true targets explain.

    Parameters
    ----------
    y_true, y_pred
        One entry per subject, shape ``(n,)``.
    confound
        Numbers, or words for categories, shape ``(n,)``; subjects without one are left out. Given
        the target, a number is taken to be normal around a straight line, and a category to follow
        a logistic regression.
    name
        Of the confound.
    seed
        Of the permutations.
    n_draws
        Permutations.
    """
    design, known = _design(confound)
    known &= np.isfinite(y_true) & np.isfinite(y_pred)
    design, truth, prediction = design[known], y_true[known], y_pred[known]
    design = design[:, design.std(axis=0) > 0] if len(design) else design
    reason = _no_test(design, truth, prediction)
    if reason:
        return no_confound_test(name, len(truth), reason)
    log_density = _log_density(design, truth)
    projection = _explaining(design, prediction)
    observed = float(projection(np.arange(len(truth))[np.newaxis])[0])
    null = _permuted(log_density, projection, seed=seed, n_draws=n_draws)
    n_as_large = int((null >= observed * (1 - _ROUNDING)).sum())
    return ConfoundTest(
        confound=name,
        p_value=(1 + n_as_large) / (1 + n_draws),
        explained=observed,
        n_subjects=len(truth),
    )


def no_confound_test(name: str, n_subjects: int, reason: str) -> ConfoundTest:
    """Return what is said of a confound that cannot be tested."""
    return ConfoundTest(
        confound=name, p_value=None, explained=None, n_subjects=n_subjects, missing_because=reason
    )


def _design(confound: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return a confound as columns, and for whom it is known.

    One column of numbers, or an indicator per category. Rare categories count as unknown.
    """
    series = pd.Series(confound)
    numbers = pd.to_numeric(series, errors="coerce")
    words = series.astype("string").str.strip().str.lower()
    blank = pd.Series(~is_known(series))
    if numbers[~blank].notna().all():
        values = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
        return values[:, np.newaxis], np.isfinite(values)
    counts = words[~blank].value_counts()
    kept = sorted(counts.index[counts >= _MIN_CATEGORY])
    columns = [(words == word).fillna(value=False).to_numpy(dtype=np.float64) for word in kept]
    design = np.column_stack(columns) if columns else np.zeros((len(series), 0))
    known: NDArray[np.bool_] = design.sum(axis=1) > 0
    return design, known


def _no_test(
    design: NDArray[np.float64], truth: NDArray[np.float64], prediction: NDArray[np.float64]
) -> str | None:
    if len(truth) < _MIN_SUBJECTS:
        return (
            f"the test needs at least {_MIN_SUBJECTS} subjects with a value, there are {len(truth)}"
        )
    if not design.shape[1]:
        return "the confound is the same for every subject"
    if truth.std() <= _ROUNDING:
        return "the true targets are all equal"
    if prediction.std() <= _ROUNDING:
        return "the prediction is constant"
    return None


def _log_density(design: NDArray[np.float64], truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how likely each subject's confound is at each subject's target, ``(n_targets, n)``."""
    standard = (truth - truth.mean()) / truth.std()
    if design.shape[1] > 1:
        from sklearn.linear_model import LogisticRegression

        category = design.argmax(axis=1)
        model = LogisticRegression(C=100.0, max_iter=1_000).fit(standard[:, np.newaxis], category)
        logs: NDArray[np.float64] = model.predict_log_proba(standard[:, np.newaxis])[:, category]
        return logs
    values = design[:, 0]
    slope = float(standard @ (values - values.mean())) / len(values)
    fitted = values.mean() + slope * standard
    variance = float(((values - fitted) ** 2).mean())
    # A confound that the target determines leaves nothing to permute; nearly all swaps are refused.
    variance = max(variance, _ROUNDING * float(values.var()))
    densities: NDArray[np.float64] = -(
        (values[np.newaxis, :] - fitted[:, np.newaxis]) ** 2 / (2 * variance)
    )
    return densities


def _explaining(design: NDArray[np.float64], prediction: NDArray[np.float64]) -> Any:  # noqa: ANN401
    """Return a function from orders of subjects to R² of the predictions on the ordered confound.

    Permuting the rows of an orthonormal basis keeps it orthonormal: R² is a sum of squares.
    """
    basis = np.linalg.svd(design - design.mean(axis=0), full_matrices=False)
    columns = basis[0][:, basis[1] > _ROUNDING * basis[1][0]]
    centred = (prediction - prediction.mean()) / (prediction.std() * np.sqrt(len(prediction)))

    def explained(orders: NDArray[np.int64]) -> NDArray[np.float64]:
        # (n_columns, n_chains): what each column of the ordered confound has in common with them.
        shared: NDArray[np.float64] = np.stack([column[orders] @ centred for column in columns.T])
        return np.asarray((shared**2).sum(axis=0))

    return explained


def _permuted(
    log_density: NDArray[np.float64],
    explained: Any,  # noqa: ANN401 - see `_explaining`
    *,
    seed: int,
    n_draws: int,
) -> NDArray[np.float64]:
    """Return R² under `n_draws` conditional permutations.

    All chains start from one hidden order that is itself some rounds away from the observed one:
    only then are the observed and the permuted orders exchangeable (Berrett et al., algorithm 1).
    """
    rng = np.random.default_rng(seed)
    start = _swap(np.arange(len(log_density))[np.newaxis], log_density, rng)
    blocks = []
    for first in range(0, n_draws, _CHAINS):
        n_chains = min(_CHAINS, n_draws - first)
        blocks.append(explained(_swap(np.repeat(start, n_chains, axis=0), log_density, rng)))
    return np.concatenate(blocks)


def _swap(
    orders: NDArray[np.int64], log_density: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Swap the confound within random pairs of subjects, in `_ROUNDS` rounds.

    Parameters
    ----------
    orders
        Whose confound each subject holds, a row per chain, shape ``(n_chains, n)``.
    """
    orders = orders.copy()
    n_chains, n = orders.shape
    chain = np.arange(n_chains)[:, np.newaxis]
    for _ in range(_ROUNDS):
        paired = rng.permuted(np.tile(np.arange(n), (n_chains, 1)), axis=1)
        one, other = paired[:, : n // 2], paired[:, n // 2 : 2 * (n // 2)]
        held, offered = orders[chain, one], orders[chain, other]
        gain = (
            log_density[one, offered]
            + log_density[other, held]
            - log_density[one, held]
            - log_density[other, offered]
        )
        # Accepting with odds exp(gain) : 1 makes the conditional law stationary.
        accept = rng.random(gain.shape) < 1 / (1 + np.exp(-np.clip(gain, -700, 700)))
        orders[chain, one] = np.where(accept, offered, held)
        orders[chain, other] = np.where(accept, held, offered)
    return orders

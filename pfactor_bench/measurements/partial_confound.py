"""Whether predictions follow a confound beyond what the targets explain.

A confound that is related to the target may well be related to an honest prediction of it. The
question is therefore that of the partial confound test (Spisak 2022): are predictions independent
of a confound *given* the target? Both are regressed on a spline of the target, since either may be
curved in it, and the products of what is left of the two have mean 0 if the answer is yes
(generalised covariance measure). Their mean is compared with those under random signs, which takes
the spread of either to depend on the target as it likes.

References
----------
.. [1] Spisak (2022), "Statistical quantification of confounding bias in machine learning models",
   GigaScience 11, giac082, doi:10.1093/gigascience/giac082.
.. [2] Shah and Peters (2020), "The hardness of conditional independence testing and the generalised
   covariance measure", Annals of Statistics 48, 1514-1538, doi:10.1214/19-AOS1857.
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

#: Fewer subjects leave nothing of a confound to test once the target is taken out.
_MIN_SUBJECTS = 8

#: A category with fewer subjects is too rare to be regressed on anything.
_MIN_CATEGORY = 3

#: Of the spline, at quantiles of the target. Chosen by simulation, with tests/measurements.
_N_KNOTS = 4

#: Penalties of which the one with the least leave-one-out error is taken.
_PENALTIES = np.geomspace(1e-4, 1e3, 15)

#: A confound of which less of its standard deviation is left is a function of the target.
_DETERMINED = 1e-3

_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfoundTest:
    """What came of one test.

    Parameters
    ----------
    confound
        Its name.
    p_value
        Of "the predictions tell nothing about the confound that the targets do not". Small values
        speak for a confounded model.
    n_subjects
        Those with a target, a prediction and a value of the confound.
    missing_because
        Why there is no p-value. Set exactly when `p_value` is None.
    """

    confound: str
    p_value: float | None
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
    """Test whether predictions depend on a confound beyond what the targets explain.

    Parameters
    ----------
    y_true, y_pred
        One entry per subject, shape ``(n,)``.
    confound
        Numbers, or words for categories, shape ``(n,)``; subjects without one are left out.
    name
        Of the confound.
    seed
        Of the random signs.
    n_draws
        Draws of them.
    """
    design, known = _design(confound)
    known &= np.isfinite(y_true) & np.isfinite(y_pred)
    design, truth, prediction = design[known], y_true[known], y_pred[known]
    design = design[:, design.std(axis=0) > 0] if len(design) else design
    reason = _no_test(design, truth, prediction)
    if reason:
        return no_confound_test(name, len(truth), reason)
    left = _without_target(truth, np.column_stack([prediction, design]))
    free = left[:, 1:].std(axis=0) > _DETERMINED * design.std(axis=0)
    products = left[:, :1] * left[:, 1:][:, free]
    p_value = _sign_test(products, seed=seed, n_draws=n_draws) if free.any() else 1.0
    return ConfoundTest(confound=name, p_value=p_value, n_subjects=len(truth))


def no_confound_test(name: str, n_subjects: int, reason: str) -> ConfoundTest:
    """Return what is said of a confound that cannot be tested."""
    return ConfoundTest(confound=name, p_value=None, n_subjects=n_subjects, missing_because=reason)


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
        return "the confound is the same for all subjects"
    if truth.std() <= _ROUNDING:
        return "the targets are all equal"
    if prediction.std() <= _ROUNDING:
        return "the prediction is constant"
    return None


def _without_target(
    truth: NDArray[np.float64], columns: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return what is left of each column, standardised, after a penalised spline of the target."""
    from sklearn.linear_model import RidgeCV
    from sklearn.preprocessing import SplineTransformer

    # Tied targets have fewer quantiles.
    knots = np.unique(np.quantile(truth, np.linspace(0, 1, _N_KNOTS)))[:, np.newaxis]
    spline = SplineTransformer(knots=knots, extrapolation="linear")
    basis = spline.fit_transform(truth[:, np.newaxis])
    standard = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    fit = RidgeCV(_PENALTIES, alpha_per_target=True).fit(basis - basis.mean(axis=0), standard)
    left: NDArray[np.float64] = standard - fit.predict(basis - basis.mean(axis=0))
    return left


def _sign_test(products: NDArray[np.float64], *, seed: int, n_draws: int) -> float:
    """Return how often random signs give the columns' largest standardised mean its size."""
    standard = products / np.sqrt((products**2).sum(axis=0))
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(n_draws, len(products)))
    observed = float(np.abs(standard.sum(axis=0)).max())
    null = np.abs(signs @ standard).max(axis=1)
    return (1 + int((null >= observed - _ROUNDING).sum())) / (1 + n_draws)

"""Comparing predictors on the same subjects, and over repeated folds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from pfactor_bench.statistics.evaluation import HELD_OUT, Evaluation, per_cluster, t_quantile
from pfactor_bench.statistics.squares import difference_interval
from pfactor_bench.types import Interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = [
    "corrected_resampled_t",
    "paired_differences",
]


def paired_differences(
    y_true: NDArray[np.float64],
    y_pred: NDArray[np.float64],
    baselines: Mapping[str, NDArray[np.float64]],
    *,
    evaluation: Evaluation = HELD_OUT,
    clusters: NDArray[np.str_] | None = None,
    level: float = 0.95,
) -> dict[str, tuple[float | None, Interval | str]]:
    """Return how much smaller a model's squared error is than each baseline's, subject by subject.

    Parameters
    ----------
    y_true
        Shape ``(n,)``.
    y_pred
        A row per seed, shape ``(n_seeds, n)``; errors are averaged over seeds.
    baselines
        Name to predictions, shape ``(n,)`` or ``(n_seeds, n)``.
    evaluation
        How the predictions came about.
    clusters
        The family or site of each subject, shape ``(n,)``; None where nobody is related.
    level
        Nominal coverage.

    Returns
    -------
    dict
        Name to the mean of ``baseline error² − model error²`` (positive: the model is better) in
        squared target units, and its interval or the reason why there is none. The mean is None
        where a prediction is not finite.
    """
    error = _squared_errors(y_true, y_pred)
    found: dict[str, tuple[float | None, Interval | str]] = {}
    for name, baseline in baselines.items():
        base = _squared_errors(y_true, baseline)
        if np.isfinite(base).all() and np.isfinite(error).all():
            found[name] = (
                float((base - error).mean()),
                difference_interval(
                    *(_of_clusters(one, clusters) for one in (base, error)),
                    evaluation=evaluation,
                    level=level,
                ),
            )
        else:
            found[name] = (None, "not every subject has a finite prediction")
    return found


def _of_clusters(
    values: NDArray[np.float64], clusters: NDArray[np.str_] | None
) -> NDArray[np.float64]:
    return values if clusters is None else per_cluster(values, clusters)


def _squared_errors(
    y_true: NDArray[np.float64], y_pred: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return each subject's squared error, averaged over seeds."""
    errors: NDArray[np.float64] = np.atleast_2d((y_true - y_pred) ** 2).mean(axis=0)
    return errors


def corrected_resampled_t(
    differences: NDArray[np.float64], *, n_train: float, n_test: float, level: float = 0.95
) -> tuple[float, Interval] | str:
    """Test a difference measured in repeated, overlapping train/test splits.

    Folds share training subjects, so their spread understates the variance of their mean; it is
    multiplied by ``1/n_runs + n_test/n_train`` instead of ``1/n_runs``.

    Parameters
    ----------
    differences
        One per run (fold of a repetition), shape ``(n_runs,)``.
    n_train, n_test
        Subjects trained on and held out in a run.
    level
        Of the interval.

    Returns
    -------
    p_value : float
        Two-sided.
    interval : Interval
        Of the mean difference.

    Notes
    -----
    A string, the reason, is returned instead where the test cannot be made.

    References
    ----------
    .. [1] Nadeau and Bengio (2003), "Inference for the generalization error", Machine Learning 52,
       239-281, doi:10.1023/A:1024068626366.
    """
    n_runs = len(differences)
    if n_runs < 2 or not np.isfinite(differences).all():  # noqa: PLR2004 - a spread needs two
        return "the test needs at least 2 runs with finite differences"
    mean, spread = float(differences.mean()), float(differences.std(ddof=1))
    if spread <= 1e-9 * float(np.abs(differences).max()):  # the rest is rounding
        return "the difference is the same in every run"
    standard_error = spread * math.sqrt(1 / n_runs + n_test / n_train)
    p_value = 2 * float(stats.t.sf(abs(mean) / standard_error, n_runs - 1))
    half_width = t_quantile(level, n_runs - 1) * standard_error
    interval = Interval(
        low=mean - half_width,
        high=mean + half_width,
        level=level,
        method="corrected resampled t (Nadeau and Bengio)",
        se=standard_error,
        estimand="procedure",
        df=n_runs - 1,
    )
    return p_value, interval

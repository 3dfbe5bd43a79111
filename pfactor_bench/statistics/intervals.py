"""An interval, or the reason why there is none, for every metric."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from pfactor_bench.statistics.correlations import pearson_interval, spearman_interval
from pfactor_bench.statistics.evaluation import HELD_OUT, Evaluation, per_cluster
from pfactor_bench.statistics.means import MIN_SUBJECTS, mean_interval
from pfactor_bench.statistics.metrics import METRICS
from pfactor_bench.statistics.ratios import ratio_interval
from pfactor_bench.statistics.squares import mse_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pfactor_bench.types import Interval

__all__ = ["POOLED_R", "metric_intervals"]

#: Why a correlation over several folds has no interval.
POOLED_R = (
    "pooled over folds, where the r of a model of nothing is not 0 on average: within_fold_r has "
    "an interval"
)


class _Form(TypedDict):
    """What every interval is told."""

    evaluation: Evaluation
    level: float


def metric_intervals(
    y_true: NDArray[np.float64],
    y_pred: NDArray[np.float64],
    y_base: NDArray[np.float64],
    *,
    seed: int,
    evaluation: Evaluation = HELD_OUT,
    clusters: NDArray[np.str_] | None = None,
    n_draws: int = 10_000,
    level: float = 0.95,
) -> dict[str, Interval | str]:
    """Return the interval of each metric averaged over seeds, over subjects.

    The subjects are the sample. Seeds are not: a subject's errors are averaged over seeds first.
    Of models that are given, the intervals say what other subjects would give with these very
    models; of models refitted in cross-validation, what the procedure would, trained on others.

    Parameters
    ----------
    y_true
        The subjects' targets, shape ``(n,)``.
    y_pred
        Their predictions, a row per seed, shape ``(n_seeds, n)``.
    y_base
        The train-mean prediction for each, shape ``(n,)``.
    seed
        Of the resampling.
    evaluation
        How the predictions came about. Correlations over several folds have no interval: see
        `pfactor_bench.statistics.correlations.within_fold_r`.
    clusters
        The family or site of each subject, shape ``(n,)``; None where nobody is related.
    n_draws
        Resamples.
    level
        Nominal coverage.

    Returns
    -------
    dict
        The keys are `pfactor_bench.statistics.metrics.METRICS`; a value is an interval or the
        reason why there is none. Nothing is ever NaN.

    Raises
    ------
    ValueError
        If the shapes disagree.
    """
    if y_pred.ndim != 2 or y_pred.shape[1:] != y_true.shape or y_base.shape != y_true.shape:  # noqa: PLR2004
        raise ValueError(
            f"y_true, y_pred and y_base have shapes {y_true.shape}, {y_pred.shape} and "
            f"{y_base.shape}: expected (n,), (n_seeds, n) and (n,)"
        )
    if len(y_true) < MIN_SUBJECTS:
        reason = f"an interval needs at least {MIN_SUBJECTS} subjects, there are {len(y_true)}"
        return dict.fromkeys(METRICS, reason)
    n_missing = int((~np.isfinite(np.vstack([y_true, y_pred, y_base]))).any(axis=0).sum())
    if n_missing:
        reason = f"{n_missing} of {len(y_true)} subjects have no finite target or prediction"
        return dict.fromkeys(METRICS, reason)

    def entries(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return values if clusters is None else per_cluster(values, clusters)

    errors = np.abs(y_true - y_pred)
    squared = entries((errors**2).mean(axis=0))
    form: _Form = {"evaluation": evaluation, "level": level}
    unexplained = _unexplained(squared, entries((y_true - y_true.mean()) ** 2), form)
    return {
        "mse": mse_interval(squared, **form),
        "mae": mean_interval(
            entries(errors.mean(axis=0)), seed=seed, n_draws=n_draws, log=True, **form
        ),
        "r2": _one_minus(unexplained),
        **_correlations(y_true, y_pred, clusters, form),
        "nrmse": _root(unexplained, errors, y_true),
        "skill": _one_minus(ratio_interval(squared, entries((y_true - y_base) ** 2), **form)),
    }


def _correlations(
    y_true: NDArray[np.float64],
    y_pred: NDArray[np.float64],
    clusters: NDArray[np.str_] | None,
    form: _Form,
) -> dict[str, Interval | str]:
    if form["evaluation"].estimand == "procedure":
        return dict.fromkeys(("pearson_r", "spearman_r"), POOLED_R)
    return {
        "pearson_r": pearson_interval(y_true, y_pred, clusters=clusters, level=form["level"]),
        "spearman_r": spearman_interval(y_true, y_pred, level=form["level"])
        if clusters is None
        else "the interval of a rank correlation takes subjects as unrelated",
    }


def _unexplained(
    squared: NDArray[np.float64], deviations: NDArray[np.float64], form: _Form
) -> Interval | str:
    """Return the interval of MSE / variance of the targets."""
    if float(deviations.sum()) <= 0:
        return "the targets are all equal"
    evaluation = form["evaluation"].without_null()
    return ratio_interval(squared, deviations, evaluation=evaluation, level=form["level"])


def _one_minus(ratio: Interval | str) -> Interval | str:
    if isinstance(ratio, str):
        return ratio
    return replace(ratio, low=1 - ratio.high, high=1 - ratio.low)


def _root(
    ratio: Interval | str, errors: NDArray[np.float64], y_true: NDArray[np.float64]
) -> Interval | str:
    """Return the interval of RMSE / SD averaged over seeds from that of MSE / variance."""
    if isinstance(ratio, str):
        return ratio
    # The mean of roots is a little below the root of the mean; both ends are moved alike.
    per_seed = np.sqrt((errors**2).mean(axis=1))
    shift = float(per_seed.mean() / np.sqrt((per_seed**2).mean()))
    value = float(per_seed.mean() / y_true.std())
    return replace(
        ratio,
        low=shift * float(np.sqrt(ratio.low)),
        high=shift * float(np.sqrt(ratio.high)),
        method=f"square root of {ratio.method}",
        se=None if ratio.se is None else shift**2 * ratio.se / (2 * value),
    )

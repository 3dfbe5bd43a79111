"""Metrics computed a second time, on purpose not with the project's own metric functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from pfactor_bench.types import Cohort, Scalar, Split

__all__ = ["agrees", "broken_oracles", "by_case", "is_window_level", "metric_name", "metrics"]

#: What the names of window-level measurements begin with.
_WINDOW_LEVEL = ("val_", "window_")
_TOLERANCE = 1e-6
_CONSTANT = 1e-9
#: What measurements of the train-mean predictor are named after.
_BASELINE = "train-mean"


def by_case(predictions: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each case's table and name, from ``case``, ``regime`` and ``seed``, or ``seed``.

    A table without these columns is one case without a name. The train-mean predictor is a case as
    well, without predictions: they follow from the split.
    """
    if "case" in predictions.columns:
        names = predictions["case"].astype(str)
    elif {"regime", "seed"} <= set(predictions.columns):
        names = predictions["regime"].astype(str) + "/seed-" + predictions["seed"].astype(str)
    elif "seed" in predictions.columns:
        names = "seed-" + predictions["seed"].astype(str)
    else:
        yield "", predictions
        return
    for number, (name, table) in enumerate(predictions.groupby(names)):
        if not number:
            yield _BASELINE, table.drop(columns="y_pred")
        yield str(name), table


def metric_name(measurement: str, case: str) -> str:
    """Return the metric's part of a measurement's name, or an empty text if it is of another case.

    A case without a name owns every measurement.
    """
    owner, _, metric = measurement.rpartition("/")
    return metric if owner == case or not case else ""


def is_window_level(measurement: str) -> bool:
    """Say whether a measurement's name is that of a number over windows."""
    return measurement.rpartition("/")[2].startswith(_WINDOW_LEVEL)


def metrics(
    predictions: pd.DataFrame, cohort: Cohort, split: Split
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Return every value that an honest report may give each metric, and what a leaky one gives.

    Parameters
    ----------
    predictions
        The contract's table of one case.
    cohort, split
        The truth, and who was trained on.

    Returns
    -------
    honest, leaky : dict
        Metric name (``mse``; ``window_mse`` and ``val_mse`` over windows) to values,
        with folds pooled and folds averaged. In the first the baseline is the mean over training
        subjects or their windows, in the second the mean over those held out.
    """
    sides: list[dict[str, list[float]]] = []
    for side in ("train", "test"):
        found: dict[str, list[float]] = {}
        for per_subject in (False, True):
            folds = list(_fold_arrays(predictions, cohort, split, side, per_subject=per_subject))
            _add_values(found, folds)
        sides.append(found)
    return sides[0], sides[1]


def agrees(reported: float, values: Sequence[float]) -> bool:
    """Say whether a reported number is one of the recomputed ones, up to rounding of floats."""
    return any(abs(reported - value) <= _TOLERANCE * max(1.0, abs(value)) for value in values)


def broken_oracles(metric: Callable[..., Mapping[str, object]]) -> list[dict[str, Scalar]]:
    """Return the oracles that a metric function gets wrong."""
    truth = np.array([-1.0, 0.5, 1.0, 2.5])
    base = np.full(4, 0.25)
    oracles: list[tuple[str, NDArray[np.float64], str, float | None]] = [
        ("perfect predictions", truth, "mse", 0.0),
        ("perfect predictions", truth, "mae", 0.0),
        ("perfect predictions", truth, "pearson_r", 1.0),
        ("perfect predictions", truth, "r2", 1.0),
        ("perfect predictions", truth, "skill", 1.0),
        ("the train mean", base, "skill", 0.0),
        ("the train mean", base, "pearson_r", None),
        ("the mean of the truth", np.full(4, truth.mean()), "r2", 0.0),
        ("reversed predictions", -truth, "pearson_r", -1.0),
    ]
    broken: list[dict[str, Scalar]] = []
    for what, prediction, name, expected in oracles:
        found = metric(truth, prediction, base)
        value = getattr(found.get(name), "value", found.get(name))
        if name in found and not _is_expected(value, expected):
            broken.append(
                {"oracle": what, "metric": name, "expected": expected or 0.0, "found": str(value)}
            )
    return broken


def _is_expected(value: object, expected: float | None) -> bool:
    if value is None:
        return expected is None
    if not isinstance(value, (int, float)):
        return False
    # A constant has no correlation: 0 is a convention, NaN a trap.
    return abs(value - (expected or 0.0)) <= _TOLERANCE


_Arrays: TypeAlias = (
    "tuple[NDArray[np.str_], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]"
)


def _fold_arrays(
    predictions: pd.DataFrame, cohort: Cohort, split: Split, side: str, *, per_subject: bool
) -> Iterator[_Arrays]:
    """Yield subjects, truth, prediction and baseline of each fold's held-out windows."""
    table = predictions
    if "role" in table.columns:
        table = table.loc[table["role"] == "test"]
    rows = dict(zip(cohort.table["sample_id"].tolist(), range(len(cohort.y)), strict=True))
    for fold in split.folds:
        part = table.loc[table["fold"] == fold.name] if "fold" in table.columns else table
        positions = np.array([rows[name] for name in part["sample_id"]], dtype=np.int64)
        source = fold.train if side == "train" else fold.test
        if per_subject:
            source = source[np.unique(cohort.subjects[source], return_index=True)[1]]
        baseline = np.full(len(positions), cohort.y[source].mean())
        predicted = baseline if "y_pred" not in part else part["y_pred"].to_numpy(dtype=np.float64)
        yield cohort.subjects[positions], cohort.y[positions], predicted, baseline


def _add_values(found: dict[str, list[float]], folds: list[_Arrays]) -> None:
    """Add the metrics over subjects and over windows, folds pooled and averaged."""
    rows: list[NDArray[Any]] = [np.concatenate(arrays) for arrays in zip(*folds, strict=True)]
    # Who is held out several times is one subject, whose predictions are averaged.
    for prefixes, pooled, parts in (
        (("",), _per_subject(*rows), [_per_subject(*fold) for fold in folds]),
        (_WINDOW_LEVEL, rows[1:], [fold[1:] for fold in folds]),
    ):
        together, each = _formulas(*pooled), [_formulas(*part) for part in parts]
        for name, value in together.items():
            averaged = float(np.mean([one[name] for one in each if name in one] or [value]))
            for prefix in prefixes:
                found.setdefault(f"{prefix}{name}", []).extend([value, averaged])


def _per_subject(
    subjects: NDArray[np.str_], *arrays: NDArray[np.float64]
) -> tuple[NDArray[np.float64], ...]:
    _, inverse, counts = np.unique(subjects, return_inverse=True, return_counts=True)
    return tuple(np.bincount(inverse, weights=array) / counts for array in arrays)


def _formulas(
    truth: NDArray[np.float64], predicted: NDArray[np.float64], baseline: NDArray[np.float64]
) -> dict[str, float]:
    error = float(((truth - predicted) ** 2).mean())
    found = {
        "mse": error,
        "rmse": float(np.sqrt(error)),
        "mae": float(np.abs(truth - predicted).mean()),
    }
    variance = float(truth.var())
    if variance > 0:
        found["r2"] = 1 - error / variance
        found["nrmse"] = float(np.sqrt(error / variance))
        found["pearson_r"] = found["r"] = _correlation(truth, predicted)
        found["spearman_r"] = _correlation(_ranks(truth), _ranks(predicted))
    base_error = float(((truth - baseline) ** 2).mean())
    if base_error > 0:
        found["skill"] = 1 - error / base_error
    return found


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    if b.std() <= _CONSTANT:
        return 0.0
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks; ties share their mean rank. A subject's mean is a tie to twelve digits."""
    shares = np.round(values / (float(np.abs(values).max(initial=0.0)) or 1.0), 12)
    _, inverse, counts = np.unique(shares, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return ranks

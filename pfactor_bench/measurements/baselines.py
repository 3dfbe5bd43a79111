"""The ladder: every score between the simplest predictors and, where there is one, the ceiling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.measurements.cases import HeldOut, held_out
from pfactor_bench.models.baselines import BASELINES, BaselineUnavailableError
from pfactor_bench.seeds import seed_for
from pfactor_bench.statistics.comparisons import paired_differences
from pfactor_bench.statistics.intervals import metric_intervals
from pfactor_bench.statistics.metrics import METRICS, score, subject_means
from pfactor_bench.types import Interval, Measurement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pfactor_bench.models.baselines import Baseline
    from pfactor_bench.registry import Registry
    from pfactor_bench.types import Cohort, Split

__all__ = ["measure_ladder"]


def measure_ladder(
    cohort: Cohort,
    split: Split,
    arrays: Mapping[str, NDArray[Any]],
    *,
    baselines: Sequence[str],
    regimes: Iterable[str],
    registered: Mapping[str, Baseline] | Registry[Baseline] = BASELINES,
) -> tuple[Measurement, ...]:
    """Fit baselines on each fold's training people and set every regime beside them.

    Parameters
    ----------
    cohort, split
        What the cases ran on.
    arrays
        As `pfactor_bench.measurements.cases.pooled_arrays` returns them.
    baselines
        Their names.
    regimes
        Labels of the regimes.
    registered
        Where the baselines' names are looked up.

    Returns
    -------
    tuple of Measurement
        ``<baseline>/<metric>`` with intervals over people, and ``<regime>-vs-<baseline>/mse_gain``:
        how much smaller the regime's squared error is, person by person, in squared score units.
        A baseline that this cohort cannot feed is there with the reason.
    """
    rows = held_out(cohort, split)
    found: list[Measurement] = []
    predictions: dict[str, NDArray[np.float64]] = {"train-mean": arrays["y_base"]}
    for name in baselines:
        try:
            predictions[name] = _per_person(registered[name], cohort, split, rows)
        except BaselineUnavailableError as error:
            found += (_missing(name, metric, str(error)) for metric in METRICS)
            continue
        found += _rung(name, predictions[name], arrays)
    for regime in regimes:
        found += _gains(regime, predictions, arrays)
    return tuple(found)


def _per_person(
    baseline: Baseline, cohort: Cohort, split: Split, rows: HeldOut
) -> NDArray[np.float64]:
    windows = np.concatenate([baseline(cohort, fold) for fold in split.folds])
    return subject_means(rows.subjects, windows)[1]


def _rung(
    name: str, y_pred: NDArray[np.float64], arrays: Mapping[str, NDArray[Any]]
) -> Iterator[Measurement]:
    y_true, y_base = arrays["y_true"], arrays["y_base"]
    intervals = metric_intervals(y_true, y_pred[None], y_base, seed=seed_for("interval", name))
    for metric, found in score(y_true, y_pred, y_base).items():
        interval = intervals[metric]
        known = found.value is not None and isinstance(interval, Interval)
        yield Measurement(
            name=f"{name}/{metric}",
            case=name,
            value=found.value,
            ci=interval if known and isinstance(interval, Interval) else None,
            n_subjects=len(y_true),
            missing_because=found.missing_because,
            note=found.note,
        )


def _gains(
    regime: str,
    predictions: Mapping[str, NDArray[np.float64]],
    arrays: Mapping[str, NDArray[Any]],
) -> Iterator[Measurement]:
    differences = paired_differences(arrays["y_true"], arrays[f"{regime}/y_pred"], predictions)
    for baseline, (value, interval) in differences.items():
        yield Measurement(
            name=f"{regime}-vs-{baseline}/mse_gain",
            case=regime,
            value=value,
            unit="score²",
            ci=interval if isinstance(interval, Interval) else None,
            n_subjects=len(arrays["y_true"]),
            missing_because=str(interval) if value is None else None,
            note=interval if isinstance(interval, str) and value is not None else None,
        )


def _missing(name: str, metric: str, reason: str) -> Measurement:
    return Measurement(name=f"{name}/{metric}", case=name, value=None, missing_because=reason)

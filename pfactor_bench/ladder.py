"""The ladder: every score between the simplest predictors and, where there is one, the ceiling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.baselines import BASELINES, BaselineUnavailableError
from pfactor_bench.confounds import confound_tests
from pfactor_bench.inference import (
    VarianceComponent,
    metric_intervals,
    paired_differences,
    variance_components,
)
from pfactor_bench.inference.variance import SOURCES
from pfactor_bench.measure import HeldOut, held_out
from pfactor_bench.metrics import METRICS, score, subject_means
from pfactor_bench.seeds import seed_for
from pfactor_bench.types import Interval, Measurement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pfactor_bench.baselines import Baseline
    from pfactor_bench.registry import Registry
    from pfactor_bench.types import Cohort, Split

__all__ = ["measure_confounds", "measure_ladder", "measure_spread"]


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
        As `pfactor_bench.measure.pooled_arrays` returns them.
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


def measure_spread(
    cohort: Cohort, split: Split, arrays: Mapping[str, NDArray[Any]], *, regimes: Iterable[str]
) -> tuple[Measurement, ...]:
    """Return how much of the spread of squared errors is due to people, seeds and folds.

    Returns
    -------
    tuple of Measurement
        ``<regime>/spread/<source>``: what the source alone adds to the standard error of the
        regime's mean squared error, in squared score units.
    """
    rows = held_out(cohort, split)
    names, first = np.unique(rows.subjects, return_index=True)
    folds = rows.folds[first]
    return tuple(
        Measurement(
            name=f"{regime}/spread/{part.source}",
            case=regime,
            value=part.se_of_mean,
            unit="score²",
            n_subjects=len(names),
            missing_because=part.missing_because,
        )
        for regime in regimes
        for part in _components((arrays[f"{regime}/y_pred"] - arrays["y_true"]) ** 2, folds)
    )


def _components(
    errors: NDArray[np.float64], folds: NDArray[np.str_]
) -> tuple[VarianceComponent, ...]:
    if np.isfinite(errors).all():
        return variance_components(errors, folds)
    reason = "not every person has a finite prediction"
    return tuple(
        VarianceComponent(source=source, variance=None, se_of_mean=None, missing_because=reason)
        for source in SOURCES
    )


def measure_confounds(
    cohort: Cohort, arrays: Mapping[str, NDArray[Any]], *, regimes: Iterable[str]
) -> tuple[Measurement, ...]:
    """Test whether predictions follow age, sex, release or recording length beyond the score.

    Returns
    -------
    tuple of Measurement
        ``<regime>/confound/<name>``, p-values; missing, with the reason, where a cohort has no such
        column.
    """
    return tuple(
        Measurement(
            name=f"{regime}/confound/{test.confound}",
            case=regime,
            value=test.p_value,
            n_subjects=test.n_people,
            missing_because=test.missing_because,
        )
        for regime in regimes
        for test in confound_tests(
            cohort,
            arrays["subjects"],
            arrays["y_true"],
            arrays[f"{regime}/y_pred"].mean(axis=0),
            seed=seed_for("confound", regime),
        )
    )


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

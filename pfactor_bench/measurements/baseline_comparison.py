"""The ladder: every score between the simplest predictors and, where there is one, the ceiling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.measurements.cases import METRIC
from pfactor_bench.measurements.family import Family, Number, Place
from pfactor_bench.measurements.held_out import HeldOut, held_out
from pfactor_bench.models.baselines import BASELINES, BaselineUnavailableError
from pfactor_bench.seeds import seed_for
from pfactor_bench.statistics.comparisons import paired_differences
from pfactor_bench.statistics.intervals import metric_intervals
from pfactor_bench.statistics.metrics import METRICS, score, subject_means
from pfactor_bench.types import Interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pfactor_bench.models.baselines import Baseline
    from pfactor_bench.types import Cohort, Measurement, Split

__all__ = ["FAMILY", "measure_ladder"]

_SCORE = Number(
    name="{baseline}/{metric}",
    words="a metric over subjects of a simple predictor, fitted on each fold's training subjects",
    interval="subjects",
    places={"metric": METRIC},
)
_GAIN = Number(
    name="{regime}-vs-{simple}/mse_gain",
    case="{regime}",
    words="how much smaller the regime's squared error is, subject by subject",
    interval="subjects",
    unit="score²",
    places={
        "simple": Place(
            words="`train-mean` or a baseline of the suite",
            values=lambda plan: ["train-mean", *plan.baselines],
        )
    },
)


def measure_ladder(
    cohort: Cohort,
    split: Split,
    arrays: Mapping[str, NDArray[Any]],
    *,
    baselines: Sequence[str],
    regimes: Iterable[str],
) -> tuple[Measurement, ...]:
    """Fit baselines on each fold's training people and set every regime beside them.

    Parameters
    ----------
    cohort, split
        What the cases ran on.
    arrays
        As `pfactor_bench.measurements.held_out.pooled_arrays` returns them.
    baselines
        Their names.
    regimes
        Labels of the regimes.

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
            predictions[name] = _per_person(BASELINES[name], cohort, split, rows)
        except BaselineUnavailableError as error:
            found += (
                _SCORE.measured(None, missing_because=str(error), baseline=name, metric=metric)
                for metric in METRICS
            )
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
        yield _SCORE.measured(
            found.value,
            ci=interval if known and isinstance(interval, Interval) else None,
            n_subjects=len(y_true),
            missing_because=found.missing_because,
            note=found.note,
            baseline=name,
            metric=metric,
        )


def _gains(
    regime: str,
    predictions: Mapping[str, NDArray[np.float64]],
    arrays: Mapping[str, NDArray[Any]],
) -> Iterator[Measurement]:
    differences = paired_differences(arrays["y_true"], arrays[f"{regime}/y_pred"], predictions)
    for baseline, (value, interval) in differences.items():
        yield _GAIN.measured(
            value,
            ci=interval if isinstance(interval, Interval) else None,
            n_subjects=len(arrays["y_true"]),
            missing_because=str(interval) if value is None else None,
            note=interval if isinstance(interval, str) and value is not None else None,
            regime=regime,
            simple=baseline,
        )


FAMILY = Family(
    order=20,
    title="Baseline comparison",
    numbers=(_SCORE, _GAIN),
    measure=lambda run: measure_ladder(
        run.cohort, run.split, run.arrays, baselines=run.baselines, regimes=run.regimes
    ),
)

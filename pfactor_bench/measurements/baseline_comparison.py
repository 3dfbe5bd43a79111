"""Every regime between the simplest predictors and, where there is one, the ceiling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.measurements.cases import METRIC
from pfactor_bench.measurements.family import Family, Number, Place
from pfactor_bench.measurements.held_out import HeldOut, held_out, sample_of
from pfactor_bench.models.baselines import BASELINES, BaselineUnavailableError
from pfactor_bench.seeds import seed_for
from pfactor_bench.statistics.comparisons import paired_differences
from pfactor_bench.statistics.intervals import metric_intervals
from pfactor_bench.statistics.metrics import METRICS, evaluate, subject_means
from pfactor_bench.types import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from pfactor_bench.measurements.family import Outcome
    from pfactor_bench.measurements.held_out import Sample
    from pfactor_bench.models.baselines import Baseline
    from pfactor_bench.types import Cohort, Measurement, Split

__all__ = ["FAMILY", "measure"]

_TARGET = Number(
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
    unit="target²",
    places={
        "simple": Place(
            words="`train-mean` or a baseline of the suite",
            values=lambda plan: ["train-mean", *plan.baselines],
        )
    },
)


def measure(run: Outcome) -> Iterator[Measurement]:
    """Fit baselines on each fold's training subjects and set every regime beside them.

    A baseline that this cohort cannot feed is there with the reason.
    """
    rows = held_out(run.cohort, run.split)
    sample = sample_of(run.cohort, run.split, run.arrays["subjects"])
    predictions = {"train-mean": run.arrays["y_base"]}
    for name in run.baselines:
        try:
            predictions[name] = _per_subject(BASELINES[name], run.cohort, run.split, rows)
        except BaselineUnavailableError as error:
            for metric in METRICS:
                yield _TARGET.measured(
                    None, missing_because=str(error), baseline=name, metric=metric
                )
            continue
        yield from _baseline(name, predictions[name], run.arrays, sample)
    for regime in run.regimes:
        yield from _gains(regime, predictions, run.arrays, sample)


def _per_subject(
    baseline: Baseline, cohort: Cohort, split: Split, rows: HeldOut
) -> NDArray[np.float64]:
    windows = np.concatenate([baseline(cohort, fold) for fold in split.folds])
    return subject_means(rows.subjects, windows)[1]


def _baseline(
    name: str,
    y_pred: NDArray[np.float64],
    arrays: Mapping[str, NDArray[Any]],
    sample: Sample,
) -> Iterator[Measurement]:
    y_true, y_base = arrays["y_true"], arrays["y_base"]
    intervals = metric_intervals(
        y_true,
        y_pred[None],
        y_base,
        seed=seed_for("interval", name),
        evaluation=sample.evaluation,
        clusters=sample.clusters,
    )
    for metric, found in evaluate(y_true, y_pred, y_base).items():
        interval = intervals[metric]
        known = found.value is not None and isinstance(interval, Interval)
        yield _TARGET.measured(
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
    sample: Sample,
) -> Iterator[Measurement]:
    differences = paired_differences(
        arrays["y_true"],
        arrays[f"{regime}/y_pred"],
        predictions,
        evaluation=sample.evaluation,
        clusters=sample.clusters,
    )
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
    numbers=(_TARGET, _GAIN),
    measure=measure,
)

"""From predictions to measurements: the harness computes every number itself.

A study hands over predictions only. The true targets are joined here, from the harness's own copy
of the cohort, and every target stands beside that of the train mean of the same fold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.measurements.family import Family, Number, Place
from pfactor_bench.measurements.held_out import (
    HeldOut,
    by_regime,
    held_out,
    held_out_predictions,
    sample_of,
    subject_predictions,
)
from pfactor_bench.seeds import seed_for
from pfactor_bench.statistics.intervals import metric_intervals
from pfactor_bench.statistics.metrics import METRICS, evaluate, subject_means
from pfactor_bench.types import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pfactor_bench.measurements.family import Outcome
    from pfactor_bench.measurements.held_out import Sample
    from pfactor_bench.types import CaseResult, Measurement

__all__ = ["FAMILY", "METRIC", "measure"]

METRIC = Place(words="a metric, one of those at the end", values=lambda _plan: METRICS)
_PREDICTOR = Place(
    words="`train-mean`, which predicts the mean of a fold's training subjects, or a case",
    values=lambda plan: ["train-mean", *(case.id for case in plan.cases)],
)

_OVER_SUBJECTS = Number(
    name="{predictor}/{metric}",
    words="a metric over subjects, whose windows are averaged first",
    places={"predictor": _PREDICTOR, "metric": METRIC},
)
_OVER_WINDOWS = Number(
    name="{predictor}/window_{metric}",
    words="a metric over windows, for comparison with other work",
    level="windows",
    places=_OVER_SUBJECTS.places,
)
_POOLED = Number(
    name="{regime}/{metric}",
    words="a metric over subjects, averaged over seeds",
    interval="subjects",
    places={"metric": METRIC},
)
_LAST_EPOCH = {
    curve: Number(
        name=f"{{case}}/{curve}",
        words=f"{words} after the last epoch, averaged over folds",
        level="windows",
    )
    for curve, words in {
        "train_mse": "training loss",
        "val_mse": "mean squared error of held-out windows",
        "val_r": "Pearson's correlation over held-out windows",
    }.items()
}
_BEST_VAL_R = tuple(
    Number(
        name=f"{{{whose}}}/best_val_r",
        words=f"maximum over epochs of `val_r`{mean}: too good by construction",
        level="windows",
    )
    for whose, mean in {"case": "", "regime": ", averaged over seeds"}.items()
)
_SD_RATIO = Number(
    name="{regime}/sd_ratio",
    words="standard deviation over subjects of the predictions over that of the targets",
)


def measure(run: Outcome) -> Iterator[Measurement]:
    """Yield the train mean's numbers, each case's, and each regime's pooled over its seeds."""
    rows = held_out(run.cohort, run.split)
    sample = sample_of(run.cohort, run.split, np.unique(rows.subjects))
    yield from _both_levels("train-mean", rows, rows.y_base)
    for regime, cases in by_regime(run.results).items():
        results = [run.results[case] for case in cases]
        for case, result in zip(cases, results, strict=True):
            yield from _last_epoch(case.id, result)
            yield from _both_levels(case.id, rows, held_out_predictions(result))
        yield from _pooled_measurements(regime, results, rows, sample)


def _last_epoch(case_id: str, result: CaseResult) -> list[Measurement]:
    """Return what the training curves end at, averaged over folds, and their best r."""
    curves = result.curves
    found = [
        number.measured(
            case=case_id, **_finite(float(np.mean([getattr(fold, name)[-1] for fold in curves])))
        )
        for name, number in _LAST_EPOCH.items()
    ]
    return [*found, _best_val_r(_BEST_VAL_R[0], [result], {"case": case_id})]


def _finite(value: float) -> dict[str, Any]:
    """Return a curve's value, or why there is none."""
    if np.isfinite(value):
        return {"value": value}
    return {"value": None, "missing_because": "the curve is not finite: training diverged"}


def _best_val_r(
    number: Number, results: Sequence[CaseResult], places: Mapping[str, Any]
) -> Measurement:
    best = [np.mean([fold.val_r.max() for fold in result.curves]) for result in results]
    return number.measured(
        **_finite(float(np.mean(best))),
        note="a maximum over epochs on the very windows it is reported for: biased upwards",
        **places,
    )


def _both_levels(predictor: str, rows: HeldOut, y_pred: NDArray[np.float64]) -> list[Measurement]:
    names, y_true = subject_means(rows.subjects, rows.y_true)
    subjects = evaluate(
        y_true,
        subject_means(rows.subjects, y_pred)[1],
        subject_means(rows.subjects, rows.y_base)[1],
    )
    windows = evaluate(rows.y_true, y_pred, rows.y_base)
    return [
        number.measured(
            found[metric].value,
            n_subjects=len(names),
            missing_because=found[metric].missing_because,
            note=found[metric].note,
            predictor=predictor,
            metric=metric,
        )
        for number, found in ((_OVER_SUBJECTS, subjects), (_OVER_WINDOWS, windows))
        for metric in METRICS
    ]


def _pooled_measurements(
    regime: str, results: Sequence[CaseResult], rows: HeldOut, sample: Sample
) -> list[Measurement]:
    """Return each metric averaged over seeds, with its interval over subjects."""
    names, y_true = subject_means(rows.subjects, rows.y_true)
    y_base = subject_means(rows.subjects, rows.y_base)[1]
    y_pred = np.stack([subject_predictions(rows, result) for result in results])
    per_seed = [evaluate(y_true, prediction, y_base) for prediction in y_pred]
    intervals = metric_intervals(
        y_true,
        y_pred,
        y_base,
        seed=seed_for("interval", regime),
        evaluation=sample.evaluation,
        clusters=sample.clusters,
    )
    found = []
    for name in METRICS:
        values = [metrics[name].value for metrics in per_seed]
        missing = next((m[name].missing_because for m in per_seed if m[name].value is None), None)
        interval = intervals[name]
        found.append(
            _POOLED.measured(
                None if missing else float(np.mean([v for v in values if v is not None])),
                ci=interval if isinstance(interval, Interval) and not missing else None,
                n_subjects=len(names),
                missing_because=missing,
                note=interval if isinstance(interval, str) else None,
                regime=regime,
                metric=name,
            )
        )
    found.append(_sd_ratio(regime, y_true, y_pred))
    return [*found, _best_val_r(_BEST_VAL_R[1], results, {"regime": regime})]


def _sd_ratio(regime: str, y_true: NDArray[np.float64], y_pred: NDArray[np.float64]) -> Measurement:
    reason = None
    if not np.isfinite(y_pred).all():
        reason = "not every subject has a finite prediction"
    elif not y_true.std():
        reason = "the true targets are all equal"
    return _SD_RATIO.measured(
        None if reason else float(y_pred.std(axis=1).mean() / y_true.std()),
        n_subjects=len(y_true),
        missing_because=reason,
        note="standard deviation over subjects of the predictions over that of the targets",
        regime=regime,
    )


FAMILY = Family(
    order=10,
    title="Predictions and training curves",
    numbers=(
        _OVER_SUBJECTS,
        _OVER_WINDOWS,
        *_LAST_EPOCH.values(),
        _BEST_VAL_R[0],
        _POOLED,
        _SD_RATIO,
        _BEST_VAL_R[1],
    ),
    measure=measure,
)

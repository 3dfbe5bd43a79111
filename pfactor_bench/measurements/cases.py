"""From predictions to measurements: the harness computes every number itself.

A study hands over predictions only. The true scores are joined here, from the harness's own copy of
the cohort, and every score stands beside that of the train mean of the same fold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.measurements.saliency import planted_shares, randomised_similarity, share_of_map
from pfactor_bench.models.baselines import train_mean
from pfactor_bench.seeds import seed_for
from pfactor_bench.statistics.intervals import metric_intervals
from pfactor_bench.statistics.metrics import METRICS, Metric, score, subject_means
from pfactor_bench.types import Interval, Measurement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pfactor_bench.types import Case, CaseResult, Cohort, Split

__all__ = ["HeldOut", "held_out", "measure", "pooled_arrays"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class HeldOut:
    """The held-out rows of a split with everything that a score is computed from.

    Parameters
    ----------
    positions
        Positions of the windows in the cohort, fold after fold, shape ``(n_rows,)``.
    folds
        The fold of each row.
    subjects, y_true
        Subject and true score of each row.
    y_base
        Prediction of the train-mean predictor, `pfactor_bench.models.baselines.train_mean`: the
        mean over the fold's training people, each counted once.
    """

    positions: NDArray[np.int64]
    folds: NDArray[np.str_]
    subjects: NDArray[np.str_]
    y_true: NDArray[np.float64]
    y_base: NDArray[np.float64]


def held_out(cohort: Cohort, split: Split) -> HeldOut:
    """Return the held-out rows of every fold and what the train mean predicts for them."""
    positions = np.concatenate([fold.test for fold in split.folds])
    sizes = [len(fold.test) for fold in split.folds]
    return HeldOut(
        positions=positions,
        folds=np.repeat([fold.name for fold in split.folds], sizes),
        subjects=cohort.subjects[positions],
        y_true=cohort.y[positions],
        y_base=np.concatenate([train_mean(cohort, fold) for fold in split.folds]),
    )


def pooled_arrays(
    cohort: Cohort, split: Split, results: Mapping[Case, CaseResult]
) -> dict[str, NDArray[np.generic]]:
    """Return the arrays that a report's figures are drawn from.

    Parameters
    ----------
    cohort, split
        What the cases ran on.
    results
        Every case's.

    Returns
    -------
    dict
        ``subjects, y_true, y_base``, shape ``(n_subjects,)``, and for each regime
        ``<regime>/seeds`` ``(n_seeds,)``, ``<regime>/y_pred`` ``(n_seeds, n_subjects)``,
        ``<regime>/train_mse``, ``val_mse`` and ``val_r`` ``(n_seeds, n_folds, n_epochs)``, and
        ``<regime>/saliency/<choice>`` ``(n_seeds, n_chans, n_times)``.
    """
    rows = held_out(cohort, split)
    names, y_true = subject_means(rows.subjects, rows.y_true)
    arrays: dict[str, NDArray[np.generic]] = {
        "subjects": names,
        "y_true": y_true,
        "y_base": subject_means(rows.subjects, rows.y_base)[1],
    }
    for regime, cases in _by_regime(results).items():
        mine = [results[case] for case in cases]
        arrays[f"{regime}/seeds"] = np.array([case.seed for case in cases])
        arrays[f"{regime}/y_pred"] = np.stack([_per_subject(rows, result) for result in mine])
        for curve in ("train_mse", "val_mse", "val_r"):
            arrays[f"{regime}/{curve}"] = np.array(
                [[getattr(fold, curve) for fold in result.curves] for result in mine]
            )
        for number, saliency in enumerate(mine[0].saliency):
            arrays[f"{regime}/saliency/{saliency.chosen_by}"] = np.stack(
                [result.saliency[number].map for result in mine]
            )
    return arrays


def measure(
    cohort: Cohort, split: Split, results: Mapping[Case, CaseResult]
) -> tuple[Measurement, ...]:
    """Return every number that the predictions support.

    Parameters
    ----------
    cohort, split
        What the cases ran on.
    results
        Every case's.

    Returns
    -------
    tuple of Measurement
        The train mean's, each case's, and each regime's pooled over its seeds. A plain metric name
        is at the level of people; ``window_`` marks the level of windows; ``train_mse``,
        ``val_mse`` and ``val_r`` are the last epoch's over windows, as training curves show them.
        ``saliency_<choice>_planted_share`` and ``_planted_band_share`` say how much saliency lies
        where a synthetic cohort hides its signal, ``_randomised_similarity`` how much of a map is
        left when weights are shuffled.
    """
    rows = held_out(cohort, split)
    found = _both_levels("train-mean", rows, rows.y_base)
    for regime, cases in _by_regime(results).items():
        for case in cases:
            found += _case_measurements(case, results[case], rows, cohort)
        mine = [results[case] for case in cases]
        found += _pooled_measurements(regime, mine, rows)
        if cohort.planted is not None:
            found += planted_shares(regime, mine, cohort, cohort.planted)
    return tuple(found)


def _by_regime(results: Mapping[Case, CaseResult]) -> dict[str, list[Case]]:
    regimes: dict[str, list[Case]] = {}
    for case in results:
        regimes.setdefault(case.regime, []).append(case)
    return regimes


def _case_measurements(
    case: Case, result: CaseResult, rows: HeldOut, cohort: Cohort
) -> list[Measurement]:
    found = _last_epoch(case.id, result)
    found += _both_levels(case.id, rows, _test_predictions(result))
    for saliency in result.saliency:
        name = f"{case.id}/saliency_{saliency.chosen_by}"
        if cohort.planted is not None:
            found.append(share_of_map(f"{name}_planted_share", saliency, cohort, cohort.planted))
        if saliency.by_person is not None:
            found.append(randomised_similarity(f"{name}_randomised_similarity", saliency))
    return found


def _last_epoch(case_id: str, result: CaseResult) -> list[Measurement]:
    """Return what the training curves end at, averaged over folds, and their best r."""
    curves = result.curves
    last = {
        name: float(np.mean([getattr(fold, name)[-1] for fold in curves]))
        for name in ("train_mse", "val_mse", "val_r")
    }
    found = [
        Measurement(name=f"{case_id}/{name}", case=case_id, **_finite(value))
        for name, value in last.items()
    ]
    best = float(np.mean([fold.val_r.max() for fold in curves]))
    return [*found, _best_val_r(case_id, best)]


def _finite(value: float) -> dict[str, Any]:
    """Return a curve's value, or why there is none."""
    if np.isfinite(value):
        return {"value": value}
    return {"value": None, "missing_because": "the curve is not finite: training diverged"}


def _best_val_r(case_id: str, value: float) -> Measurement:
    return Measurement(
        name=f"{case_id}/best_val_r",
        case=case_id,
        **_finite(value),
        note="a maximum over epochs on the very windows it is reported for: biased upwards",
    )


def _both_levels(case_id: str, rows: HeldOut, y_pred: NDArray[np.float64]) -> list[Measurement]:
    names, y_true = subject_means(rows.subjects, rows.y_true)
    people = score(
        y_true,
        subject_means(rows.subjects, y_pred)[1],
        subject_means(rows.subjects, rows.y_base)[1],
    )
    windows = score(rows.y_true, y_pred, rows.y_base)
    return [_measurement(case_id, name, people[name], len(names)) for name in METRICS] + [
        _measurement(case_id, f"window_{name}", windows[name], len(names)) for name in METRICS
    ]


def _measurement(case_id: str, name: str, metric: Metric, n_subjects: int) -> Measurement:
    return Measurement(
        name=f"{case_id}/{name}",
        case=case_id,
        value=metric.value,
        n_subjects=n_subjects,
        missing_because=metric.missing_because,
        note=metric.note,
    )


def _pooled_measurements(
    regime: str, results: Sequence[CaseResult], rows: HeldOut
) -> list[Measurement]:
    """Return each metric averaged over seeds, with an interval that resamples people."""
    names, y_true = subject_means(rows.subjects, rows.y_true)
    y_base = subject_means(rows.subjects, rows.y_base)[1]
    y_pred = np.stack([_per_subject(rows, result) for result in results])
    per_seed = [score(y_true, prediction, y_base) for prediction in y_pred]
    intervals = metric_intervals(y_true, y_pred, y_base, seed=seed_for("interval", regime))
    found = []
    for name in METRICS:
        values = [metrics[name].value for metrics in per_seed]
        missing = next((m[name].missing_because for m in per_seed if m[name].value is None), None)
        interval = intervals[name]
        found.append(
            Measurement(
                name=f"{regime}/{name}",
                case=regime,
                value=None if missing else float(np.mean([v for v in values if v is not None])),
                ci=interval if isinstance(interval, Interval) and not missing else None,
                n_subjects=len(names),
                missing_because=missing,
                note=interval if isinstance(interval, str) else None,
            )
        )
    found.append(_sd_ratio(regime, y_true, y_pred))
    best = np.mean([np.mean([fold.val_r.max() for fold in result.curves]) for result in results])
    return [*found, _best_val_r(regime, float(best))]


def _sd_ratio(regime: str, y_true: NDArray[np.float64], y_pred: NDArray[np.float64]) -> Measurement:
    reason = None
    if not np.isfinite(y_pred).all():
        reason = "not every person has a finite prediction"
    elif not y_true.std():
        reason = "the true scores are all equal"
    return Measurement(
        name=f"{regime}/sd_ratio",
        case=regime,
        value=None if reason else float(y_pred.std(axis=1).mean() / y_true.std()),
        n_subjects=len(y_true),
        missing_because=reason,
        note="standard deviation over people of the predictions over that of the scores",
    )


def _test_predictions(result: CaseResult) -> NDArray[np.float64]:
    table = result.predictions
    predictions: NDArray[np.float64] = table.loc[table["role"] == "test", "y_pred"].to_numpy()
    return predictions


def _per_subject(rows: HeldOut, result: CaseResult) -> NDArray[np.float64]:
    return subject_means(rows.subjects, _test_predictions(result))[1]

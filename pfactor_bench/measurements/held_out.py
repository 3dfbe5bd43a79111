"""Held-out rows with all that a number is computed from, and the arrays that figures show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.models.baselines import train_mean
from pfactor_bench.statistics.metrics import subject_means

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pfactor_bench.types import Case, CaseResult, Cohort, Split

__all__ = [
    "HeldOut",
    "by_regime",
    "held_out",
    "held_out_predictions",
    "pooled_arrays",
    "subject_predictions",
]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class HeldOut:
    """The held-out rows of a split with everything that a target is computed from.

    Parameters
    ----------
    positions
        Positions of the windows in the cohort, fold after fold, shape ``(n_rows,)``.
    folds
        The fold of each row.
    subjects, y_true
        Subject and true target of each row.
    y_base
        Prediction of the train-mean predictor, `pfactor_bench.models.baselines.train_mean`: the
        mean over the fold's training subjects, each counted once.
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
    for regime, cases in by_regime(results).items():
        mine = [results[case] for case in cases]
        arrays[f"{regime}/seeds"] = np.array([case.seed for case in cases])
        arrays[f"{regime}/y_pred"] = np.stack(
            [subject_predictions(rows, result) for result in mine]
        )
        for curve in ("train_mse", "val_mse", "val_r"):
            arrays[f"{regime}/{curve}"] = np.array(
                [[getattr(fold, curve) for fold in result.curves] for result in mine]
            )
        for number, saliency in enumerate(mine[0].saliency):
            arrays[f"{regime}/saliency/{saliency.chosen_by}"] = np.stack(
                [result.saliency[number].map for result in mine]
            )
    return arrays


def by_regime(results: Mapping[Case, CaseResult]) -> dict[str, list[Case]]:
    """Return the cases of each regime that have a result."""
    regimes: dict[str, list[Case]] = {}
    for case in results:
        regimes.setdefault(case.regime, []).append(case)
    return regimes


def held_out_predictions(result: CaseResult) -> NDArray[np.float64]:
    """Return what a case predicts for its held-out windows, fold after fold."""
    table = result.predictions
    predictions: NDArray[np.float64] = table.loc[table["role"] == "test", "y_pred"].to_numpy()
    return predictions


def subject_predictions(rows: HeldOut, result: CaseResult) -> NDArray[np.float64]:
    """Return the mean of what a case predicts for each subject's held-out windows."""
    return subject_means(rows.subjects, held_out_predictions(result))[1]

"""Held-out rows with all that a number is computed from, and the arrays that figures show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.cohorts.targets import is_known
from pfactor_bench.models.baselines import train_mean
from pfactor_bench.statistics.evaluation import CROSS_VALIDATED, HELD_OUT, Evaluation
from pfactor_bench.statistics.metrics import subject_means

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pfactor_bench.types import Case, CaseResult, Cohort, Split

__all__ = [
    "HeldOut",
    "Sample",
    "by_regime",
    "held_out",
    "held_out_predictions",
    "pooled_arrays",
    "sample_of",
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


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Sample:
    """The held-out subjects as a sample, which intervals over them need to know.

    Parameters
    ----------
    evaluation
        Whether models were refitted in cross-validation.
    folds
        The fold that held each subject out, shape ``(n_subjects,)``; the last one where there are
        several.
    once
        Whether every subject was held out in one fold only.
    clusters
        The family of each subject, or the group that was left out together; None where nobody is
        related.
    """

    evaluation: Evaluation
    folds: NDArray[np.str_]
    once: bool
    clusters: NDArray[np.str_] | None


def sample_of(cohort: Cohort, split: Split, subjects: NDArray[np.str_]) -> Sample:
    """Return what sample the held-out subjects, in this order, are."""
    held_out = {fold.name: np.unique(cohort.subjects[fold.test]).tolist() for fold in split.folds}
    fold_of = {name: fold for fold, names in held_out.items() for name in names}
    folds = np.array([fold_of[name] for name in subjects.tolist()])
    return Sample(
        evaluation=CROSS_VALIDATED if len(split.folds) > 1 else HELD_OUT,
        folds=folds,
        once=sum(map(len, held_out.values())) == len(subjects),
        clusters=folds if split.name == "leave-group-out" else _families(cohort, subjects),
    )


def _families(cohort: Cohort, subjects: NDArray[np.str_]) -> NDArray[np.str_] | None:
    """Return the family of each subject; of whom none is known, the subject itself."""
    if "family" not in cohort.table.columns:
        return None
    by_subject = cohort.table.drop_duplicates("subject").set_index("subject")["family"]
    families = by_subject.where(is_known(by_subject)).reindex(subjects)
    names = np.where(families.isna(), subjects, "family " + families.astype(str))
    return names.astype(str) if len(np.unique(names)) < len(names) else None


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

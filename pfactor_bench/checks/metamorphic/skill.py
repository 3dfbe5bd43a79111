"""Skill over subjects, and how often permutations of those held out together reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.statistics.metrics import subject_means

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pfactor_bench.checks.metamorphic.folds import ProbedFold
    from pfactor_bench.checks.metamorphic.probe import Probe
    from pfactor_bench.studies.contract import Answer

__all__ = ["predicted_by_subject", "skill_within_folds", "swappable"]

_PERMUTATIONS = 10_000
#: Predictions and targets that vary less than this are constant but for rounding.
_NOTHING = 1e-12


def skill_within_folds(
    study: Probe,
    drawn: Sequence[dict[str, float]],
    names: Sequence[str],
    groups: list[NDArray[np.int64]],
) -> tuple[float, float]:
    """Return r of mean predictions with targets within groups, and its one-sided p."""
    predicted = np.array([np.mean([one[name] for one in drawn]) for name in names])
    truth = dict(zip(*subject_means(study.cohort.subjects, study.cohort.y), strict=True))
    return _correlation(predicted, np.array([truth[name] for name in names]), groups)


def predicted_by_subject(study: Probe, answer: Answer) -> dict[str, float]:
    """Return each subject's mean prediction over all windows and folds."""
    positions = np.concatenate([fold.positions for fold in answer.folds])
    predictions = np.concatenate([fold.y_pred for fold in answer.folds])
    return dict(zip(*subject_means(study.cohort.subjects[positions], predictions), strict=True))


def swappable(folds: Sequence[ProbedFold], names: Sequence[str]) -> list[NDArray[np.int64]]:
    """Return which subjects may swap: those held out together; all of them where none are."""
    place = {name: number for number, name in enumerate(names)}
    groups = [
        np.array([place[name] for name in fold.held_out if name in place], dtype=np.int64)
        for fold in folds
    ]
    members = np.concatenate(groups) if groups else np.empty(0, dtype=np.int64)
    together = len(members) == len(set(members.tolist())) == len(names)
    if together and all(len(group) > 1 for group in groups):
        return groups
    return [np.arange(len(names))]


def _correlation(
    predicted: NDArray[np.float64], truth: NDArray[np.float64], groups: list[NDArray[np.int64]]
) -> tuple[float, float]:
    """Return r within groups, and its one-sided p among permutations within them."""
    predicted, truth = predicted.copy(), truth.copy()
    for group in groups:
        predicted[group] -= predicted[group].mean()
        truth[group] -= truth[group].mean()
    norm = float(np.sqrt((predicted**2).sum() * (truth**2).sum()))
    if norm < _NOTHING:
        return 0.0, 1.0
    rng = np.random.default_rng(0)
    null = np.zeros(_PERMUTATIONS)
    for group in groups:
        orders = rng.permuted(np.tile(group, (_PERMUTATIONS, 1)), axis=1)
        null += truth[orders] @ predicted[group]
    observed = float(truth @ predicted)
    p = (1 + np.sum(null >= observed - 1e-12 * norm)) / (1 + _PERMUTATIONS)
    return observed / norm, float(p)

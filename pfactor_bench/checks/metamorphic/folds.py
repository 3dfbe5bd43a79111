"""Who is held out together, as a study tells it or as its predictions give it away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.studies.changes import gather_targets, move_targets
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pfactor_bench.checks.metamorphic.probe import Probe
    from pfactor_bench.studies.contract import AnsweredFold
    from pfactor_bench.types import Cohort

__all__ = [
    "FAR",
    "ProbedFold",
    "are_hidden",
    "held_out_together",
    "target_moved_far",
    "targets_moved_far",
]

#: How far one subject's target is moved, in standard deviations, to see whose predictions follow.
FAR = 10.0
#: So many subjects are moved to find out whether there are folds that are not told apart.
_ASKED = 3


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ProbedFold:
    """Subjects that are held out together, in one fold of the unchanged study.

    Parameters
    ----------
    name
        The study's name of the fold; the subjects', where it tells none apart.
    answered
        The predictions that hold theirs.
    held_out, train
        Who is held out, and who only trains.
    """

    name: str
    answered: AnsweredFold
    held_out: tuple[str, ...]
    train: tuple[str, ...]


def target_moved_far(study: Probe, subject: str) -> Cohort:
    """Return the cohort with one subject's target moved far away."""
    return move_targets(study.cohort, [subject], FAR)


def targets_moved_far(study: Probe, fold: ProbedFold) -> tuple[str, Cohort]:
    """Return, with its name, the change of a fold's targets that every fold is asked about."""
    if len(fold.held_out) == 1:
        return f"target moved {FAR:+g} SD", target_moved_far(study, fold.held_out[0])
    rng = study.rng("gather", fold.name, FAR)
    return (
        f"targets gathered {FAR:+g} SD from the mean",
        gather_targets(study.cohort, fold.held_out, FAR, rng),
    )


def held_out_together(study: Probe) -> tuple[ProbedFold, ...]:
    """Return every fold; where a study does not tell them apart, those that predictions show."""
    told = _as_told(study)
    found: list[ProbedFold] = []
    for fold in told:
        where = f" in {fold.name!r}" if len(told) > 1 else ""
        found += _shown(study, fold, where) if _hides_several(study, fold) else [fold]
    return tuple(found)


def are_hidden(study: Probe) -> bool:
    """Say whether a study cross-validates and does not tell its folds apart."""
    return any(_hides_several(study, fold) for fold in _as_told(study))


def _hides_several(study: Probe, fold: ProbedFold) -> bool:
    """Say whether one name stands for a whole cross-validation, repeats of it or their mean.

    That is so where it holds every subject out, so that nobody is left to train on. Where someone
    is, but fewer than are held out, a subject's target is moved: in a cross-validation it reaches
    the predictions of many others, and not the subject's own.
    """
    if len(fold.train) < 2:  # noqa: PLR2004 - nobody to train on
        return True
    several = len(_as_told(study)) > 1
    if fold.answered.train is not None or (several and len(fold.train) > len(fold.held_out)):
        return False
    subjects = study.rng("hidden folds").permutation(fold.held_out)[:_ASKED].tolist()
    study.ask([target_moved_far(study, subject) for subject in subjects])
    return all(_teaches_others_only(study, fold, subject) for subject in subjects)


def _shown(study: Probe, fold: ProbedFold, where: str) -> list[ProbedFold]:
    """Return the folds that one name hides."""
    all_subjects = set(study.cohort.subjects.tolist())
    # No target of others reaches a prediction that is not there.
    predicted = set(study.cohort.subjects[fold.answered.positions].tolist())
    fold = replace(fold, held_out=tuple(sorted(predicted)))
    return [
        ProbedFold(
            name=", ".join(group[:2]) + (", …" if len(group) > 2 else "") + where,  # noqa: PLR2004
            answered=fold.answered,
            held_out=group,
            train=tuple(sorted(all_subjects - set(group))),
        )
        for group in _groups(study, fold)
    ]


def _as_told(study: Probe) -> list[ProbedFold]:
    answer = study.answer
    assert not isinstance(answer, Failure)  # noqa: S101 - callers ask for obstacles first
    subjects = study.cohort.subjects
    all_subjects = set(subjects.tolist())
    return [_probed(fold, subjects, all_subjects) for fold in answer.folds]


def _probed(fold: AnsweredFold, subjects: NDArray[np.str_], all_subjects: set[str]) -> ProbedFold:
    held_out = set(subjects[np.union1d(fold.positions, fold.missing)].tolist())
    train = all_subjects - held_out if fold.train is None else set(subjects[fold.train].tolist())
    return ProbedFold(
        name=fold.name,
        answered=fold,
        held_out=tuple(sorted(held_out)),
        train=tuple(sorted(train - held_out)),
    )


def _teaches_others_only(study: Probe, fold: ProbedFold, subject: str) -> bool:
    """Say whether a subject's target reaches a good part of the others and not that subject."""
    reached = _reached(study, fold, subject)
    return reached is not None and subject not in reached and 3 * len(reached) >= len(fold.held_out)


def _reached(study: Probe, fold: ProbedFold, subject: str) -> set[str] | None:
    """Return whose predictions follow one subject's target; None if there is nothing to compare."""
    (answer,) = study.ask([target_moved_far(study, subject)])
    if isinstance(answer, Failure):
        return None
    other = next((one for one in answer.folds if one.name == fold.answered.name), None)
    if other is None:
        return None
    # Whoever is left out of one of both answers is not compared.
    rows, here, there = np.intersect1d(
        fold.answered.positions, other.positions, return_indices=True
    )
    moved = np.abs(other.y_pred[there] - fold.answered.y_pred[here]) > study.threshold
    return set(study.cohort.subjects[rows[moved]].tolist())


def _groups(study: Probe, fold: ProbedFold) -> list[tuple[str, ...]]:
    """Return who is held out together: those whom a subject's target does not reach.

    A second subject of each group must give the same group. Where that fails, as with models that
    learn from few neighbours, every subject stands alone.
    """
    alone: list[tuple[str, ...]] = [(subject,) for subject in fold.held_out]
    left = set(fold.held_out)
    groups: list[tuple[str, ...]] = []
    for subject in fold.held_out:
        if subject not in left:
            continue
        group = _unreached(study, fold, subject)
        if group is None or not group <= left or 2 * len(group) > len(fold.held_out):
            return alone
        witnesses = sorted(group - {subject})[:1]
        if any(_unreached(study, fold, one) != group for one in witnesses):
            return alone
        groups.append(tuple(sorted(group)))
        left -= group
    return groups


def _unreached(study: Probe, fold: ProbedFold, subject: str) -> set[str] | None:
    reached = _reached(study, fold, subject)
    return None if reached is None else set(fold.held_out) - reached | {subject}

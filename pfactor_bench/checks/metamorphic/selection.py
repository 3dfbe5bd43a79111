"""A metamorphic check of who is handed in: targets must not decide who counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, passed, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.checks.metamorphic.folds import targets_moved_far
from pfactor_bench.studies import changes
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.checks.metamorphic.folds import ProbedFold
    from pfactor_bench.checks.metamorphic.probe import Probe
    from pfactor_bench.studies.contract import Answer
    from pfactor_bench.types import Cohort, Scalar

__all__: list[str] = []

_DRAWS = 4
#: How far targets are nudged, in standard deviations.
_NUDGE = 0.3


@check("LK108", kinds=(30,))
def targets_do_not_decide_who_counts(study: Probe) -> Outcome:
    """Selection by target: the same windows must be predicted whatever the targets.

    How it is detected
    ------------------
    The held-out targets of each fold are moved far: if other predictions are NaN then, time and
    again, targets decide. Where a fold leaves out windows of its held-out subjects, their targets
    are nudged within the middle of all: if other windows are handed in and the predictions of the
    rest are the same to the bit, the model was the same and the targets have chosen. Besides, all
    targets are moved within their ranks, so that a split stratified by them stays where it is, and
    the subjects who are predicted in any fold are compared. In a cross-validation every subject is
    predicted equally often, whatever the split: other subjects there fail. In a single fold, or in
    folds drawn anew each time, they warn, since a split may follow the targets in other ways.

    Why it matters
    --------------
    Leaving out whoever is predicted badly makes a result about easier subjects.

    How to fix it
    -------------
    Decide who counts from the recordings alone, before targets are looked at, and hand in a
    prediction for every subject held out.

    What it cannot see
    ------------------
    Subjects left out by hand, whatever the targets say now: LK013 and LK030 look for those.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L3.3.
    """
    if (obstacle := study.obstacle()) is not None:
        return obstacle
    assert not isinstance(study.answer, Failure)  # noqa: S101 - an obstacle otherwise
    if (accused := _withheld(study) or _chosen(study)) is not None:
        return accused
    before = _predicted(study.answer, study.cohort)
    all_subjects = set(study.cohort.subjects.tolist())
    if before == all_subjects:
        return passed(f"all {len(before)} subjects are predicted")
    redrawn = [
        changes.redraw_within_ranks(study.cohort, all_subjects, study.rng("who", draw))
        for draw in range(_DRAWS)
    ]
    evidence: list[dict[str, Scalar]] = []
    for draw, (cohort, answer) in enumerate(zip(redrawn, study.ask(redrawn), strict=True)):
        if isinstance(answer, Failure):
            continue
        now = _predicted(answer, cohort)
        evidence += [{"draw": draw, "subject": name, "now": "left out"} for name in before - now]
        evidence += [{"draw": draw, "subject": name, "now": "predicted"} for name in now - before]
    if not evidence:
        return passed(f"the same {len(before)} subjects are predicted whatever the targets")
    said = (
        f"other subjects are predicted once targets change within their ranks: {_first(evidence)}"
    )
    if study.hides_folds or _is_cross_validation(study.answer, study.cohort):
        return failed(said, evidence)
    return warned(said, evidence)


def _withheld(study: Probe) -> Outcome | None:
    """Fail where other predictions are NaN for other targets."""
    if not (evidence := _withheld_by_targets(study)):
        return None
    names = ", ".join(repr(row["fold"]) for row in evidence)
    return failed(
        f"which predictions are NaN follows the targets of the subjects held out: it changes with "
        f"them in fold {names}",
        evidence,
    )


def _chosen(study: Probe) -> Outcome | None:
    """Fail where other windows are handed in for other targets, predicted as before."""
    if not (evidence := _chosen_by_targets(study)):
        return None
    return failed(
        f"which held-out windows are predicted follows their targets, while the model stays the "
        f"same: {evidence[0]['left_out']} windows of {evidence[0]['fold']} leave and "
        f"{evidence[0]['taken_in']} enter when targets are nudged",
        evidence,
    )


def _withheld_by_targets(study: Probe) -> list[dict[str, Scalar]]:
    """Return the folds in which other predictions are NaN once held-out targets are moved far."""
    draws = [(fold, targets_moved_far(study, fold)[1]) for fold in study.folds]
    evidence: list[dict[str, Scalar]] = []
    for (fold, cohort), answer in zip(draws, study.ask([one for _, one in draws]), strict=True):
        if _missing(study, fold, answer) in (None, _missing(study, fold, study.answer)):
            continue
        before, after = (
            {_missing(study, fold, one) for one in study.ask_again(which, 2)}
            for which in (study.cohort, cohort)
        )
        if len(before) == len(after) == 1 and before != after and None not in before | after:
            (now_missing,), (was_missing,) = after, before
            evidence.append(
                {
                    "fold": fold.name,
                    "missing": len(was_missing or ()),
                    "now": len(now_missing or ()),
                }
            )
    return evidence


def _missing(study: Probe, fold: ProbedFold, answer: Answer | Failure) -> frozenset[int] | None:
    """Return which windows of a fold have no prediction; None if it holds others out."""
    assert not isinstance(study.answer, Failure)  # noqa: S101 - an obstacle otherwise
    if isinstance(answer, Failure) or answer.ends != study.answer.ends:
        return None
    name, mine = fold.answered.name, np.isin(study.cohort.subjects, fold.held_out)
    missing = frozenset(row for one, row in answer.missing if one == name and mine[row])
    known = next((one.positions for one in answer.folds if one.name == name), np.empty(0, int))
    stated = np.union1d(fold.answered.positions, fold.answered.missing)
    same = set(stated[mine[stated]].tolist()) == missing | set(known[mine[known]].tolist())
    return missing if same else None


def _chosen_by_targets(study: Probe) -> list[dict[str, Scalar]]:
    """Return the folds in which nudged targets change who is predicted and not how."""
    folds = [fold for fold in study.folds if _leaves_windows_out(study, fold)]
    draws = [
        (fold, changes.nudge_targets(study.cohort, fold.held_out, _NUDGE, study.rng("nudge", at)))
        for fold in folds[: study.effort.folds]
        for at in range(2)
    ]
    evidence: list[dict[str, Scalar]] = []
    for (fold, _), answer in zip(draws, study.ask([one for _, one in draws]), strict=True):
        if isinstance(answer, Failure):
            continue
        other = next((one for one in answer.folds if one.name == fold.name), None)
        if other is None or np.array_equal(other.positions, fold.answered.positions):
            continue
        both, here, there = np.intersect1d(
            fold.answered.positions, other.positions, return_indices=True
        )
        same = fold.answered.y_pred[here]
        # A constant would be the same whatever was trained on.
        if len(both) > 1 and np.ptp(same) and np.array_equal(same, other.y_pred[there]):
            evidence.append(
                {
                    "fold": fold.name,
                    "left_out": len(fold.answered.positions) - len(both),
                    "taken_in": len(other.positions) - len(both),
                }
            )
    return evidence


def _leaves_windows_out(study: Probe, fold: ProbedFold) -> bool:
    mine = np.isin(study.cohort.subjects, fold.held_out)
    return int(mine.sum()) > len(fold.answered.positions)


def _is_cross_validation(answer: Answer, cohort: Cohort) -> bool:
    """Say whether there are several folds that hold every subject predicted out equally often."""
    subjects = [np.unique(cohort.subjects[fold.positions]) for fold in answer.folds]
    _, times = np.unique(np.concatenate(subjects), return_counts=True)
    return len(subjects) > 1 and bool(np.ptp(times) == 0)


def _predicted(answer: Answer, cohort: Cohort) -> set[str]:
    rows = np.concatenate([fold.positions for fold in answer.folds])
    return set(cohort.subjects[rows].tolist())


def _first(evidence: list[dict[str, Scalar]]) -> str:
    names = sorted({str(row["subject"]) for row in evidence})
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")  # noqa: PLR2004

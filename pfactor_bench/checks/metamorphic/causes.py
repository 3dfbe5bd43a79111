"""Why predictions follow held-out targets, as far as answers tell one cause from another.

A cause is named where no other known one gives the same answers; else all that are left are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.metamorphic.folds import FAR, targets_moved_far
from pfactor_bench.checks.metamorphic.relation import compare
from pfactor_bench.checks.metamorphic.single_targets import (
    alike,
    answers_in,
    compared_in,
    move_singly,
)
from pfactor_bench.studies import changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pfactor_bench.checks.metamorphic.folds import ProbedFold
    from pfactor_bench.checks.metamorphic.probe import Probe
    from pfactor_bench.checks.metamorphic.relation import Trial
    from pfactor_bench.checks.metamorphic.single_targets import Single
    from pfactor_bench.types import Cohort

__all__ = ["cause_in_words"]

CLIPPED = "held-out predictions are clipped to the range of held-out targets"
CHOSEN = (
    "a choice among options is made by held-out targets (best epoch, seed, setting or features)"
)
DISCRETE = (
    "one of: features or settings are chosen with held-out targets, or the model is trained on "
    "held-out subjects by classes of their targets"
)
RESCALED = "held-out predictions are shifted or scaled with held-out targets"
OWN_ONLY = (
    "one of: held-out targets are looked up or mixed into predictions, or the model is trained on "
    "the subjects that it predicts and answers from the nearest of them"
)
UNKNOWN = (
    "one of: the model is trained on held-out subjects, or something is fitted or chosen with "
    "their targets"
)

#: Of the deviation of targets that were moved far: a step that a choice does not notice.
_STEP = 0.02
#: So much of a movement is left of such a step at least, where predictions follow it smoothly.
_LEFT = 0.005
#: Targets are sent to either end so often, by so many standard deviations; whoever chooses among
#: some options gives no more answers than this.
_SCATTERED, _REACH, _FEW = 5, (4.0, 300.0), 4
#: So many subjects' targets are moved one at a time.
_SINGLES = 4
#: Fewer subjects could behave alike by chance; fewer windows lie on a line.
_FEWEST_SUBJECTS, _FEWEST_WINDOWS = 3, 4
#: Differences below this share of a movement are rounding.
_ROUNDING = 1e-6


def cause_in_words(study: Probe, moved: Sequence[Trial]) -> str:
    """Return why the predictions of a fold moved with its held-out targets.

    Parameters
    ----------
    study
        What is asked further questions.
    moved
        Trials of one fold in which predictions moved.
    """
    fold = moved[0].fold
    # With other random numbers a movement has two causes at once.
    if not all(trial.same_draws for trial in moved):
        return UNKNOWN
    if _are_clipped(study, moved):
        return CLIPPED
    largest = sorted(moved, key=_size, reverse=True)[:2]
    nearby = answers_in(study, fold, [_a_step_on(study, trial) for trial in largest])
    if any(_LEFT * _size(trial) < 2 * study.threshold for trial in largest):
        return UNKNOWN
    if any(
        near is not None and alike(study, near, _after(trial))
        for near, trial in zip(nearby, largest, strict=True)
    ):
        return CHOSEN if _same_few_answers(study, fold) else DISCRETE
    return _smooth_cause(study, fold, moved)


def _are_clipped(study: Probe, moved: Sequence[Trial]) -> bool:
    """Say whether targets gathered far away leave every prediction at the nearest of them."""
    gathered = [trial for trial in moved if "gathered" in trial.change]
    return bool(gathered) and all(_at_the_bound(study, trial) for trial in gathered)


def _at_the_bound(study: Probe, trial: Trial) -> bool:
    targets = trial.cohort.y[np.isin(study.cohort.subjects, trial.fold.held_out)]
    bound = targets.min() if targets.min() > study.cohort.y.mean() else targets.max()
    close = float(np.abs(_after(trial) - bound).max()) <= study.threshold
    return close and len(np.unique(targets)) > 1


def _a_step_on(study: Probe, trial: Trial) -> Cohort:
    rng = study.rng("a step on", trial.fold.name, trial.change)
    return changes.redraw_targets(trial.cohort, trial.fold.held_out, _STEP, rng)


def _same_few_answers(study: Probe, fold: ProbedFold) -> bool:
    """Say whether targets at either end get few answers, by more than which end each is at.

    What is learnt from classes of targets gets one answer for one side each, however far they are.
    """
    if len(fold.held_out) < _FEWEST_SUBJECTS:
        return False
    rng = study.rng("scattered", fold.name)
    first = np.where(np.arange(len(fold.held_out)) % 2, 1.0, -1.0)
    sides = [rng.permutation(first) for _ in range(_SCATTERED)]
    # Now one end is much farther away, now the other: they take turns in deciding.
    cohorts = [
        _at_ends(study, fold, np.where(row > 0, up, -down) * rng.uniform(0.5, 1.0, size=len(row)))
        for row in sides
        for up, down in (_REACH, _REACH[::-1])
    ]
    answers = answers_in(study, fold, cohorts)
    known = [one for one in answers if one is not None]
    distinct: list[NDArray[np.float64]] = []
    for one in known:
        if not any(alike(study, one, other) for other in distinct):
            distinct.append(one)
    pairs = zip(answers[::2], answers[1::2], strict=True)
    by_distance = any(a is not None and b is not None and not alike(study, a, b) for a, b in pairs)
    return by_distance and len(known) == len(answers) and len(distinct) <= _FEW


def _at_ends(study: Probe, fold: ProbedFold, far: NDArray[np.float64]) -> Cohort:
    """Return the cohort with each held-out target so many standard deviations from the mean."""
    mean, y = float(study.cohort.y.mean()), study.cohort.y.copy()
    for name, distance in zip(fold.held_out, far.tolist(), strict=True):
        y[study.cohort.subjects == name] = mean + study.spread * distance
    return changes.changed(study.cohort, y=y)


def _smooth_cause(study: Probe, fold: ProbedFold, moved: Sequence[Trial]) -> str:
    """Tell causes apart in which every movement of a target shows."""
    subjects = [name for name, _ in _most_moved(moved)][:_SINGLES]
    rest = np.isin(study.cohort.subjects, fold.held_out)
    rest[fold.answered.positions] = False
    singles = move_singly(study, fold, subjects)
    before = fold.answered.y_pred[compared_in(study, fold)]
    movements = [_after(trial) - before for trial in moved]
    if _is_rescaled(study, before, movements) or _act_as_one(study, singles):
        told = _learns_otherwise(study, fold, before, movements)
        return RESCALED if told else UNKNOWN
    all_act = all(one.moves(study) for one in singles)
    if all_act and rest.any() and _learns_from(study, fold, rest):
        return (
            f"windows were split, not subjects: {_n_split(study, fold)} of "
            f"{study.cohort.n_subjects} subjects are in train and test"
        )
    return _trained_on(study, fold, singles)


def _is_rescaled(
    study: Probe, before: NDArray[np.float64], movements: Sequence[NDArray[np.float64]]
) -> bool:
    """Say whether every new prediction is the same straight line of the old one."""
    if len(np.unique(before.round(12))) < _FEWEST_WINDOWS or np.ptp(before) < 2 * study.threshold:
        return False
    line = np.stack([before, np.ones_like(before)], axis=1)
    return all(_is_made_of(moved, line) for moved in movements)


def _act_as_one(study: Probe, singles: Sequence[Single]) -> bool:
    """Say whether all targets act through one number, as a mean or a deviation does."""
    movements = [one.up - one.before for one in singles if one.moves(study)]
    if len(movements) < max(2, len(singles)) or len(movements[0]) < _FEWEST_WINDOWS:
        return False
    return all(_is_made_of(moved, movements[0][:, None]) for moved in movements)


def _is_made_of(moved: NDArray[np.float64], parts: NDArray[np.float64]) -> bool:
    fitted = parts @ np.linalg.lstsq(parts, moved, rcond=None)[0]
    return bool(np.abs(moved - fitted).max() <= _ROUNDING * max(1.0, np.abs(moved).max()))


def _learns_otherwise(
    study: Probe,
    fold: ProbedFold,
    before: NDArray[np.float64],
    movements: Sequence[NDArray[np.float64]],
) -> bool:
    """Say whether training targets move predictions as no rescaling does: the model can."""
    if not fold.train:
        return False
    rng = study.rng("train", fold.name)
    (after,) = answers_in(study, fold, [changes.redraw_targets(study.cohort, fold.train, 3.0, rng)])
    longest = max(movements, key=lambda one: float(np.abs(one).max()))
    parts = np.stack([before, np.ones_like(before), longest], axis=1)
    return after is not None and not _is_made_of(after - before, parts)


def _learns_from(study: Probe, fold: ProbedFold, rest: NDArray[np.bool_]) -> bool:
    """Say whether targets and signals of windows that are not predicted reach those that are."""
    step = FAR * study.spread
    answers = answers_in(
        study,
        fold,
        [
            changes.changed(study.cohort, y=study.cohort.y + np.where(rest, step, 0.0)),
            changes.replace_windows(study.cohort, rest, study.rng("rest", fold.name)),
        ],
    )
    before = fold.answered.y_pred[compared_in(study, fold)]
    return all(one is not None and not alike(study, one, before) for one in answers)


def _n_split(study: Probe, fold: ProbedFold) -> int:
    """Return how many subjects are predicted in part, where their targets reach predictions."""
    reached: set[str] = set()
    for one in study.folds:
        # Where a study does not tell folds apart, each subject is a fold of its own.
        if one.answered is fold.answered:
            (trial,) = compare(study, one, [targets_moved_far(study, one)])
            reached |= set(one.held_out) if trial.moved else set()
    rest = np.isin(study.cohort.subjects, sorted(reached))
    rest[fold.answered.positions] = False
    return len(set(study.cohort.subjects[rest].tolist()))


def _trained_on(study: Probe, fold: ProbedFold, singles: Sequence[Single]) -> str:
    acting = [one for one in singles if one.moves(study)]
    silent = [one for one in singles if not one.moves(study)]
    if not acting:
        return UNKNOWN
    if not any(one.reaches_others(study) for one in acting):
        return OWN_ONLY
    enough = len(acting) >= _FEWEST_SUBJECTS or silent or all(one.is_linear() for one in acting)
    if not enough or not all(one.is_followed() for one in acting):
        return UNKNOWN
    names = ", ".join(one.subject for one in acting)
    if silent and not _others_act(study, fold, [one.subject for one in singles]):
        return f"the model is trained on {len(acting)} of the subjects that it predicts: {names}"
    return f"the model is trained on subjects that it predicts: {names} among them"


def _others_act(study: Probe, fold: ProbedFold, tried: Sequence[str]) -> bool:
    """Say whether the targets of the subjects that were not tried reach any prediction."""
    others = sorted(set(fold.held_out) - set(tried))
    if not others:
        return False
    (after,) = answers_in(study, fold, [changes.move_targets(study.cohort, others, FAR)])
    before = fold.answered.y_pred[compared_in(study, fold)]
    return after is None or not alike(study, after, before)


def _after(trial: Trial) -> NDArray[np.float64]:
    assert trial.movement is not None  # noqa: S101 - asked of trials that were compared
    return trial.movement.after


def _size(trial: Trial) -> float:
    return 0.0 if trial.movement is None else trial.movement.largest


def _most_moved(moved: Sequence[Trial]) -> list[tuple[str, float]]:
    largest = max(moved, key=_size).movement
    assert largest is not None  # noqa: S101 - it moved
    return largest.by_subject

"""The second core relation: other held-out subjects' signal must not reach a prediction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, passed, undecided, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.checks.metamorphic.lone_subjects import own_halves, unmoved_by_both
from pfactor_bench.checks.metamorphic.random_studies import followed_beyond_chance, mates_replaced
from pfactor_bench.checks.metamorphic.relation import (
    cause_of,
    compare,
    describe,
    evidence_of,
    nothing_moved,
)
from pfactor_bench.studies import changes
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.checks.metamorphic.folds import ProbedFold
    from pfactor_bench.checks.metamorphic.probe import Probe
    from pfactor_bench.checks.metamorphic.relation import Trial
    from pfactor_bench.checks.metamorphic.separation import Cause
    from pfactor_bench.studies.contract import Answer, AnsweredFold
    from pfactor_bench.types import Cohort

#: With all other subjects doubled, what is fitted on all moves a prediction by less than this share
#: of before, a subject's own normalisation by more than the other.
_FITTED_ON_ALL, _OWN = 0.7, 0.85


@check("LK102", kinds=(8, 10, 11, 22, 24, 25, 27, 37, 38))
def blind_to_other_held_out_subjects(study: Probe) -> Outcome:
    """Replace other held-out subjects' signal: predictions must not move.

    How it is detected
    ------------------
    Of the subjects held out together in a fold, every other one's windows become loud noise of
    another mean and other correlations between channels, and the predictions of the rest are
    compared; then the other way round. Where a split follows the signals, or recordings are left
    out by them, windows are reversed in time and their channels moved on instead. A subject held
    out alone has half of the own windows replaced. If the other half's predictions move, that is
    done again with all other subjects' windows doubled: what is fitted on every subject then moves
    them less, a subject's own normalisation as much as before. Where LK101 has failed, movement in
    the same folds follows from that: a warning.

    Why it matters
    --------------
    If one test subject's signal reaches another's prediction, something was fitted on test data: a
    scaler, PCA, ICA, alignment or harmonisation over all subjects, batch statistics of the test
    batch, or a state that is kept from one prediction to the next.

    How to fix it
    -------------
    Fit every transformation on training subjects inside the fold (a scikit-learn Pipeline does),
    put the network into eval mode, and predict each subject as if they were the only one.

    What it cannot see
    ------------------
    Transformations that no extreme signal changes.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L1.2.
    """
    if study.is_distributed and study.tells_groups:
        return followed_beyond_chance(study, mates_replaced, "held-out signals")
    if (obstacle := study.obstacle()) is not None:
        return obstacle
    if study.declared.access == "all-unlabelled":
        return passed("declared: it may use all unlabelled windows of all held-out subjects")
    if (said := _follows_from_targets(study)) is not None:
        return said
    settled = unmoved_by_both(study)
    left = [fold for fold in study.folds if fold.name not in settled]
    parts = [part for fold in left for part in _parts(study, fold)]
    study.ask([_replaced(study, part.spoilt) for part in parts])
    trials = list(settled.values())
    unexplained: list[str] = []
    adapting: list[Trial] = []
    for part in parts:
        found = _trials(study, part)
        trials += found
        moved = [trial for trial in found if trial.moved]
        if not moved:
            continue
        cause, how = _cause(study, part, moved)
        if cause == "change":
            return failed(
                f"predictions moved when only other held-out windows were replaced: "
                f"{describe(moved, study)}{f'; {how}' if how else ''}",
                evidence_of(moved, study),
            )
        if cause == "own windows":
            adapting += moved
        elif cause == "unknown":
            unexplained.append(f"{part.fold.name} ({how})")
    return _without_leak(study, trials, unexplained, adapting)


def _follows_from_targets(study: Probe) -> Outcome | None:
    """Say what follows where LK101 has failed: its leak lets signals through as well.

    What is trained on a subject, or chosen by its error, follows the subject's signal, too.
    """
    said = study.said.get("LK101")
    if said is None or said.status != "fail":
        return None
    leaking = {row["fold"] for row in said.evidence}
    parts = [one for fold in study.folds if fold.name in leaking for one in _parts(study, fold)]
    moved = [trial for part in parts for trial in _trials(study, part) if trial.moved]
    if not moved:
        return None
    return warned(
        f"follows from LK101: other held-out windows reach predictions where held-out targets do, "
        f"{describe(moved, study)}",
        evidence_of(moved, study),
        fix="Mend what LK101 found and audit again: only then can it be told whether anything else "
        "is fitted on the subjects held out.",
    )


def _without_leak(
    study: Probe, trials: list[Trial], unexplained: list[str], adapting: list[Trial]
) -> Outcome:
    """Return what follows where no other held-out subject's signal reached a prediction."""
    if unexplained:
        return undecided(
            f"predictions moved when only other held-out windows were replaced, and it cannot be "
            f"told whether that is more than the study's own doing: {', '.join(unexplained)}",
            fix="Hold two subjects or more out together, and seed each fold by itself.",
        )
    if study.declared.access == "none":
        adapting += _moved_by_own_windows(study)
    if adapting:
        return _adapts(study, adapting)
    return nothing_moved(
        trials,
        study,
        "no prediction depends on the signal of another held-out subject",
        "who is held out depends on the signal",
    )


def _moved_by_own_windows(study: Probe) -> list[Trial]:
    """Return the folds in which half of a subject's windows move the other half's predictions."""
    found = []
    for fold in study.folds:
        rows = fold.answered.positions
        rows = rows[np.isin(study.cohort.subjects[rows], fold.held_out)]
        spoilt, compared = (np.isin(np.arange(len(study.cohort.y)), rows[at::2]) for at in (1, 0))
        replaced = [("own other windows replaced", _replaced(study, spoilt))]
        found += compare(study, fold, replaced, compared)
    return [trial for trial in found if trial.moved and trial.same_draws]


def _adapts(study: Probe, moved: Sequence[Trial]) -> Outcome:
    """Say that predictions need a subject's other windows, and whether that is declared."""
    said = (
        f"a window's prediction depends on the subject's other windows, as normalisation per "
        f"subject does: {describe(moved, study)}"
    )
    if study.declared.access == "none":
        return failed(
            f"{said}; it declares that each window is predicted as if it were alone",
            evidence_of(moved, study),
            fix="Declare access='own-unlabelled', or predict each window by itself.",
        )
    if study.declared.access is not None:
        return passed(f"declared: {said}")
    return warned(
        said,
        evidence_of(moved, study),
        fix="Declare it, @pfactor_bench.declare(access='own-unlabelled'), and state it beside the "
        "result: each prediction needs the whole recording.",
    )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Part:
    """Which windows of a fold to replace, and which to compare."""

    fold: ProbedFold
    spoilt: NDArray[np.bool_]
    compared: NDArray[np.bool_]


def _trials(study: Probe, part: _Part) -> list[Trial]:
    replaced = [("signal replaced", _replaced(study, part.spoilt))]
    found = compare(study, part.fold, replaced, part.compared)
    if found[0].moved and _leaves_others_out(study, part, found[0].cohort):
        found = [replace(found[0], movement=None, moved=False)]
    if found[0].split_moved:
        turned = [("signal reversed", changes.turn_windows(study.cohort, part.spoilt))]
        found += compare(study, part.fold, turned, part.compared)
    return found


def _leaves_others_out(study: Probe, part: _Part, changed: Cohort) -> bool:
    """Say whether a choice of recordings, by their signal, falls on others than the spoilt ones."""
    before, after = (
        set() if isinstance(one, Failure) else set(_used(one)[~part.spoilt[_used(one)]].tolist())
        for one in (study.answer, *study.ask([changed]))
    )
    return before != after


def _used(answer: Answer) -> NDArray[np.int64]:
    """Return all rows that are predicted or said to be trained on."""
    parts = [one for fold in answer.folds for one in (fold.positions, fold.train)]
    return np.unique(np.concatenate([one for one in parts if one is not None]))


def _cause(
    study: Probe, part: _Part, moved: Sequence[Trial]
) -> tuple[Cause | Literal["own windows"], str]:
    """Say what moved predictions; a subject held out alone may use its own other windows."""
    if len(part.fold.held_out) == 1:
        share = _share_with_others_doubled(study, part)
        if share is not None and share > _OWN:
            return "own windows", ""
        if share is None or share > _FITTED_ON_ALL:
            return "unknown", "held out alone"
    if study.hides_folds and not all(one.same_draws for one in moved):
        return "unknown", "who is held out together under other seeds is not told"
    return cause_of(study, moved, lambda fold: _mates_replaced(study, fold, moved))


def _parts(study: Probe, fold: ProbedFold) -> list[_Part]:
    """Return two halves of a fold's subjects, each replaced once.

    Neighbours in the table are never replaced together: a state that is kept from call to call
    reaches the next subject.
    """
    subjects = study.cohort.subjects
    if len(fold.held_out) == 1:
        spoilt, compared = own_halves(study, fold)
        return [_Part(fold=fold, spoilt=spoilt, compared=compared)]
    in_order = [name for name in dict.fromkeys(subjects.tolist()) if name in fold.held_out]
    halves = [np.isin(subjects, in_order[first::2]) for first in (0, 1)]
    return [
        _Part(fold=fold, spoilt=spoilt, compared=compared)
        for spoilt, compared in (halves, halves[::-1])
    ]


def _replaced(study: Probe, spoilt: NDArray[np.bool_]) -> Cohort:
    return changes.replace_windows(study.cohort, spoilt, _rng(study, spoilt))


def _rng(study: Probe, spoilt: NDArray[np.bool_]) -> np.random.Generator:
    return study.rng("signal", *np.flatnonzero(spoilt)[:1].tolist())


def _mates_replaced(study: Probe, fold: AnsweredFold, moved: Sequence[Trial]) -> Cohort:
    """Return the cohort with every subject in a fold replaced but the subject that moved most."""
    subjects = study.cohort.subjects
    mates = set(subjects[fold.positions].tolist()) - {moved[0].most_moved}
    return _replaced(study, np.isin(subjects, sorted(mates)))


def _share_with_others_doubled(study: Probe, part: _Part) -> float | None:
    """Return how much of a movement is left when all other subjects' windows are there twice."""
    positions, spoilt = np.flatnonzero(part.compared), part.spoilt
    doubled = changes.double_others(study.cohort, part.fold.held_out[0])
    more = np.zeros(len(doubled.y) - len(spoilt), dtype=bool)
    changed = changes.replace_windows(doubled, np.concatenate([spoilt, more]), _rng(study, spoilt))
    found = []
    for answer in (
        study.answer,
        *study.ask([_replaced(study, spoilt), doubled, changed]),
    ):
        at = None if isinstance(answer, Failure) else _predicted(answer.folds, positions)
        if at is None:
            return None
        found.append(at)
    before, after, before_doubled, after_doubled = found
    once = float(np.median(np.abs(after - before)))
    return float(np.median(np.abs(after_doubled - before_doubled))) / once if once else None


def _predicted(
    folds: Sequence[AnsweredFold], positions: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    """Return the predictions at some positions, from the fold that has them all."""
    for fold in folds:
        if np.isin(positions, fold.positions).all():
            return fold.y_pred[np.searchsorted(fold.positions, positions)]
    return None

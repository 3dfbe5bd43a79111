"""The first core relation: held-out targets must not reach the predictions made for them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, undecided, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.checks.metamorphic.causes import cause_in_words
from pfactor_bench.checks.metamorphic.folds import FAR, target_moved_far, targets_moved_far
from pfactor_bench.checks.metamorphic.lone_subjects import unmoved_by_both
from pfactor_bench.checks.metamorphic.random_studies import (
    followed_beyond_chance,
    own_target_moved,
)
from pfactor_bench.checks.metamorphic.relation import (
    cause_of,
    compare,
    describe,
    evidence_of,
    most_moved_of,
    nothing_moved,
)
from pfactor_bench.studies import changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.checks.metamorphic.folds import ProbedFold
    from pfactor_bench.checks.metamorphic.probe import Probe
    from pfactor_bench.checks.metamorphic.relation import Trial
    from pfactor_bench.studies.contract import AnsweredFold
    from pfactor_bench.types import Cohort

__all__: list[str] = []

#: For splits that follow the targets: how far they are nudged, in standard deviations.
_NUDGES = (0.3, 0.1, 0.03, 0.01, 0.001)


@check("LK101", kinds=(1, 2, 3, 12, 14, 17, 18, 19, 23, 27))
def blind_to_held_out_targets(study: Probe) -> Outcome:
    """Redraw the targets of held-out subjects: their predictions must not move.

    How it is detected
    ------------------
    In every fold, the targets of the held-out subjects, and of nobody else, are gathered far from
    all others and the study runs again; in two folds they are redrawn in other ways as well. The
    fold's predictions are compared with those for the unchanged cohort. A split that follows the
    targets is given draws that change no rank, or that change little. If predictions move and both
    runs have drawn the same random numbers, the runs are repeated and must stay apart. If they have
    not, since one random stream serves all folds, pairs of runs under other seeds must differ. In a
    cross-validation that does not tell its folds apart, one subject's target is moved at a time and
    that subject looked at: those whom it does not reach are held out together. A study that differs
    from run to run is compared in pairs of runs. Once a leak is found, further changes tell causes
    apart; where they do not, all that are left are named.

    Why it matters
    --------------
    Held-out targets are what is to be predicted. If a prediction changes when only they change, the
    study has used them: by training on the same subjects, choosing features, epochs, settings or
    seeds by test performance, or scaling and correcting predictions with test targets.

    How to fix it
    -------------
    Find every use of the targets before predictions are final, and restrict it to training
    subjects: fit, select, stop, tune and calibrate on them alone.

    What it cannot see
    ------------------
    Uses that change no prediction, such as reporting the best of several finished tables, and
    choices that happen to come out alike in every draw.

    Source
    ------
    Chen et al. 1998 on metamorphic testing, arXiv:2002.12543; Kapoor & Narayanan 2023,
    doi:10.1016/j.patter.2023.100804.
    """
    if study.is_distributed:
        return followed_beyond_chance(study, own_target_moved, "held-out targets")
    if (obstacle := study.obstacle()) is not None:
        return obstacle
    outcome = (
        _blind_to_others_targets(study)
        if study.declared.knows_own_targets
        else _blind_in_every_fold(study)
    )
    study.said["LK101"] = outcome
    return outcome


def _blind_in_every_fold(study: Probe) -> Outcome:
    settled = unmoved_by_both(study)
    left = [fold for fold in study.folds if fold.name not in settled]
    study.ask([targets_moved_far(study, fold)[1] for fold in left])
    trials: list[Trial] = []
    unexplained: list[str] = []
    for fold in study.folds:
        found = _trials(study, fold, settled.get(fold.name))
        trials += found
        moved = [trial for trial in found if trial.moved]
        if not moved:
            continue
        cause, how = cause_of(study, moved, partial(_far_in, study, moved))
        if cause == "change":
            return failed(
                f"{cause_in_words(study, moved)}. Predictions moved when only held-out targets "
                f"were redrawn: {describe(moved, study)}{f'; {how}' if how else ''}",
                evidence_of(moved, study),
            )
        if cause == "unknown":
            unexplained.append(f"{fold.name} ({how})")
    if unexplained:
        return undecided(
            f"predictions moved when only held-out targets were redrawn, but the study's own "
            f"randomness may be the reason: {', '.join(unexplained)}",
            fix="Seed each fold by itself, so that no fold changes the random numbers of another.",
        )
    compared = {trial.fold.name for trial in trials if trial.compared}
    everywhere = len(compared) == len(study.folds)
    if everywhere and (chosen := _splits_by_result(trials, study)):
        return warned(
            "who is held out together follows the targets and the signals, as in a split that was "
            "kept for its result",
            [trial.row(study) for trial in chosen],
            fix="Decide the split before looking at targets or results, and keep the one seed that "
            "was declared.",
        )
    return nothing_moved(
        trials,
        study,
        "predictions do not depend on the targets of the subjects they are made for",
        "the split follows the targets, however little they change",
    )


def _blind_to_others_targets(study: Probe) -> Outcome:
    """Look at a study that is declared to know its own subjects' targets: not those of others."""
    trials: list[Trial] = []
    for fold in study.folds:
        for first in (0, 1):
            subjects = fold.held_out[first::2]
            rng = study.rng("others", fold.name, first)
            draw = changes.gather_targets(study.cohort, subjects, FAR, rng)
            rows = np.isin(study.cohort.subjects, sorted(set(fold.held_out) - set(subjects)))
            if rows.any():
                trials += compare(study, fold, [("others' targets gathered", draw)], rows)
    moved = [trial for trial in trials if trial.moved and trial.same_draws]
    if moved:
        return failed(
            f"predictions moved when only other held-out subjects' targets were redrawn, beyond "
            f"the declared access {study.declared.access!r}: {describe(moved, study)}",
            evidence_of(moved, study),
        )
    return nothing_moved(
        trials,
        study,
        "no prediction depends on other held-out subjects' targets",
        "the split moved",
    )


def _trials(study: Probe, fold: ProbedFold, settled: Trial | None) -> list[Trial]:
    """Return what redrawn targets do to one fold: more of them where it is worth looking closer."""
    found = [settled] if settled else compare(study, fold, [targets_moved_far(study, fold)])
    if fold.name in _looked_at_closely(study) or found[0].moved:
        found += compare(study, fold, _more_draws(study, fold))
    if not any(trial.compared for trial in found):
        found += compare(study, fold, _small_draws(study, fold))
    return found


def _looked_at_closely(study: Probe) -> set[str]:
    """Return the folds that get more draws, spread over all."""
    names = [fold.name for fold in study.folds]
    # A single one is the last: what is carried from fold to fold does not reach the first.
    chosen = np.linspace(len(names) - 1, 0, min(study.effort.folds, len(names))).round()
    return {names[int(number)] for number in chosen}


def _more_draws(study: Probe, fold: ProbedFold) -> list[tuple[str, Cohort]]:
    subjects, rng = fold.held_out, study.rng("more targets", fold.name)
    draws = [
        (
            f"targets redrawn, {scale:g} SD, draw {draw}",
            changes.redraw_targets(study.cohort, subjects, scale, rng),
        )
        for scale in study.effort.scales
        for draw in range(study.effort.label_draws)
    ]
    if len(subjects) == 1:
        return draws
    return [
        (
            f"targets gathered {-FAR:+g} SD from the mean",
            changes.gather_targets(study.cohort, subjects, -FAR, rng),
        ),
        ("targets swapped", changes.swap_targets(study.cohort, subjects)),
        *draws,
    ]


def _small_draws(study: Probe, fold: ProbedFold) -> list[tuple[str, Cohort]]:
    """Return draws for a split that follows the targets: within their ranks, or nudged."""
    subjects, rng, draws = fold.held_out, study.rng("small", fold.name), study.effort.label_draws
    return [
        (
            f"targets redrawn within their ranks, draw {draw}",
            changes.redraw_within_ranks(study.cohort, subjects, rng),
        )
        for draw in range(2 * draws)
    ] + [
        (
            f"targets nudged by up to {distance:g} SD, draw {draw}",
            changes.nudge_targets(study.cohort, subjects, distance, rng),
        )
        for distance in _NUDGES
        for draw in range(2 * draws)
    ]


def _far_in(study: Probe, moved: Sequence[Trial], fold: AnsweredFold) -> Cohort:
    """Return the cohort with the targets of all held out together far away.

    Where folds are not told apart, the target of the subject that is looked at alone: whom other
    seeds hold out with it is not known.
    """
    if study.hides_folds:
        return target_moved_far(study, most_moved_of(moved).most_moved)
    subjects = sorted(set(study.cohort.subjects[fold.positions].tolist()))
    return changes.gather_targets(study.cohort, subjects, FAR, study.rng("far", *subjects))


def _splits_by_result(trials: Sequence[Trial], study: Probe) -> list[Trial]:
    """Return the draws of noise that move a split which targets move as well.

    Signals alone may say whose recording is of use, targets alone may balance a split. Both
    together are what a result is made of.
    """
    if not any(trial.split_moved for trial in trials):
        return []
    noise = [(f"all signal replaced, draw {draw}", one) for draw, one in enumerate(study.noise())]
    return [trial for trial in compare(study, study.folds[0], noise) if trial.split_moved]

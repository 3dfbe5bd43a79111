"""A metamorphic check of what a study learns from: training targets must matter."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pfactor_bench.checks.engine.outcomes import not_applicable, passed, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.checks.metamorphic.relation import (
    compare,
    nothing_moved,
)
from pfactor_bench.checks.metamorphic.untaught import is_constant, why_untaught
from pfactor_bench.studies import changes
from pfactor_bench.studies.training_changes import mirror_targets, swap_neighbours

if TYPE_CHECKING:
    from collections.abc import Callable

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.checks.metamorphic.folds import ProbedFold
    from pfactor_bench.checks.metamorphic.probe import Probe
    from pfactor_bench.types import Cohort

__all__: list[str] = []


@check("LK106", kinds=(28,))
def learns_from_training_targets(study: Probe) -> Outcome:
    """Redraw the targets of training subjects: predictions must move.

    How it is detected
    ------------------
    The targets of one fold's training subjects are moved by random draws of 3 standard deviations.
    If the split follows the targets, they are mirrored at their mean instead, swapped between
    neighbours of different rank, or stretched. If nothing moves, the signal is replaced by noise,
    and changed by a thousandth together with the targets. Predictions that follow no signal are
    stored ones, and so are those that follow targets only where the signal changes as well. Those
    that follow the signal and no target are undecided: nothing was trained here. One value for all
    subjects is a warning: it is a baseline.

    Why it matters
    --------------
    A study that learns must answer differently when it is taught differently. One that does not
    reads a stale cache or stored answers, or its training does not reach its predictions.

    How to fix it
    -------------
    Put the cohort's fingerprint and the split into the key of every cache, and check that the
    trained model is the one that predicts.

    What it cannot see
    ------------------
    A cache that is used only when the cohort has not changed.

    Source
    ------
    Adebayo et al. 2018, arXiv:1810.03292, whose label-randomisation test is the same idea.
    """
    if (obstacle := study.obstacle()) is not None:
        return obstacle
    fold = study.folds[0]
    if not fold.train:
        return not_applicable("all subjects are held out in the fold: none only trains it")
    if is_constant(study):
        return warned(
            "all subjects held out in a fold are predicted the same: that is a baseline",
            fix="Report it as a baseline. If it is meant to be a model, weaken its penalty or "
            "scale its inputs, so that its predictions follow the signal.",
        )
    taught: Callable[[Cohort], Cohort] = partial(_redrawn, study, fold)
    trials = compare(study, fold, [("training targets redrawn", taught(study.cohort))])
    if trials[0].split_moved:
        taught = mirror_targets
        trials = compare(study, fold, _changes_that_keep_splits(study, fold))
    if any(trial.moved for trial in trials):
        return passed("predictions follow the targets that the study is trained on")
    # Labels cut at a rank are the same once targets are stretched: only the first change accuses.
    if not trials[0].compared:
        return nothing_moved(trials[:1], study, "", "the split follows the targets")
    return why_untaught(study, fold, trials, taught)


def _redrawn(study: Probe, fold: ProbedFold, cohort: Cohort) -> Cohort:
    return changes.redraw_targets(cohort, fold.train, 3.0, study.rng("train", fold.name))


def _changes_that_keep_splits(study: Probe, fold: ProbedFold) -> list[tuple[str, Cohort]]:
    """Return changes of the targets that most splits which follow targets do not notice."""
    return [
        ("all targets mirrored", mirror_targets(study.cohort)),
        ("targets of neighbours swapped", swap_neighbours(study.cohort, fold.train)),
        ("all targets stretched", changes.stretch_targets(study.cohort)),
    ]

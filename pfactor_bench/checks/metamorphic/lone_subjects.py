"""Subjects that are held out alone: both core relations in one run, where nothing moves.

Two runs say something of such a fold only if they differ in nothing that it trains on: each needs a
run of its own. What moves nothing once target and signal change together moves nothing alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.metamorphic.folds import FAR, target_moved_far
from pfactor_bench.checks.metamorphic.relation import compare
from pfactor_bench.studies import changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pfactor_bench.checks.metamorphic.folds import ProbedFold
    from pfactor_bench.checks.metamorphic.probe import Probe
    from pfactor_bench.checks.metamorphic.relation import Trial
    from pfactor_bench.types import Cohort

__all__ = ["own_halves", "unmoved_by_both"]

#: So many folds are tried before all are.
_TRIED = 2


def own_halves(study: Probe, fold: ProbedFold) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return every other window of a subject held out alone, and those between."""
    subjects = study.cohort.subjects
    rows = fold.answered.positions
    rows = rows[subjects[rows] == fold.held_out[0]]
    spoilt, compared = (np.isin(np.arange(len(subjects)), rows[at::2]) for at in (1, 0))
    return spoilt, compared


def unmoved_by_both(study: Probe) -> dict[str, Trial]:
    """Return, by fold, the runs in which target and half of the signal changed and nothing moved.

    Nothing is tried where the first folds move: a study that normalises by subject does in all.
    """
    alone = [fold for fold in study.folds if len(fold.held_out) == 1]
    found = _tried(study, alone[:_TRIED])
    if len(found) == len(alone[:_TRIED]):
        found |= _tried(study, alone[_TRIED:])
    return found


def _tried(study: Probe, folds: Sequence[ProbedFold]) -> dict[str, Trial]:
    draws = [(fold, _both_changed(study, fold)) for fold in folds]
    study.ask([cohort for _, cohort in draws])
    found = {}
    for fold, cohort in draws:
        change = f"target moved {FAR:+g} SD, half of the own windows replaced"
        (trial,) = compare(study, fold, [(change, cohort)], own_halves(study, fold)[1])
        if trial.compared and not trial.moved:
            found[fold.name] = trial
    return found


def _both_changed(study: Probe, fold: ProbedFold) -> Cohort:
    spoilt, _ = own_halves(study, fold)
    moved = target_moved_far(study, fold.held_out[0])
    return changes.replace_windows(moved, spoilt, study.rng("both", fold.name))

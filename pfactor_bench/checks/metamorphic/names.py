"""A metamorphic check of names: they are no brain signal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.checks.engine.outcomes import failed, undecided
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.checks.metamorphic.relation import (
    cause_of,
    compare,
    describe,
    evidence_of,
    nothing_moved,
)
from pfactor_bench.studies import changes

if TYPE_CHECKING:
    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.checks.metamorphic.probe import Probe
    from pfactor_bench.checks.metamorphic.relation import Trial
    from pfactor_bench.studies.contract import AnsweredFold
    from pfactor_bench.types import Cohort

__all__: list[str] = []


@check("LK103", kinds=(4, 15, 16))
def blind_to_names(study: Probe) -> Outcome:
    """Names: no prediction may depend on what a subject is called.

    How it is detected
    ------------------
    The subjects held out together hand on their names, each to the next, in the subject column and
    in the window names; signals and targets stay where they are. Then every subject gets a new name
    that sorts where the old one did; if the split follows the names, single subjects are renamed
    instead.

    Why it matters
    --------------
    A name is no brain signal. A prediction that depends on it looks something up: a stored answer,
    a cache, the number in the name, or identity as an input.

    How to fix it
    -------------
    Remove subject and window names from the inputs, and key caches by the cohort's fingerprint.

    What it cannot see
    ------------------
    Identity read from the position in the table (LK104) or from the signal.

    Source
    ------
    Chen et al. 1998 on metamorphic testing, arXiv:2002.12543.
    """
    if (obstacle := study.obstacle()) is not None:
        return obstacle
    trials = _swapped(study)
    fold = study.folds[0]
    renamed = compare(study, fold, [("all renamed", changes.rename_all_subjects(study.cohort))])
    if renamed[0].split_moved:
        subjects = study.rng("rename").permutation([*fold.train, *fold.held_out])[:3].tolist()
        draws = [(f"{name} renamed", changes.rename_one(study.cohort, name)) for name in subjects]
        renamed += compare(study, fold, draws)
    trials += renamed
    if evidence := evidence_of(trials, study):
        moved = [trial for trial in trials if trial.moved]
        cause, how = cause_of(study, moved, lambda fold: _names_handed_on(study, fold))
        said = f"predictions moved when subjects were only renamed: {describe(trials, study)}"
        if cause == "change":
            return failed(said, evidence)
        if cause == "unknown":
            return undecided(f"{said}; its own randomness may be the reason ({how})", evidence)
    return nothing_moved(
        trials, study, "names do not matter", "who is held out depends on subjects' names"
    )


def _swapped(study: Probe) -> list[Trial]:
    """Return what comes of names that are handed on, in every fold with two subjects or more."""
    folds = [fold for fold in study.folds if len(fold.held_out) > 1]
    draws = [
        (fold, ("names handed on", changes.swap_names(study.cohort, fold.held_out)))
        for fold in folds[: study.effort.folds]
    ]
    study.ask([cohort for _, (_, cohort) in draws])
    found = [trial for fold, draw in draws for trial in compare(study, fold, [draw])]
    return [trial for trial in found if trial.compared]


def _names_handed_on(study: Probe, fold: AnsweredFold) -> Cohort:
    subjects = sorted(set(study.cohort.subjects[fold.positions].tolist()))
    return changes.swap_names(study.cohort, subjects)

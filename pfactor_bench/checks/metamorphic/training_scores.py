"""Metamorphic checks of what a study goes by: names must not matter, training scores must."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.checks.engine.outcomes import failed, not_applicable, passed
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.checks.metamorphic.relation import (
    compare,
    describe,
    evidence_of,
    nothing_moved,
)
from pfactor_bench.studies import changes

if TYPE_CHECKING:
    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.checks.metamorphic.probe import Probe

__all__: list[str] = []


@check("LK103", kinds=(4, 15, 16))
def blind_to_names(study: Probe) -> Outcome:
    """Rename the people, order kept: no prediction may move.

    How it is detected
    ------------------
    Everybody gets a new name that sorts where the old one did, in the subject column and in the
    window names. If the split itself follows the names, single people are renamed instead.

    Why it matters
    --------------
    A name is no brain signal. A prediction that depends on it looks something up: a stored answer,
    a cache, or identity as an input.

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
    fold = study.folds[0]
    trials = compare(study, fold, [("everybody renamed", changes.rename_everybody(study.cohort))])
    if trials[0].split_moved:
        people = study.rng("rename").permutation([*fold.train, *fold.held_out])[:3].tolist()
        draws = [(f"{name} renamed", changes.rename_one(study.cohort, name)) for name in people]
        trials += compare(study, fold, draws)
    if evidence := evidence_of(trials, study):
        return failed(
            f"predictions moved when people were only renamed: {describe(trials, study)}", evidence
        )
    return nothing_moved(
        trials, study, "names do not matter", "who is held out depends on people's names"
    )


@check("LK106", kinds=(28,))
def learns_from_training_scores(study: Probe) -> Outcome:
    """Redraw the scores of training people: predictions must move.

    How it is detected
    ------------------
    All scores of one fold's training people are moved by random draws of 3 standard deviations. If
    the split follows the scores, all scores are stretched and shifted instead.

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
        return not_applicable("everybody is held out somewhere in the fold: nobody only trains it")
    redrawn = changes.redraw_scores(study.cohort, fold.train, 3.0, study.rng("train", fold.name))
    trials = compare(study, fold, [("training scores redrawn", redrawn)])
    if trials[0].split_moved:
        stretched = changes.stretch_scores(study.cohort)
        trials += compare(study, fold, [("all scores stretched", stretched)])
    if any(trial.moved for trial in trials):
        return passed("predictions follow the scores that the study is trained on")
    if not any(trial.compared for trial in trials):
        return nothing_moved(trials, study, "", "the split follows the scores")
    return failed(
        "predictions stay the same although the study was trained on other scores: they come from "
        "somewhere else",
        [trial.row(study) for trial in trials if trial.compared],
    )

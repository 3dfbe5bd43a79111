"""A metamorphic check of what a study learns from: training targets must matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.checks.engine.outcomes import failed, not_applicable, passed
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.checks.metamorphic.relation import (
    compare,
    nothing_moved,
)
from pfactor_bench.studies import changes

if TYPE_CHECKING:
    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.checks.metamorphic.probe import Probe

__all__: list[str] = []


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
    redrawn = changes.redraw_targets(study.cohort, fold.train, 3.0, study.rng("train", fold.name))
    trials = compare(study, fold, [("training scores redrawn", redrawn)])
    if trials[0].split_moved:
        stretched = changes.stretch_targets(study.cohort)
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

"""Why predictions stay the same whatever a study is taught: stored, or never trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, passed, undecided
from pfactor_bench.checks.metamorphic.probe import ROUNDING
from pfactor_bench.checks.metamorphic.relation import compare
from pfactor_bench.studies.sandbox import Failure
from pfactor_bench.studies.training_changes import jog_signal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.checks.metamorphic.folds import ProbedFold
    from pfactor_bench.checks.metamorphic.probe import Probe
    from pfactor_bench.checks.metamorphic.relation import Trial
    from pfactor_bench.types import Cohort

__all__ = ["is_constant", "why_untaught"]

#: So many times as far as the signal's own change must targets move predictions to be met again.
_FURTHER = 10.0


def is_constant(study: Probe) -> bool:
    """Say whether every fold predicts one value for whoever is held out."""
    answer = study.answer
    if isinstance(answer, Failure):
        return False
    return all(float(np.ptp(fold.y_pred)) <= ROUNDING * study.spread for fold in answer.folds)


def why_untaught(
    study: Probe, fold: ProbedFold, trials: Sequence[Trial], taught: Callable[[Cohort], Cohort]
) -> Outcome:
    """Return what follows where no prediction of a fold moves with the training targets.

    Parameters
    ----------
    study, fold
        What was asked, and where it was looked.
    trials
        The changes that moved nothing.
    taught
        Changes the training targets, and leaves the split as it is.
    """
    jogged = [jog_signal(study.cohort, study.rng("jog", draw)) for draw in range(2)]
    noise, alone, together = compare(
        study,
        fold,
        [
            ("all signal replaced by noise", study.noise()[0]),
            ("signal changed by a thousandth", jogged[0]),
            ("signal changed by a thousandth, training targets redrawn", taught(jogged[1])),
        ],
    )
    evidence = [one.row(study) for one in [*trials, noise, alone, together] if one.compared]
    if together.moved and _distance(together) > _FURTHER * _distance(alone):
        return failed(
            "predictions follow the training targets only where the signal changes, too: what is "
            "stored under the signal is used again for other targets",
            evidence,
        )
    if noise.compared and not noise.moved:
        return failed(
            "predictions stay the same although the study was trained on other targets, and on "
            "other signals: they come from somewhere else",
            evidence,
        )
    if study.declared.trained_on:
        return passed(f"nothing is trained here; declared: trained on {study.declared.trained_on}")
    return undecided(
        "no training target reaches the predictions, which follow the signal alone: a formula, a "
        "model that was trained elsewhere, or a training that takes no step",
        evidence,
        fix="Say what it was trained on, @pfactor_bench.declare(trained_on=...): a model that is "
        "stored may have seen the subjects held out. If it should be trained here, check that a "
        "batch is not larger than the data.",
    )


def _distance(trial: Trial) -> float:
    return 0.0 if trial.movement is None else trial.movement.largest

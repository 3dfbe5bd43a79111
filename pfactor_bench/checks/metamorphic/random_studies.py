"""Studies that differ from run to run whatever is seeded: their answers as distributions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, not_applicable
from pfactor_bench.checks.metamorphic.folds import target_moved_far
from pfactor_bench.checks.metamorphic.separation import under_other_seeds
from pfactor_bench.studies.changes import replace_windows
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.checks.metamorphic.probe import Probe
    from pfactor_bench.studies.contract import AnsweredFold
    from pfactor_bench.types import Cohort

__all__ = ["followed_beyond_chance", "mates_replaced", "own_target_moved"]


def own_target_moved(study: Probe, subject: str, _fold: AnsweredFold) -> Cohort:
    """Move one subject's target far: whoever else is held out, it must not reach the subject."""
    return target_moved_far(study, subject)


def mates_replaced(study: Probe, subject: str, fold: AnsweredFold) -> Cohort:
    """Replace the signal of every subject that a fold holds out with a subject."""
    mates = np.isin(np.arange(len(study.cohort.y)), fold.positions)
    mates &= study.cohort.subjects != subject
    return replace_windows(study.cohort, mates, study.rng("mates", subject))


def followed_beyond_chance(
    study: Probe, change: Callable[[Probe, str, AnsweredFold], Cohort], changed: str
) -> Outcome:
    """Compare pairs of runs, unchanged and changed, and accuse only where most agree.

    Parameters
    ----------
    study
        Random, with one split in every run.
    change
        Of the cohort, for a subject and the fold that holds it out.
    changed
        What it changes, in words.
    """
    answer = study.answer
    assert not isinstance(answer, Failure)  # noqa: S101 - it is random, so it has answered
    told = []
    for fold in answer.folds[:: -(-len(answer.folds) // study.effort.folds)]:
        rng = study.rng("whom of", fold.name)
        subject = str(rng.choice(sorted(set(study.cohort.subjects[fold.positions].tolist()))))
        cause, p = under_other_seeds(study, subject, partial(change, study, subject))
        told.append(f"{subject} (p = {p:.2g})")
        if cause == "change":
            return failed(
                f"the study is random, and its predictions follow {changed} nevertheless: those of "
                f"{subject} differ between pairs of runs with and without the change (p = {p:.2g})",
                [{"fold": fold.name, "subject": subject, "p": p}],
            )
    return not_applicable(
        f"LK100 says why not; pairs of runs with and without other {changed} do not differ for "
        f"{', '.join(told)}, which excludes strong effects alone"
    )

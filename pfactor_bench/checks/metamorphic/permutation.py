"""Checks that take targets away: held-out ones altogether, or all of them by permutation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, not_applicable, passed, undecided, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.checks.metamorphic.relation import compare, describe, evidence_of
from pfactor_bench.checks.metamorphic.sequential import look_at, looks_within
from pfactor_bench.statistics.metrics import subject_means
from pfactor_bench.studies import changes
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.checks.metamorphic.folds import ProbedFold
    from pfactor_bench.checks.metamorphic.probe import Probe
    from pfactor_bench.checks.metamorphic.relation import Trial
    from pfactor_bench.studies.contract import Answer
    from pfactor_bench.types import Cohort

__all__ = ["held_out_covariance"]

#: Permuted cohorts that are held in memory at once.
_AT_ONCE = 5
#: Most permuted studies where LK101 found nothing to compare.
_LAST_RESORT = 20


@check("LK107", kinds=(1, 3, 12, 14, 17, 18, 19))
def works_without_held_out_targets(study: Probe) -> Outcome:
    """Seal the targets of held-out subjects: the study must not notice.

    How it is detected
    ------------------
    The targets of subjects who are held out and never trained on become NaN, and the study runs
    again. A prediction that becomes NaN was computed from them; one that moves has noticed.

    Why it matters
    --------------
    An honest study could be run before anybody knows the targets. This is that situation.

    How to fix it
    -------------
    Restrict every use of the targets before predictions are final to training subjects. A study
    that stops here probably computes metrics of its own: leave them to the harness.

    What it cannot see
    ------------------
    Studies that hold every subject out in turn, as cross-validation does; LK101 goes fold by fold.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804.
    """
    if (obstacle := study.obstacle()) is not None:
        return obstacle
    assert not isinstance(study.answer, Failure)  # noqa: S101 - an obstacle otherwise
    fold = study.folds[0]
    if len(study.answer.folds) > 1 or not fold.train:
        return not_applicable("every subject held out is trained on in another fold")
    if not set(study.cohort.subjects[fold.answered.positions]) <= set(fold.held_out):
        return not_applicable("the study holds every subject out and does not tell its folds apart")
    sealed = changes.seal_targets(study.cohort, fold.held_out)
    trials = compare(study, fold, [("targets sealed", sealed)])
    if "predicts nan" in trials[0].failure and _split_follows_targets(study, fold):
        return not_applicable("the split follows the targets, so it cannot do without them")
    (answer,) = study.ask([sealed])
    if not isinstance(answer, Failure) and (lost := answer.missing - study.answer.missing):
        return failed(
            f"held-out targets enter the predictions: without them {len(lost)} are NaN",
            [{"fold": name, "row": row} for name, row in sorted(lost)],
        )
    return _sealed_outcome(trials, study)


def _split_follows_targets(study: Probe, fold: ProbedFold) -> bool:
    """Say whether others are held out once the targets go where a sort puts missing ones."""
    ends = [
        (
            f"targets moved by {distance:g} SD",
            changes.move_targets(study.cohort, fold.held_out, distance),
        )
        for distance in (-100.0, 100.0)
    ]
    return any(trial.split_moved for trial in compare(study, fold, ends))


def _sealed_outcome(trials: list[Trial], study: Probe) -> Outcome:
    """Return what follows from one run without held-out targets."""
    (trial,) = trials
    if trial.moved:
        return failed(
            f"predictions moved when held-out targets were taken away: {describe(trials, study)}",
            evidence_of(trials, study),
        )
    if "predicts nan" in trial.failure:
        return failed(f"held-out targets enter the predictions: without them {trial.failure}")
    if trial.failure:
        return warned(f"the study stops when held-out targets are missing: {trial.failure}")
    if trial.split_moved:
        return warned("the split follows the targets, so there was nothing to compare")
    return passed("the study predicts held-out subjects just as well without their targets")


@check("LK401", kinds=(1, 2, 3, 12, 17, 18, 19, 27))
def no_skill_in_permuted_targets(study: Probe) -> Outcome:
    """Permute every subject's targets: on average no skill may be left.

    How it is detected
    ------------------
    Targets are permuted among subjects and the whole study runs on them. Within each fold, the
    covariance of predictions and held-out targets is then exactly 0 on average, whatever an honest
    study learns. After 10, 20, 40 and 80 permuted studies a one-sided t-test compares the mean with
    0. All looks together, it accuses an honest study in 1 of 1,000 audits at most, as exactly as a
    t-test can, and it ends early where there is little to be found. Part of thorough audits, and,
    with 20 permutations, of others in which LK101 comes to no answer.

    Why it matters
    --------------
    This is the classic test: a procedure that finds skill in random targets finds it anywhere.

    How to fix it
    -------------
    Look for selection and fitting outside the folds; LK101 says for which subjects.

    What it cannot see
    ------------------
    Whatever works without a held-out subject's own target: transformations fitted on every subject,
    relatives, copies and second names with a target of their own, proxies among the inputs, and a
    shift of a whole fold. Leaks that add little skill, and much about studies of very few subjects.

    Source
    ------
    Ojala & Garriga 2010, jmlr.org/papers/v11/ojala10a.html; Pocock 1977,
    doi:10.1093/biomet/64.2.191.
    """
    if (obstacle := study.obstacle()) is not None:
        return obstacle
    targets = study.said.get("LK101")
    is_last_resort = targets is not None and targets.status in {"error", "warn"}
    budget = study.effort.permutations or (_LAST_RESORT if is_last_resort else 0)
    if not budget:
        return not_applicable("it takes dozens of runs: ask for a thorough audit")
    found: list[float] = []
    looks = looks_within(budget)
    for n_draws in looks:
        answers = _permuted(study, range(len(found), n_draws))
        if isinstance(answers, Failure):
            return undecided(f"the study fails on permuted targets: {answers.reason}")
        found += answers
        look = look_at(found, looks)
        if look.decision != "go on":
            break
    said = (
        f"over {look.n} permuted studies the predictions' covariance with the targets is "
        f"{look.mean:.3f} of the targets' variance on average (p = {look.p:.2g})"
    )
    if look.decision == "above":
        return failed(f"the study finds skill in permuted targets: {said}")
    return passed(said)


def _permuted(study: Probe, draws: range) -> list[float] | Failure:
    """Return the covariance of predictions and targets in each of some permuted studies."""
    found = []
    for first in draws[::_AT_ONCE]:
        cohorts = [
            changes.permute_targets(study.cohort, study.rng("permutation", draw))
            for draw in range(first, min(first + _AT_ONCE, draws.stop))
        ]
        for cohort, answer in zip(cohorts, study.ask(cohorts), strict=True):
            if isinstance(answer, Failure):
                return answer
            found.append(held_out_covariance(answer, cohort))
    return found


def held_out_covariance(answer: Answer, cohort: Cohort) -> float:
    """Return the covariance of predictions and targets within folds, in units of variance.

    Within a fold, because a training mean is low where the held-out mean is high: over all folds an
    honest study would lie below 0 and hide a small leak. Studies that hold one subject out at a
    time have nothing to compare within a fold and are compared over all.
    """
    folds = [_subject_means(cohort, fold.positions, fold.y_pred) for fold in answer.folds]
    if all(len(truth) == 1 for _, truth in folds):
        predicted, truth = (np.concatenate(one) for one in zip(*folds, strict=True))
        folds = [(predicted, truth)]
    _, first = np.unique(cohort.subjects, return_index=True)
    products = sum(float((predicted - predicted.mean()) @ truth) for predicted, truth in folds)
    return products / sum(len(truth) for _, truth in folds) / float(cohort.y[first].var())


def _subject_means(
    cohort: Cohort, positions: NDArray[np.int64], y_pred: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each subject's mean prediction and target."""
    subjects = cohort.subjects[positions]
    return subject_means(subjects, y_pred)[1], subject_means(subjects, cohort.y[positions])[1]

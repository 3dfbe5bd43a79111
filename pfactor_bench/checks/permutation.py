"""Checks that take scores away: held-out people's altogether, or everybody's by permutation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks._core import check
from pfactor_bench.checks._outcomes import failed, not_applicable, passed, undecided, warned
from pfactor_bench.checks._relation import compare, describe, evidence_of
from pfactor_bench.checks.origin import subject_correlation
from pfactor_bench.studies import changes
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from pfactor_bench.checks._outcomes import Outcome
    from pfactor_bench.checks._probe import Probe, ProbedFold
    from pfactor_bench.checks._relation import Trial

__all__: list[str] = []

#: So many permuted studies without skill settle it: under no leak at least every second has none.
_ENOUGH = 8


@check("LK107", kinds=(1, 3, 12, 14, 17, 18, 19))
def works_without_held_out_scores(study: Probe) -> Outcome:
    """Seal the scores of held-out people: the study must not notice.

    How it is detected
    ------------------
    The scores of people who are held out and never trained on become NaN, and the study runs again.
    A prediction that becomes NaN was computed from them; one that moves has noticed.

    Why it matters
    --------------
    An honest study could be run before anybody knows the scores. This is that situation.

    How to fix it
    -------------
    Restrict every use of the scores before predictions are final to training people. A study that
    stops here probably computes metrics of its own: leave them to the harness.

    What it cannot see
    ------------------
    Studies that hold everybody out in turn, as cross-validation does; LK101 goes fold by fold.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804.
    """
    if (obstacle := study.obstacle()) is not None:
        return obstacle
    answer, fold = study.answer, study.folds[0]
    if isinstance(answer, Failure) or len(answer.folds) > 1 or not fold.train:
        return not_applicable("everybody held out is trained on in another fold")
    if not set(study.cohort.subjects[fold.answered.positions]) <= set(fold.held_out):
        return not_applicable("the study holds everybody out and does not tell its folds apart")
    sealed = changes.seal_scores(study.cohort, fold.held_out)
    trials = compare(study, fold, [("scores sealed", sealed)])
    if "predicts nan" in trials[0].failure and _split_follows_scores(study, fold):
        return not_applicable("the split follows the scores, so it cannot do without them")
    return _sealed_outcome(trials, study)


def _split_follows_scores(study: Probe, fold: ProbedFold) -> bool:
    """Say whether others are held out once the scores go where a sort puts missing ones: an end."""
    ends = [
        (
            f"scores moved by {distance:g} SD",
            changes.move_scores(study.cohort, fold.held_out, distance),
        )
        for distance in (-100.0, 100.0)
    ]
    return any(trial.split_moved for trial in compare(study, fold, ends))


def _sealed_outcome(trials: list[Trial], study: Probe) -> Outcome:
    """Return what follows from one run without held-out scores."""
    (trial,) = trials
    if trial.moved:
        return failed(
            f"predictions moved when held-out scores were taken away: {describe(trials, study)}",
            evidence_of(trials, study),
        )
    if "predicts nan" in trial.failure:
        return failed(f"held-out scores enter the predictions: without them {trial.failure}")
    if trial.failure:
        return warned(f"the study stops when held-out scores are missing: {trial.failure}")
    if trial.split_moved:
        return warned("the split follows the scores, so there was nothing to compare")
    return passed("the study predicts held-out people just as well without their scores")


@check("LK401", kinds=(3, 12, 17, 18))
def no_skill_in_permuted_scores(study: Probe) -> Outcome:
    """Permute everybody's scores: on average no skill may be left.

    How it is detected
    ------------------
    Scores are dealt anew among people and the whole study runs on them. Its correlation over people
    is then at most as often above 0 as below. Permutations go on until 8 of them are at or below 0,
    which clears the study, or until the budget of 40 is spent, which by chance happens once in
    10,000 times. Part of thorough audits only.

    Why it matters
    --------------
    This is the classic test: a procedure that finds skill in random scores finds it anywhere.

    How to fix it
    -------------
    Look for selection and fitting outside the folds; LK101 says for which people.

    What it cannot see
    ------------------
    Leaks that add little skill, and everything about studies of very few people.

    Source
    ------
    Ojala & Garriga 2010, jmlr.org/papers/v11/ojala10a.html; Besag & Clifford 1991,
    doi:10.1093/biomet/78.2.301.
    """
    if not study.effort.permutations:
        return not_applicable("it takes dozens of runs: ask for a thorough audit")
    if (obstacle := study.obstacle()) is not None:
        return obstacle
    found: list[float] = []
    draw = 0
    while draw < study.effort.permutations and sum(r <= 0 for r in found) < _ENOUGH:
        permuted = [
            changes.permute_scores(study.cohort, study.rng("permutation", draw + one))
            for one in range(4)
        ]
        draw += len(permuted)
        for cohort, answer in zip(permuted, study.ask(permuted), strict=True):
            if isinstance(answer, Failure):
                return undecided(f"the study fails on permuted scores: {answer.reason}")
            found.append(subject_correlation(answer, cohort)[0])
    without = sum(r <= 0 for r in found)
    said = f"{without} of {len(found)} permuted studies have no skill, mean r {np.mean(found):.2f}"
    if without < _ENOUGH:
        return failed(f"the study finds skill in permuted scores: {said}")
    return passed(said)

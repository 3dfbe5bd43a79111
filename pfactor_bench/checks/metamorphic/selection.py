"""A metamorphic check of who is handed in: scores must not decide who counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, passed, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.studies import changes
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.checks.metamorphic.probe import Probe
    from pfactor_bench.studies.contract import Answer
    from pfactor_bench.types import Cohort, Scalar

__all__: list[str] = []

_DRAWS = 4


@check("LK108", kinds=(30,))
def scores_do_not_decide_who_counts(study: Probe) -> Outcome:
    """Redraw everybody's scores a little: the same people must be predicted.

    How it is detected
    ------------------
    All scores are moved within their ranks, so that a split stratified by them stays where it is,
    and the people who are predicted in any fold are compared. In a cross-validation everybody is
    predicted equally often, whatever the split: other people there fail. In a single fold, or in
    folds drawn anew each time, they warn, since a split may follow the scores in other ways.

    Why it matters
    --------------
    Leaving out whoever is predicted badly makes a result about easier people.

    How to fix it
    -------------
    Decide who counts from the recordings alone, before scores are looked at, and hand in a
    prediction for everybody held out.

    What it cannot see
    ------------------
    People left out by hand, whatever the scores say now: LK013 and LK030 look for those.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L3.3.
    """
    if (obstacle := study.obstacle()) is not None:
        return obstacle
    assert not isinstance(study.answer, Failure)  # noqa: S101 - an obstacle otherwise
    before = _predicted(study.answer, study.cohort)
    everybody = set(study.cohort.subjects.tolist())
    if before == everybody:
        return passed(f"all {len(before)} people are predicted")
    redrawn = [
        changes.redraw_within_ranks(study.cohort, everybody, study.rng("who", draw))
        for draw in range(_DRAWS)
    ]
    evidence: list[dict[str, Scalar]] = []
    for draw, (cohort, answer) in enumerate(zip(redrawn, study.ask(redrawn), strict=True)):
        if isinstance(answer, Failure):
            continue
        now = _predicted(answer, cohort)
        evidence += [{"draw": draw, "subject": name, "now": "left out"} for name in before - now]
        evidence += [{"draw": draw, "subject": name, "now": "predicted"} for name in now - before]
    if not evidence:
        return passed(f"the same {len(before)} people are predicted whatever the scores")
    said = f"other people are predicted once scores change within their ranks: {_first(evidence)}"
    if study.hides_folds or _is_cross_validation(study.answer, study.cohort):
        return failed(said, evidence)
    return warned(said, evidence)


def _is_cross_validation(answer: Answer, cohort: Cohort) -> bool:
    """Say whether there are several folds that hold everybody predicted out equally often."""
    people = [np.unique(cohort.subjects[fold.positions]) for fold in answer.folds]
    _, times = np.unique(np.concatenate(people), return_counts=True)
    return len(people) > 1 and bool(np.ptp(times) == 0)


def _predicted(answer: Answer, cohort: Cohort) -> set[str]:
    rows = np.concatenate([fold.positions for fold in answer.folds])
    return set(cohort.subjects[rows].tolist())


def _first(evidence: list[dict[str, Scalar]]) -> str:
    names = sorted({str(row["subject"]) for row in evidence})
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")  # noqa: PLR2004

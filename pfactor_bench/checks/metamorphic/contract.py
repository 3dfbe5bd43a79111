"""A check that a study answers at all, and keeps the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.checks.engine.outcomes import passed, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.checks.metamorphic.probe import Probe

__all__: list[str] = []


@check("LK100", kinds=())
def keeps_the_contract(study: Probe) -> Outcome:
    """Run the study as it is, and see that it answers.

    How it is detected
    ------------------
    The study runs on the unchanged cohort in a process of its own, with limits on time and memory.
    Its table must keep the contract: known windows, each once a fold, predictions that are finite,
    or NaN where there is none; those are counted. Streams of random numbers begin at the same place
    in every run, seeded by the study or not; a study that still differs from run to run cannot be
    compared with itself.

    Why it matters
    --------------
    A study that does not answer cannot be audited; one that changes what it is handed would spoil
    every comparison that is not shielded from it, its author's own among them.

    How to fix it
    -------------
    Correct what the explanation names. Copy arrays before changing them.

    What it cannot see
    ------------------
    Whether the predictions are any good.

    Source
    ------
    The study contract, version 1: `pfactor_bench.studies.contract`.
    """
    if study.problem is not None:
        return study.problem
    assert not isinstance(study.answer, Failure)  # noqa: S101 - a problem otherwise
    n_folds, notes = len(study.answer.folds), study.answer.notes
    if notes:
        return warned(f"the study answers, but {notes[0]}", [{"noticed": note} for note in notes])
    return passed(f"the study answers with predictions for {n_folds} folds")

"""A metamorphic check of what outlives a run: caches and globals that know older targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.checks.engine.outcomes import failed, not_applicable, passed, undecided, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.checks.metamorphic.movement import movement
from pfactor_bench.studies import changes
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.checks.metamorphic.folds import ProbedFold
    from pfactor_bench.checks.metamorphic.movement import Movement
    from pfactor_bench.checks.metamorphic.probe import Probe
    from pfactor_bench.types import Scalar

__all__: list[str] = []


@check("LK109", kinds=(28, 36))
def nothing_outlives_a_run(study: Probe) -> Outcome:
    """State that outlives a run: a second run must answer as if it were the first.

    How it is detected
    ------------------
    The study runs on the unchanged cohort and then, in the same process and with whatever files the
    first run has left, on one whose training targets are redrawn. Its second answer is compared
    with that of a fresh process. If it is still the first one's, a cache ignores the targets.

    Why it matters
    --------------
    After a correction of labels such a study goes on reporting the old result, and a cache that was
    filled by one split serves another.

    How to fix it
    -------------
    Put everything that a stored value depends on into its key: signal, targets, the split, and the
    version of the labels. Keep nothing in globals, class attributes or closures between runs.

    What it cannot see
    ------------------
    Files written by code that bypasses Python's own open, and services on a network.

    Source
    ------
    Sculley et al. 2015, "Hidden technical debt in machine learning systems", on undeclared data
    dependencies.
    """
    if (obstacle := study.obstacle()) is not None:
        return obstacle
    fold = study.folds[0]
    if not fold.train:
        return not_applicable("nobody only trains: there are no training targets to redraw")
    redrawn = changes.redraw_targets(study.cohort, fold.train, 3.0, study.rng("train", fold.name))
    (fresh,) = study.ask([redrawn])
    _, second = study.ask_in_one_process([study.cohort, redrawn])
    failures = [one for one in (fresh, second) if isinstance(one, Failure)]
    if failures:
        return undecided(f"the study fails when it runs a second time: {failures[0].reason}")
    subjects = study.cohort.subjects
    as_first, as_fresh = (
        None if isinstance(one, Failure) else movement(fold, one, subjects)
        for one in (second, fresh)
    )
    if as_first is None or as_fresh is None:
        return not_applicable("the split follows the targets, so there was nothing to compare")
    return _compared(study, fold, as_first, as_fresh)


def _compared(study: Probe, fold: ProbedFold, as_first: Movement, as_fresh: Movement) -> Outcome:
    """Say whose answer the second one is: the first run's, a fresh run's, or neither's."""
    if as_fresh.largest <= study.threshold:
        return not_applicable("redrawn training targets change nothing: LK106 says more")
    kept = float(abs(as_first.after - as_fresh.after).max())
    if kept <= study.threshold:
        return passed("a second run in the same process answers as a fresh one does")
    evidence: list[dict[str, Scalar]] = [
        {"fold": fold.name, "differs_from_fresh_run": kept, "differs_from_first": as_first.largest}
    ]
    if as_first.largest <= study.threshold:
        return failed(
            "run a second time, on other training targets, the study answers what it answered the "
            "first time: something kept from the first run ignores the targets",
            evidence,
        )
    return warned(
        f"a second run in the same process differs from a fresh one by up to {kept:.3g}: something "
        f"is kept between runs, if only a stream of random numbers",
        evidence,
    )

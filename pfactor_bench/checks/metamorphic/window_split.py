"""What a wrong split would gain: the same target, once by subject and once by window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.engine.outcomes import not_applicable, passed, undecided
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.studies.contract import Answer
    from pfactor_bench.types import Cohort, Scalar

__all__: list[str] = []


@check("LK402", kinds=(3,), severity="weakness")
def gained_by_a_split_of_windows(
    cohort: Cohort, paired: Callable[[], tuple[Answer | Failure, Answer | Failure] | None]
) -> Outcome:
    """Measure what splitting by window instead of by subject would add to the skill.

    How it is detected
    ------------------
    The target is trained twice on the same cohort with the same seed and as many folds: once with
    whole subjects held out, once with windows split at random, so that every subject is trained on.
    Correlation and R² over subjects are given for both. It is a measurement and never a finding.

    Why it matters
    --------------
    The difference is what published results that split by window may owe to recognising subjects. A
    model with no skill for new subjects and much for known ones has learnt who they are.

    How to fix it
    -------------
    Nothing is wrong here. Quote the skill for subjects held out.

    What it cannot see
    ------------------
    The skill of studies that choose their own split, and the gain after longer training.

    Source
    ------
    Brookshire et al. 2024, doi:10.3389/fnins.2024.1373515.
    """
    answers = paired()
    if answers is None:
        return not_applicable("it trains the target several times more: leave --quick out")
    for answer in answers:
        if isinstance(answer, Failure):
            return undecided(f"the target could not be trained on another split: {answer.reason}")
    clean, leaky = (_skill(answer, cohort) for answer in answers if not isinstance(answer, Failure))
    rows: list[dict[str, Scalar]] = [
        {"held_out": "subjects", **clean},
        {"held_out": "windows", **leaky},
        {"held_out": "gained by windows", **{name: leaky[name] - clean[name] for name in clean}},
    ]
    said = f"R² over subjects is {clean['r2']:.2f} held out, {leaky['r2']:.2f} for windows"
    return passed(f"{said}: a split of windows would add {rows[2]['r2']:.2f}", rows)


def _skill(answer: Answer, cohort: Cohort) -> dict[str, float]:
    """Return r and R² over subjects, all folds pooled; r of a constant is 0."""
    positions = np.concatenate([fold.positions for fold in answer.folds])
    y_pred = np.concatenate([fold.y_pred for fold in answer.folds])
    _, subjects, counts = np.unique(
        cohort.subjects[positions], return_inverse=True, return_counts=True
    )
    predicted = np.bincount(subjects, weights=y_pred) / counts
    truth = np.bincount(subjects, weights=cohort.y[positions]) / counts
    constant = predicted.std() <= 1e-9 * truth.std()
    r = 0.0 if constant else float(np.corrcoef(truth, predicted)[0, 1])
    return {"r": r, "r2": float(1 - ((truth - predicted) ** 2).mean() / truth.var())}

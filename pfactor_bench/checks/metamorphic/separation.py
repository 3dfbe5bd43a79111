"""Whether a movement is the change's doing, or the study's own randomness.

Where both runs have drawn the same random numbers, nothing but the change can have moved a
prediction; the runs are repeated and must stay apart. Where a change makes a study draw others (one
stream for all folds, and training that stops by itself), a single movement says nothing: then pairs
of runs under other seeds are compared, and only a shift that most of them share is the change's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from pfactor_bench.checks.metamorphic.movement import movement
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from pfactor_bench.checks.metamorphic.folds import ProbedFold
    from pfactor_bench.checks.metamorphic.probe import Probe
    from pfactor_bench.studies.contract import Answer, AnsweredFold
    from pfactor_bench.types import Cohort

__all__ = ["Cause", "Change", "stays_apart", "under_other_seeds"]

#: What moved predictions: the change, the study's randomness, or nobody can say.
Cause: TypeAlias = Literal["change", "randomness", "unknown"]

#: Changes the cohort for one fold of the answer that the unchanged cohort got under some seed.
Change: TypeAlias = "Callable[[AnsweredFold], Cohort]"

_REPEATS = 2
#: Pairs of runs that may suspect a change, and further ones that must confirm it.
_FIRST, _CONFIRMING = 10, 16
_SUSPICIOUS, _CONFIRMED = 0.02, 0.001
#: Fewer pairs than this cannot be told from chance.
_FEWEST = 6


def stays_apart(
    study: Probe, fold: ProbedFold, cohort: Cohort, rows: NDArray[np.bool_] | None
) -> Cause:
    """Repeat the unchanged and the changed run, and say whether they keep apart.

    Parameters
    ----------
    study, fold
        What moved, and where.
    cohort
        The changed one.
    rows
        The windows compared, see `pfactor_bench.checks.metamorphic.movement.movement`.
    """
    subjects = study.cohort.subjects
    moved = [
        None if isinstance(answer, Failure) else movement(fold, answer, subjects, rows)
        for one in (study.cohort, cohort)
        for answer in study.ask_again(one, _REPEATS)
    ]
    found = [one.after - one.before for one in moved if one is not None]
    if len(found) < len(moved):
        return "unknown"
    unchanged, changed = np.array(found[:_REPEATS]), np.array(found[_REPEATS:])
    apart = min(float(np.abs(a - b).max()) for a in unchanged for b in changed)
    within = max(float(np.ptp(runs, axis=0).max()) for runs in (unchanged, changed))
    return "change" if apart > max(study.threshold, 3 * within) else "unknown"


def under_other_seeds(study: Probe, subject: str, change: Change) -> tuple[Cause, float]:
    """Compare a subject's predictions with and without a change, under other seeds.

    Parameters
    ----------
    study
        What to run.
    subject
        Whose mean prediction is compared, wherever a seed holds the subject out.
    change
        From the fold that holds the subject out to the changed cohort.

    Returns
    -------
    cause : Cause
    p : float
        Of Wilcoxon's signed-rank test of the last pairs compared.
    """
    differences = _differences(study, subject, change, range(1, _FIRST + 1))
    p = _signed_rank(differences)
    if p is None:
        return "unknown", 1.0
    if p > _SUSPICIOUS:
        return "randomness", p
    more = range(_FIRST + 1, _FIRST + _CONFIRMING + 1)
    p = _signed_rank(_differences(study, subject, change, more))
    if p is None:
        return "unknown", 1.0
    return ("change" if p <= _CONFIRMED else "randomness"), p


def _differences(study: Probe, subject: str, change: Change, salts: Sequence[int]) -> list[float]:
    """Return by how much a subject's mean prediction moves, under each seed that predicts it."""
    mine = study.cohort.subjects == subject
    plain = study.ask([study.cohort] * len(salts), salts=salts)
    held_out = {
        salt: fold
        for salt, answer in zip(salts, plain, strict=True)
        if (fold := _holding(answer, mine)) is not None
    }
    changed = study.ask([change(fold) for fold in held_out.values()], salts=list(held_out))
    return [
        _mean(other, mine) - _mean(fold, mine)
        for fold, answer in zip(held_out.values(), changed, strict=True)
        if (other := _holding(answer, mine)) is not None
    ]


def _holding(answer: Answer | Failure, mine: NDArray[np.bool_]) -> AnsweredFold | None:
    """Return the fold that predicts a subject's windows."""
    if isinstance(answer, Failure):
        return None
    return next((fold for fold in answer.folds if mine[fold.positions].any()), None)


def _mean(fold: AnsweredFold, mine: NDArray[np.bool_]) -> float:
    return float(fold.y_pred[mine[fold.positions]].mean())


def _signed_rank(differences: Sequence[float]) -> float | None:
    """Return Wilcoxon's p, which needs neither a shape nor equal spreads; None for too few."""
    from scipy import stats

    if len(differences) < _FEWEST:
        return None
    if not np.any(differences):
        return 1.0
    return float(stats.wilcoxon(differences).pvalue)

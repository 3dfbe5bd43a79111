"""How far predictions moved between two answers of a study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pfactor_bench.checks.metamorphic.folds import ProbedFold
    from pfactor_bench.studies.contract import Answer, AnsweredFold

__all__ = ["Movement", "movement", "same_fold"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Movement:
    """How far predictions moved, in units of the target.

    Parameters
    ----------
    positions
        Of the windows compared, shape ``(n,)``.
    before, after
        Their predictions.
    subjects
        Whose they are.
    """

    positions: NDArray[np.int64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    subjects: NDArray[np.str_]

    @property
    def sizes(self) -> NDArray[np.float64]:
        """How far each window's prediction moved."""
        return np.abs(self.after - self.before)

    @property
    def largest(self) -> float:
        """The largest of them."""
        return float(self.sizes.max(initial=0.0))

    @property
    def by_subject(self) -> list[tuple[str, float]]:
        """Each subject's largest, the largest first."""
        sizes = self.sizes
        found = [
            (str(name), float(sizes[self.subjects == name].max()))
            for name in np.unique(self.subjects)
        ]
        return sorted(found, key=lambda entry: -entry[1])


def movement(
    fold: ProbedFold,
    other: Answer,
    subjects: NDArray[np.str_],
    rows: NDArray[np.bool_] | None = None,
) -> Movement | None:
    """Return how far the predictions of one fold moved, or None if its rows are others.

    Parameters
    ----------
    fold
        As the unchanged study answered it.
    other
        The answer to the changed cohort.
    subjects
        Of the cohort's windows.
    rows
        Which of the cohort's windows to compare; by default those of all subjects held out. The
        others may be missing: a study may drop the windows that were spoilt.
    """
    compared = np.isin(subjects, fold.held_out) if rows is None else rows
    answered = fold.answered
    mine = answered.positions[compared[answered.positions]]
    stated = _stated(answered)
    before, is_compared = set(subjects[stated].tolist()), stated[compared[stated]]
    may_differ = set(fold.held_out) - set(subjects[is_compared].tolist())
    for one in sorted(other.folds, key=lambda one: one.name != answered.name):
        theirs = _stated(one)
        after = set(subjects[theirs].tolist())
        if before ^ after <= may_differ and np.array_equal(theirs[compared[theirs]], is_compared):
            # Whoever has no prediction in one of both answers is not compared.
            both = mine[np.isin(mine, one.positions)]
            return Movement(
                positions=both,
                before=answered.y_pred[np.isin(answered.positions, both)],
                after=one.y_pred[np.isin(one.positions, both)],
                subjects=subjects[both],
            )
    return None


def _stated(fold: AnsweredFold) -> NDArray[np.int64]:
    """Return the positions that a fold holds out, with a prediction or without."""
    return np.union1d(fold.positions, fold.missing)


def same_fold(fold: AnsweredFold, other: Answer) -> AnsweredFold | None:
    """Return the fold of another answer that holds out the same rows, whatever it is called."""
    alike = [one for one in other.folds if np.array_equal(one.positions, fold.positions)]
    return next((one for one in alike if one.name == fold.name), alike[0] if alike else None)

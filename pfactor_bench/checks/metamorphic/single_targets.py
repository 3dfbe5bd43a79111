"""What is known of a fold's predictions once single targets, or all of them, have moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.metamorphic.folds import FAR
from pfactor_bench.checks.metamorphic.relation import compare
from pfactor_bench.studies import changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pfactor_bench.checks.metamorphic.folds import ProbedFold
    from pfactor_bench.checks.metamorphic.probe import Probe
    from pfactor_bench.types import Cohort

__all__ = ["Single", "alike", "answers_in", "compared_in", "move_singly"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Single:
    """A fold's predictions before and after one subject's target moved up, and down."""

    subject: str
    subjects: NDArray[np.str_]
    before: NDArray[np.float64]
    up: NDArray[np.float64]
    down: NDArray[np.float64]

    def moves(self, study: Probe) -> bool:
        """Whether the subject's target reaches any prediction."""
        return not (alike(study, self.up, self.before) and alike(study, self.down, self.before))

    def reaches_others(self, study: Probe) -> bool:
        """Whether it reaches those of other subjects."""
        others = self.subjects != self.subject
        return any(
            others.any() and not alike(study, one[others], self.before[others])
            for one in (self.up, self.down)
        )

    def is_followed(self) -> bool:
        """Whether the subject's own predictions go where the target went, farther than others'."""
        return self._own(self.up) > 0 and self._own(-self.down + 2 * self.before) > 0

    def is_linear(self) -> bool:
        """Whether up and down are mirror images."""
        up, down = self.up - self.before, self.down - self.before
        return bool(np.abs(up + down).max() <= 0.01 * np.abs(up).max())

    def _own(self, after: NDArray[np.float64]) -> float:
        """Return the subject's mean movement, 0 where another subject's is larger."""
        moved = after - self.before
        means = {name: float(moved[self.subjects == name].mean()) for name in set(self.subjects)}
        return means[self.subject] if means[self.subject] >= max(map(abs, means.values())) else 0.0


def move_singly(study: Probe, fold: ProbedFold, subjects: Sequence[str]) -> list[Single]:
    """Move the targets of some subjects far up and far down, one at a time."""
    rows = compared_in(study, fold)
    cohorts = [
        changes.move_targets(study.cohort, [subject], distance)
        for subject in subjects
        for distance in (FAR, -FAR)
    ]
    answers = answers_in(study, fold, cohorts)
    return [
        Single(
            subject=subject,
            subjects=study.cohort.subjects[fold.answered.positions[rows]],
            before=fold.answered.y_pred[rows],
            up=up,
            down=down,
        )
        for subject, up, down in zip(subjects, answers[::2], answers[1::2], strict=True)
        if up is not None and down is not None
    ]


def answers_in(
    study: Probe, fold: ProbedFold, cohorts: Sequence[Cohort]
) -> list[NDArray[np.float64] | None]:
    """Return a fold's predictions for each cohort, None where there are none of the same kind."""
    trials = compare(study, fold, [("", cohort) for cohort in cohorts])
    return [
        None if trial.movement is None or not trial.same_draws else trial.movement.after
        for trial in trials
    ]


def compared_in(study: Probe, fold: ProbedFold) -> NDArray[np.bool_]:
    """Say which of a fold's predictions are those of subjects held out."""
    held_out: NDArray[np.bool_] = np.isin(study.cohort.subjects, fold.held_out)
    return held_out[fold.answered.positions]


def alike(study: Probe, one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Say whether predictions differ by no more than rounding and the study's own noise."""
    return float(np.abs(one - other).max()) <= study.threshold

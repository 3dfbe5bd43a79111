"""One change, one rerun, one comparison; and many of them in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pfactor_bench.checks.engine.outcomes import passed, undecided, warned
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.checks.metamorphic.probe import Movement, Probe, ProbedFold
    from pfactor_bench.types import Cohort, Scalar

__all__ = ["Trial", "compare", "describe", "evidence_of", "nothing_moved"]

#: So many people are named for each change.
_MAX_PEOPLE = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """What came of one change.

    Parameters
    ----------
    fold, change
        What was changed.
    movement
        How far predictions moved; None where they could not be compared.
    moved
        Whether that is more than rounding and the study's own noise.
    failure
        Why the study gave no answer; empty where it did.
    """

    fold: str
    change: str
    movement: Movement | None
    moved: bool
    failure: str = ""

    @property
    def compared(self) -> bool:
        """Whether there were predictions to compare."""
        return self.movement is not None

    @property
    def split_moved(self) -> bool:
        """Whether the study answered, but for other rows."""
        return self.movement is None and not self.failure

    def row(self, study: Probe) -> dict[str, Scalar]:
        """Return the trial as a row of evidence."""
        movement = self.movement
        people = () if movement is None else movement.people[:_MAX_PEOPLE]
        return {
            "fold": self.fold,
            "change": self.change,
            "moved_by": None if movement is None else float(f"{movement.largest:.4g}"),
            "unchanged_reruns": float(f"{study.floor:.4g}"),
            "most": ", ".join(f"{name} ({size:.3g})" for name, size in people),
        }


def compare(
    study: Probe,
    fold: ProbedFold,
    changes: Sequence[tuple[str, Cohort]],
    people: Sequence[str] | None = None,
) -> list[Trial]:
    """Run the study on changed cohorts and compare one fold's predictions with the unchanged ones.

    Parameters
    ----------
    study, fold
        What to ask, and where to look.
    changes
        Each change in words, and the cohort that it makes.
    people
        Whose predictions to compare; by default those of all people held out.
    """
    trials = []
    answers = study.ask([cohort for _, cohort in changes])
    for (change, _), answer in zip(changes, answers, strict=True):
        failure = answer.reason if isinstance(answer, Failure) else ""
        movement = None if isinstance(answer, Failure) else study.movement(fold, answer, people)
        moved = movement is not None and movement.largest > study.threshold
        trials.append(
            Trial(fold=fold.name, change=change, movement=movement, moved=moved, failure=failure)
        )
    return trials


def evidence_of(trials: Sequence[Trial], study: Probe) -> list[dict[str, Scalar]]:
    """Return a row per change that moved predictions, the largest movement first."""
    moved = [trial for trial in trials if trial.moved]
    moved.sort(key=lambda trial: -trial.movement.largest if trial.movement else 0.0)
    return [trial.row(study) for trial in moved]


def describe(trials: Sequence[Trial], study: Probe) -> str:
    """Return the largest movement in a clause."""
    row = evidence_of(trials, study)[0]
    return (
        f"in {row['fold']} by up to {row['moved_by']:.3g} ({row['change']}), most for "
        f"{row['most']}; unchanged reruns differ by {study.floor:.2g}"
    )


def nothing_moved(trials: Sequence[Trial], study: Probe, good: str, split_moved: str) -> Outcome:
    """Return what follows when no compared prediction has moved."""
    n_compared = sum(trial.compared for trial in trials)
    failures = [trial for trial in trials if trial.failure]
    if failures and not n_compared:
        return undecided(
            f"the study fails on the changed cohort: {failures[0].failure}",
            fix="A study must accept any finite scores, names and signals; correct what it says.",
        )
    if not n_compared:
        return warned(
            f"{split_moved}, so there was nothing to compare; that alone is no leak",
            [{"change": trial.change, "fold": trial.fold} for trial in trials],
            fix="Decide the split before looking at scores or names and pass it on, so that this "
            "relation can be tested.",
        )
    n_moved = sum(trial.split_moved for trial in trials)
    others = f"; the split moved in {n_moved} more, which were not compared" if n_moved else ""
    return passed(
        f"{good} ({n_compared} changes, unchanged reruns differ by {study.floor:.2g}{others})"
    )

"""One change, one rerun, one comparison; many of them in words, and what follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pfactor_bench.checks.engine.outcomes import passed, undecided
from pfactor_bench.checks.metamorphic.movement import movement
from pfactor_bench.checks.metamorphic.separation import stays_apart, under_other_seeds
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.checks.metamorphic.folds import ProbedFold
    from pfactor_bench.checks.metamorphic.movement import Movement
    from pfactor_bench.checks.metamorphic.probe import Probe
    from pfactor_bench.checks.metamorphic.separation import Cause, Change
    from pfactor_bench.types import Cohort, Scalar

__all__ = [
    "Trial",
    "cause_of",
    "compare",
    "describe",
    "evidence_of",
    "most_moved_of",
    "nothing_moved",
]

#: So many subjects are named for each change.
_MAX_SUBJECTS = 3


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Trial:
    """What came of one change.

    Parameters
    ----------
    fold, change, cohort
        Where predictions were compared, what was changed, in words, and the cohort that this made.
    rows
        The windows compared; None for all that the fold holds out.
    movement
        How far predictions moved; None where they could not be compared.
    moved
        Whether that is more than rounding and the study's own noise.
    same_draws
        Whether both runs have drawn the same random numbers.
    failure
        Why the study gave no answer; empty where it did.
    """

    fold: ProbedFold
    change: str
    cohort: Cohort
    rows: NDArray[np.bool_] | None
    movement: Movement | None
    moved: bool
    same_draws: bool
    failure: str = ""

    @property
    def compared(self) -> bool:
        """Whether there were predictions to compare."""
        return self.movement is not None

    @property
    def split_moved(self) -> bool:
        """Whether the study answered, but for other rows."""
        return self.movement is None and not self.failure

    @property
    def most_moved(self) -> str:
        """The subject whose predictions moved most."""
        assert self.movement is not None  # noqa: S101 - asked of trials that moved
        return self.movement.by_subject[0][0]

    @property
    def most_in_words(self) -> str:
        """The subjects whose predictions moved most, and how far."""
        assert self.movement is not None  # noqa: S101 - asked of trials that were compared
        subjects = self.movement.by_subject[:_MAX_SUBJECTS]
        return ", ".join(f"{name} ({size:.3g})" for name, size in subjects)

    def row(self, study: Probe) -> dict[str, Scalar]:
        """Return the trial as a row of evidence."""
        found = self.movement
        return {
            "fold": self.fold.name,
            "change": self.change,
            "moved_by": None if found is None else float(f"{found.largest:.4g}"),
            "unchanged_reruns": float(f"{study.floor:.4g}"),
            "most": "" if found is None else self.most_in_words,
        }


def compare(
    study: Probe,
    fold: ProbedFold,
    changes: Sequence[tuple[str, Cohort]],
    rows: NDArray[np.bool_] | None = None,
) -> list[Trial]:
    """Run the study on changed cohorts and compare one fold's predictions with the unchanged ones.

    Parameters
    ----------
    study, fold
        What to ask, and where to look.
    changes
        Each change in words, and the cohort that it makes.
    rows
        Which of the cohort's windows to compare; by default those of all subjects held out.
    """
    assert not isinstance(study.answer, Failure)  # noqa: S101 - callers ask for obstacles first
    trials = []
    answers = study.ask([cohort for _, cohort in changes])
    for (change, cohort), answer in zip(changes, answers, strict=True):
        about: dict[str, Any] = {"fold": fold, "change": change, "cohort": cohort, "rows": rows}
        if isinstance(answer, Failure):
            trials.append(
                Trial(**about, movement=None, moved=False, same_draws=False, failure=answer.reason)
            )
            continue
        found = movement(fold, answer, study.cohort.subjects, rows)
        trials.append(
            Trial(
                **about,
                movement=found,
                moved=found is not None and found.largest > study.threshold,
                same_draws=answer.ends == study.answer.ends,
            )
        )
    return trials


def cause_of(study: Probe, moved: Sequence[Trial], change: Change) -> tuple[Cause, str]:
    """Say what moved predictions, and how that is known.

    Parameters
    ----------
    study
        What moved.
    moved
        Trials of one fold that moved.
    change
        The same change for any fold, should the study have to be run under other seeds.
    """
    trial = most_moved_of(moved)
    if all(one.same_draws for one in moved):
        cause = stays_apart(study, trial.fold, trial.cohort, trial.rows)
        return cause, "" if cause == "change" else "repeated runs do not stay apart"
    cause, p = under_other_seeds(study, trial.most_moved, change)
    return cause, f"under other seeds p = {p:.2g}"


def most_moved_of(moved: Sequence[Trial]) -> Trial:
    """Return the trial in which predictions moved farthest."""
    return max(moved, key=lambda one: one.movement.largest if one.movement else 0.0)


def evidence_of(trials: Sequence[Trial], study: Probe) -> list[dict[str, Scalar]]:
    """Return a row per change that moved predictions, the largest movement first."""
    moved = [trial for trial in trials if trial.moved]
    moved.sort(key=lambda trial: -trial.movement.largest if trial.movement else 0.0)
    return [trial.row(study) for trial in moved]


def describe(moved: Sequence[Trial], study: Probe) -> str:
    """Return the largest movement in a clause."""
    trial = most_moved_of(moved)
    assert trial.movement is not None  # noqa: S101 - it moved
    return (
        f"in {called(study, trial.fold)} by up to {trial.movement.largest:.3g} ({trial.change}), "
        f"most for {trial.most_in_words}; unchanged reruns differ by {study.floor:.2g}"
    )


def called(study: Probe, fold: ProbedFold) -> str:
    """Return a fold as its owner calls it, or who is held out in it where it has no name."""
    assert not isinstance(study.answer, Failure)  # noqa: S101 - callers ask for obstacles first
    if study.answer.names_folds and fold.name == fold.answered.name:
        return f"fold {fold.name!r}"
    if fold.name == fold.answered.name:
        return "the only fold"
    return f"the fold of {fold.name}"


def nothing_moved(trials: Sequence[Trial], study: Probe, good: str, split_moved: str) -> Outcome:
    """Return what follows when no compared prediction has moved.

    A fold in which nothing could be compared has not been examined, so that is never a pass.
    """
    failures = [trial for trial in trials if trial.failure]
    compared = {trial.fold.name for trial in trials if trial.compared}
    missing = [trial for trial in trials if trial.fold.name not in compared]
    if missing and missing[0].failure:
        return undecided(
            f"the study fails on the changed cohort: {failures[0].failure}",
            fix="A study must accept any finite targets, names and signals; correct what it says.",
        )
    if missing:
        names = ", ".join(dict.fromkeys(trial.fold.name for trial in missing))
        return undecided(
            f"{split_moved}, so there was nothing to compare in {names}",
            [{"change": trial.change, "fold": trial.fold.name} for trial in missing],
            fix="Decide the split before looking at targets, names or signals and pass it on, so "
            "that this relation can be tested.",
        )
    n_compared = sum(trial.compared for trial in trials)
    n_moved = sum(trial.split_moved for trial in trials)
    others = f"; the split moved in {n_moved} more, which were not compared" if n_moved else ""
    return passed(
        f"{good} ({n_compared} changes in {len(compared)} folds, unchanged reruns differ by "
        f"{study.floor:.2g}{others})"
    )

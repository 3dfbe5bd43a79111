"""A study that can be asked again: its answers, its own noise, and what moved between two."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.engine.effort import DEFAULT
from pfactor_bench.checks.engine.outcomes import not_applicable, undecided
from pfactor_bench.seeds import seed_for
from pfactor_bench.studies.changes import move_scores, replace_all_signal
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from pfactor_bench.checks.engine.effort import Effort
    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.studies.contract import Answer, AnsweredFold
    from pfactor_bench.types import Cohort

__all__ = ["Movement", "Probe", "ProbedFold"]

#: Movements below this share of the scores' standard deviation are rounding.
ROUNDING = 1e-5
#: So many people's scores are moved by so many standard deviations, to find out about hidden folds.
_ASKED, _FAR = 3, 10.0
#: A study whose unchanged reruns differ by more is random, and nothing can be concluded from it.
_RANDOM = 1e-3


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ProbedFold:
    """One fold of the unchanged study, or one person where a study does not tell folds apart."""

    name: str
    answered: AnsweredFold
    held_out: tuple[str, ...]
    train: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Movement:
    """How far predictions moved, in units of the scores, and whose moved most."""

    largest: float
    people: tuple[tuple[str, float], ...]


class Probe:
    """A study, a cohort, and everything that was learnt by running the one on the other.

    Parameters
    ----------
    run
        Runs the study on each of several cohorts; it must not raise.
    cohort
        The unchanged cohort.
    effort
        How often the study may be run.
    seed
        Of all changes.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Cohort]], list[Answer | Failure]],
        cohort: Cohort,
        effort: Effort = DEFAULT,
        seed: int = 0,
    ) -> None:
        self._run = run
        self._known: dict[str, Answer | Failure] = {}
        self.cohort = cohort
        self.effort = effort
        self.seed = seed
        self.n_runs = 0
        _, first = np.unique(cohort.subjects, return_index=True)
        scores = cohort.y[first]
        # Rounding gives equal scores a deviation.
        self.spread = float(scores.std()) if np.ptp(scores) else 0.0

    def rng(self, *parts: object) -> np.random.Generator:
        """Return a random stream that depends on the audit's seed and on `parts`."""
        return np.random.default_rng(seed_for("audit", self.seed, *parts))

    def noise(self) -> list[Cohort]:
        """Return the cohort without its signal, in several draws of noise."""
        draws = range(self.effort.noise_draws)
        return [replace_all_signal(self.cohort, self.rng("noise", draw)) for draw in draws]

    def ask(self, cohorts: Sequence[Cohort]) -> list[Answer | Failure]:
        """Return the study's answer for each cohort; the same cohort is asked only once."""
        new = {one.fingerprint: one for one in cohorts if one.fingerprint not in self._known}
        self.n_runs += len(new)
        if new:
            self._known.update(zip(new, self._run(list(new.values())), strict=True))
        return [self._known[one.fingerprint] for one in cohorts]

    @cached_property
    def unchanged(self) -> list[Answer | Failure]:
        """The study's answers when nothing is changed."""
        self.n_runs += self.effort.unchanged
        return self._run([self.cohort] * self.effort.unchanged)

    @property
    def answer(self) -> Answer | Failure:
        """The study's answer: the first one, or the first failure."""
        failures = [one for one in self.unchanged if isinstance(one, Failure)]
        return failures[0] if failures else self.unchanged[0]

    @cached_property
    def floor(self) -> float:
        """The largest difference between unchanged runs; infinite if their splits differ."""
        largest = 0.0
        first, *others = [one for one in self.unchanged if not isinstance(one, Failure)]
        for other in others:
            for fold in first.folds:
                match = same_fold(fold, other)
                if match is None:
                    return float("inf")
                largest = max(largest, float(np.abs(match.y_pred - fold.y_pred).max()))
        return largest

    @property
    def threshold(self) -> float:
        """The smallest difference that is neither rounding nor the study's own noise."""
        return max(ROUNDING * self.spread, 10 * self.floor)

    def obstacle(self) -> Outcome | None:
        """Return why no relation can be tested, or None if it can."""
        if isinstance(self.answer, Failure):
            return not_applicable("the study gave no answer to the unchanged cohort: see LK100")
        if not self.spread:
            return undecided(
                "everybody in the cohort has the same score: there is nothing to learn, and no "
                "difference to compare others with",
                fix="Audit the study on a cohort whose people differ in their score.",
            )
        if self.floor > _RANDOM * self.spread:
            size = "their splits differ" if self.floor == float("inf") else f"by {self.floor:.2g}"
            return undecided(
                f"the study is random: two runs on the same cohort with the same seed differ "
                f"({size}), so a difference between two cohorts would mean nothing",
                fix="Draw every random number from the seed that the study is called with: "
                "numpy.random.default_rng(seed), torch.manual_seed(seed), random_state=seed.",
            )
        return None

    @cached_property
    def folds(self) -> tuple[ProbedFold, ...]:
        """The folds to change, spread over all; one per person where folds are not told apart."""
        folds = self._as_named
        if self.hides_folds:
            everybody = set(self.cohort.subjects.tolist())
            folds = [
                ProbedFold(
                    name=person,
                    answered=folds[0].answered,
                    held_out=(person,),
                    train=tuple(sorted(everybody - {person})),
                )
                for person in folds[0].held_out
            ]
        n_chosen = min(self.effort.folds, len(folds))
        # A single one is the last: what is carried from fold to fold does not reach the first.
        chosen = np.unique(np.linspace(len(folds) - 1, 0, n_chosen).round().astype(int))
        return tuple(folds[number] for number in chosen)

    @cached_property
    def hides_folds(self) -> bool:
        """Whether the study cross-validates and does not tell its folds apart.

        That is so where nobody else is left to train on. Where somebody is, a person's score is
        moved: in a cross-validation it reaches the predictions of many others, and not the person's
        own.
        """
        answer = self.answer
        assert not isinstance(answer, Failure)  # noqa: S101 - callers ask for obstacles first
        (fold, *others) = self._as_named
        if answer.names_folds or others:
            return False
        if len(fold.train) < 2:  # noqa: PLR2004 - nobody to train on
            return True
        people = self.rng("hidden folds").permutation(fold.held_out)[:_ASKED].tolist()
        return fold.answered.train is None and all(map(self._teaches_others_only, people))

    def _teaches_others_only(self, person: str) -> bool:
        """Say whether a person's score reaches a good part of the others and not that person."""
        (fold,) = self._as_named
        (other,) = self.ask([move_scores(self.cohort, [person], _FAR)])
        if isinstance(other, Failure) or len(other.folds) > 1:
            return False
        # Whoever is left out of one of both answers is not compared.
        rows, here, there = np.intersect1d(
            fold.answered.positions, other.folds[0].positions, return_indices=True
        )
        moved = np.abs(other.folds[0].y_pred[there] - fold.answered.y_pred[here]) > self.threshold
        reached = set(self.cohort.subjects[rows[moved]].tolist())
        return person not in reached and 3 * len(reached) >= len(fold.held_out)

    @cached_property
    def _as_named(self) -> list[ProbedFold]:
        """The folds as the study tells them apart."""
        answer = self.answer
        assert not isinstance(answer, Failure)  # noqa: S101 - callers ask for obstacles first
        subjects = self.cohort.subjects
        everybody = set(subjects.tolist())
        return [_probed(fold, subjects, everybody) for fold in answer.folds]

    def movement(
        self, fold: ProbedFold, other: Answer, people: Sequence[str] | None = None
    ) -> Movement | None:
        """Return how far the predictions of one fold moved, or None if its rows are others.

        Parameters
        ----------
        fold
            As the unchanged study answered it.
        other
            The answer to the changed cohort.
        people
            Whose predictions to compare; by default all held-out people's.
        """
        compared = fold.held_out if people is None else people
        if not compared:
            return Movement(largest=0.0, people=())
        subjects = self.cohort.subjects
        rows = np.isin(subjects[fold.answered.positions], list(compared))
        positions, before = fold.answered.positions[rows], fold.answered.y_pred[rows]
        after = _predictions_at(fold, other, positions, subjects)
        if after is None:
            return None
        moved = np.abs(after - before)
        by_person = sorted(
            ((name, float(moved[subjects[positions] == name].max())) for name in compared),
            key=lambda entry: -entry[1],
        )
        return Movement(largest=float(moved.max()), people=tuple(by_person))


def same_fold(fold: AnsweredFold, other: Answer) -> AnsweredFold | None:
    """Return the fold of another answer that holds out the same rows, whatever it is called."""
    alike = [one for one in other.folds if np.array_equal(one.positions, fold.positions)]
    return next((one for one in alike if one.name == fold.name), alike[0] if alike else None)


def _predictions_at(
    fold: ProbedFold, other: Answer, positions: NDArray[np.int64], subjects: NDArray[np.str_]
) -> NDArray[np.float64] | None:
    """Return another answer's predictions of some rows in the same fold, None if it moved.

    Rows of people who are not compared may differ: a study may drop the windows it was spoilt.
    """
    before = set(subjects[fold.answered.positions].tolist())
    may_differ = set(fold.held_out) - set(subjects[positions].tolist())
    for one in sorted(other.folds, key=lambda one: one.name != fold.answered.name):
        after = set(subjects[one.positions].tolist())
        rows = np.isin(subjects[one.positions], subjects[positions])
        if before ^ after <= may_differ and np.array_equal(one.positions[rows], positions):
            return one.y_pred[rows]
    return None


def _probed(fold: AnsweredFold, subjects: NDArray[np.str_], everybody: set[str]) -> ProbedFold:
    held_out = set(subjects[fold.positions].tolist())
    train = everybody - held_out if fold.train is None else set(subjects[fold.train].tolist())
    return ProbedFold(
        name=fold.name,
        answered=fold,
        held_out=tuple(sorted(held_out)),
        train=tuple(sorted(train - held_out)),
    )

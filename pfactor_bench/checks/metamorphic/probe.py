"""A study that can be asked again: its predictions, its own noise, and its folds."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.engine.effort import DEFAULT
from pfactor_bench.checks.engine.outcomes import not_applicable, undecided
from pfactor_bench.checks.metamorphic import folds
from pfactor_bench.checks.metamorphic.movement import same_fold
from pfactor_bench.seeds import seed_for
from pfactor_bench.studies.changes import replace_all_signal
from pfactor_bench.studies.declaration import Declaration
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from pfactor_bench.checks.engine.effort import Effort
    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.checks.metamorphic.folds import ProbedFold
    from pfactor_bench.studies.contract import Answer
    from pfactor_bench.types import Cohort

    class Run(Protocol):
        """Runs a study; see `pfactor_bench.studies.harness.Runner`."""

        def __call__(
            self, cohorts: Sequence[Cohort], *, salts: Sequence[int] = ()
        ) -> list[Answer | Failure]:
            """Return an answer or a failure for each cohort."""
            ...

        def in_one_process(self, cohorts: Sequence[Cohort]) -> list[Answer | Failure]:
            """Return the answers of runs that follow each other in one process."""
            ...


__all__ = ["Probe"]

NOTHING_DECLARED = Declaration()
#: Movements below this share of the targets' standard deviation are rounding.
ROUNDING = 1e-5
#: A study whose unchanged reruns differ by more is random, and no single run says anything of it.
_RANDOM = 1e-3


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
    declared
        What the study says that it uses.
    """

    def __init__(
        self,
        run: Run,
        cohort: Cohort,
        effort: Effort = DEFAULT,
        seed: int = 0,
        *,
        declared: Declaration = NOTHING_DECLARED,
    ) -> None:
        self.run = run
        self.declared = declared
        self._known: dict[tuple[str, int], Answer | Failure] = {}
        self.cohort = cohort
        self.effort = effort
        self.seed = seed
        self.n_runs = 0
        #: What relations said that others build on, by their codes.
        self.said: dict[str, Outcome] = {}
        _, first = np.unique(cohort.subjects, return_index=True)
        targets = cohort.y[first]
        # Rounding gives equal targets a deviation.
        self.spread = float(targets.std()) if np.ptp(targets) else 0.0

    def rng(self, *parts: object) -> np.random.Generator:
        """Return a random stream that depends on the audit's seed and on `parts`."""
        return np.random.default_rng(seed_for("audit", self.seed, *parts))

    def noise(self) -> list[Cohort]:
        """Return the cohort without its signal, in several draws of noise."""
        draws = range(self.effort.noise_draws)
        return [replace_all_signal(self.cohort, self.rng("noise", draw)) for draw in draws]

    def ask(
        self, cohorts: Sequence[Cohort], *, salts: Sequence[int] = ()
    ) -> list[Answer | Failure]:
        """Return the study's answer for each cohort; the same question is asked only once.

        Parameters
        ----------
        cohorts
            What to run it on.
        salts
            Mixed into the seeds, one for each cohort; see `pfactor_bench.studies.randomness`.
        """
        asked = [
            (one.fingerprint, salt)
            for one, salt in zip(cohorts, salts or [0] * len(cohorts), strict=True)
        ]
        new = {
            key: cohort
            for key, cohort in zip(asked, cohorts, strict=True)
            if key not in self._known
        }
        self.n_runs += len(new)
        if new:
            answers = self.run(list(new.values()), salts=[salt for _, salt in new])
            self._known.update(zip(new, answers, strict=True))
        return [self._known[key] for key in asked]

    def ask_again(self, cohort: Cohort, times: int) -> list[Answer | Failure]:
        """Return the study's answers to a cohort, run anew so many times."""
        self.n_runs += times
        return self.run([cohort] * times)

    def ask_in_one_process(self, cohorts: Sequence[Cohort]) -> list[Answer | Failure]:
        """Return the study's answers to cohorts that it meets one after the other."""
        self.n_runs += len(cohorts)
        return self.run.in_one_process(cohorts)

    @cached_property
    def unchanged(self) -> list[Answer | Failure]:
        """The study's answers when nothing is changed."""
        return self.ask_again(self.cohort, self.effort.unchanged)

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

    @cached_property
    def problem(self) -> Outcome | None:
        """Why nothing can be concluded from running the study on changed cohorts, or None."""
        if isinstance(self.answer, Failure):
            return undecided(
                f"the study gave no answer: {self.answer.reason}",
                fix="Run the study on the cohort by itself until it returns a table of "
                "predictions.",
            )
        if not self.spread:
            return undecided(
                "all subjects of the cohort have the same target: there is nothing to learn, and "
                "no difference to compare others with",
                fix="Audit the study on a cohort whose subjects differ in their target.",
            )
        if self._is_random:
            size = "their splits differ" if self.floor == float("inf") else f"by {self.floor:.2g}"
            return undecided(
                f"the study is random: two runs on the same cohort with the same seed differ "
                f"({size}), so a difference between two cohorts would mean nothing",
                fix="Draw every random number from the seed that the study is called with: "
                "numpy.random.default_rng(seed), torch.manual_seed(seed), random_state=seed.",
            )
        return None

    @property
    def _is_random(self) -> bool:
        return self.floor > _RANDOM * self.spread

    @property
    def is_distributed(self) -> bool:
        """Whether the study is random, but holds the same windows out in every run."""
        answered = not isinstance(self.answer, Failure) and self.spread > 0
        return answered and self._is_random and self.floor < float("inf")

    @property
    def tells_groups(self) -> bool:
        """Whether every fold, as it is told, holds several subjects out and leaves several."""
        if isinstance(self.answer, Failure) or len(self.answer.folds) == 1:
            return False
        sizes = [len(set(self.cohort.subjects[one.positions])) for one in self.answer.folds]
        return min(sizes) > 1 and max(sizes) < self.cohort.n_subjects - 1

    def obstacle(self) -> Outcome | None:
        """Return what a relation says where nothing can be concluded; LK100 gives the reason."""
        return None if self.problem is None else not_applicable("LK100 says why not")

    @cached_property
    def folds(self) -> tuple[ProbedFold, ...]:
        """Who is held out together: as the study tells, or as its predictions give away."""
        return folds.held_out_together(self)

    @cached_property
    def hides_folds(self) -> bool:
        """Whether the study cross-validates and does not tell its folds apart."""
        return folds.are_hidden(self)

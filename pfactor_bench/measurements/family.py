"""What a family of numbers is: it says once what its numbers are called and what they mean.

A name is a template. Its places are filled from what a suite plans to run, before anything is
trained, and from what was measured, afterwards: so a claim's name is checked against what measuring
will give, and the reference of all measurements is made from the same words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from string import Formatter
from typing import TYPE_CHECKING, Any, Literal

from pfactor_bench.types import Measurement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from pfactor_bench.training.pretraining.checkpoints import Encoder
    from pfactor_bench.types import Case, CaseResult, Cohort, Interval, Split

__all__ = ["Family", "Number", "Outcome", "Place", "Plan"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What names follow from: all that is known of a run before anything is trained.

    Parameters
    ----------
    cases, baselines, saliency
        The suite's.
    n_folds
        Of its split.
    is_injected
        Whether the cohort has an injected signal.
    contrasts
        What measurements of encoders begin with that learnt to tell two tasks apart.
    """

    cases: tuple[Case, ...]
    baselines: tuple[str, ...]
    saliency: tuple[str, ...]
    n_folds: int
    is_injected: bool
    contrasts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Outcome:
    """What is measured: all that a run has left behind.

    Parameters
    ----------
    cohort, split, baselines
        On whom, how they were divided, and which simple predictors stand beside.
    results
        Of the cases that have one.
    encoders
        What each case started from, by fold.
    arrays
        As `pfactor_bench.measurements.held_out.pooled_arrays` returns them.
    regimes
        Those that lack no case; others are not compared with anything.
    """

    cohort: Cohort
    split: Split
    baselines: tuple[str, ...]
    results: Mapping[Case, CaseResult]
    encoders: Mapping[Case, Mapping[str, Encoder]]
    arrays: Mapping[str, NDArray[Any]]
    regimes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """What may stand in a place of a name: in words, and for a plan."""

    words: str
    values: Callable[[Plan], Iterable[str]]


#: Places that numbers of several families have.
PLACES = {
    "baseline": Place(words="a baseline of the suite", values=lambda plan: plan.baselines),
    "case": Place(
        words="a case, `<regime>/seed-<seed>`", values=lambda plan: [case.id for case in plan.cases]
    ),
    "regime": Place(
        words="a regime, pooled over its seeds; with several models, `<model>/<regime>`",
        values=lambda plan: dict.fromkeys(case.regime for case in plan.cases),
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Number:
    """What is said once of numbers whose names differ only in their places.

    Parameters
    ----------
    name
        A template, such as ``"{regime}/sd_ratio"``.
    words
        What the number is.
    level
        What it is taken over.
    interval
        What its interval is over, where it has one.
    unit
        Its unit; empty for a pure number and for one in the target's own unit.
    case
        Template of what it belongs to; by default, the name up to its last slash.
    places
        Those of the name that `PLACES` lacks.
    """

    name: str
    words: str
    level: Literal["subjects", "windows"] = "subjects"
    interval: Literal["", "subjects", "seeds", "folds"] = ""
    unit: str = ""
    case: str = ""
    places: Mapping[str, Place] = field(default_factory=dict)

    def named_places(self) -> dict[str, Place]:
        """Return the places of the name, in its order."""
        names = [name for _, name, _, _ in Formatter().parse(self.name) if name]
        return {name: self.places.get(name) or PLACES[name] for name in names}

    def names(self, plan: Plan) -> Iterator[str]:
        """Yield the names of all numbers of this kind that a run will measure."""
        places = self.named_places()
        for values in product(*(place.values(plan) for place in places.values())):
            yield self.name.format(**dict(zip(places, values, strict=True)))

    def measured(
        self,
        value: float | None,
        *,
        ci: Interval | None = None,
        n_subjects: int | None = None,
        missing_because: str | None = None,
        note: str | None = None,
        **places: str,
    ) -> Measurement:
        """Return what was measured, under its name; `places` says what stands in it."""
        name = self.name.format(**places)
        return Measurement(
            name=name,
            case=self.case.format(**places) or name.rpartition("/")[0],
            value=value,
            unit=self.unit,
            ci=ci,
            n_subjects=n_subjects,
            missing_because=missing_because,
            note=note,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """Numbers that are measured together.

    Parameters
    ----------
    order
        Where they stand in a record: families of smaller numbers come first.
    title
        What they are about.
    numbers
        Every number that `measure` can return.
    measure
        Returns them; one that could not be computed is there with the reason.
    """

    order: int
    title: str
    numbers: tuple[Number, ...]
    measure: Callable[[Outcome], Iterable[Measurement]]

"""Numbers with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Estimand", "Interval", "Measurement"]

#: What an interval speaks of: these very models on new subjects; this procedure on new subjects,
#: with other training subjects; or these subjects with other seeds.
Estimand: TypeAlias = Literal["models", "procedure", "seeds"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """A confidence interval.

    Parameters
    ----------
    low, high
        Its ends.
    level
        Nominal coverage.
    method
        How it was made, in words a methods section can use.
    se
        The estimate's standard error over subjects where there is no effect, from which the least
        number of subjects that can settle a claim follows; None where only the ends are known.
    estimand
        What it speaks of; None in records that did not say.
    df
        Degrees of freedom of its spread; None in records that did not say.
    """

    low: float
    high: float
    level: float
    method: str
    se: float | None = None
    estimand: Estimand | None = None
    df: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Measurement:
    """A number that was measured. It knows no threshold.

    Parameters
    ----------
    name
        ``<regime>/seed-<seed>/<metric>``, or ``<regime>/<metric>`` for what is pooled over seeds.
    case
        The case or regime it belongs to: the name without the metric.
    value
        The number, or None where there is none.
    unit
        Its unit; empty for a pure number.
    ci
        Its interval over subjects, where one can be given.
    n_subjects
        How many subjects it rests on; None for what does not depend on a sample of subjects.
    missing_because
        Why there is no value. Set exactly when `value` is None.
    note
        What must be said beside the value.
    """

    name: str
    case: str
    value: float | None
    unit: str = ""
    ci: Interval | None = None
    n_subjects: int | None = None
    missing_because: str | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        if (self.value is None) != (self.missing_because is not None):
            raise ValueError(
                f"measurement {self.name!r} has value {self.value!r} and missing_because "
                f"{self.missing_because!r}: give exactly one of them"
            )

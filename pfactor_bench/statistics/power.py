"""Planning: how many subjects an effect needs, and what a number of subjects can show.

Two-sided tests at level `alpha`; power is the probability of the right conclusion, not of the wrong
direction. An effect is a correlation r, or a skill (1 − MSE / MSE of the train mean).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal, TypeAlias

from pfactor_bench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "MAX_SUBJECTS",
    "Effect",
    "detectable_effect",
    "parse_effect",
    "power_at",
    "power_curve",
    "power_of_mean",
    "power_table",
    "subjects_needed",
]

#: Nobody will measure more.
MAX_SUBJECTS = 100_000_000

_MIN_SUBJECTS = 4

Kind: TypeAlias = Literal["r", "skill"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Effect:
    """A true effect: `kind` is ``"r"`` or ``"skill"``, `size` lies between 0 and 1."""

    kind: Kind
    size: float


def parse_effect(text: str) -> Effect:
    """Return the effect that ``r=0.14`` or ``skill=0.02`` names.

    Raises
    ------
    ConfigError
        If `text` has another form or the size does not lie strictly between 0 and 1.
    """
    kind, _, number = (part.strip() for part in text.partition("="))
    try:
        size = float(number)
    except ValueError:
        size = math.nan
    if kind == "r":
        size = abs(size)
    if kind not in ("r", "skill") or not 0 < size < 1:
        raise ConfigError(
            f"effect {text!r} cannot be planned for: write r=0.14 or skill=0.02, with a size "
            f"between 0 and 1"
        )
    return Effect(kind="r" if kind == "r" else "skill", size=size)


def power_at(effect: Effect, n: int, *, alpha: float = 0.05) -> float:
    """Return the probability that `n` subjects show `effect`.

    A correlation by Fisher's z. Skill by the t-test of the paired differences in squared error, for
    normal targets and a perfectly calibrated predictor, the most favourable case: its skill is r²
    and its standardised difference r / √(4 − 2r²). Beating the train mean by squared error thus
    takes about four times as many subjects as telling r from 0.

    Raises
    ------
    ConfigError
        If `n` is below 4 or `alpha` not between 0 and 1.

    References
    ----------
    .. [1] Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, chapter 3.
    """
    _check(n=n, alpha=alpha)
    if effect.kind == "skill":
        return power_of_mean(_standardised(effect.size), n, alpha=alpha)
    critical = NormalDist().inv_cdf(1 - alpha / 2)
    return NormalDist().cdf(math.atanh(effect.size) * math.sqrt(n - 3) - critical)


def subjects_needed(effect: Effect, *, power: float = 0.8, alpha: float = 0.05) -> int:
    """Return the smallest number of subjects that shows `effect` with probability `power`.

    Raises
    ------
    ConfigError
        If `power` or `alpha` is out of range, or over `MAX_SUBJECTS` would be needed.
    """
    _check(power=power, alpha=alpha)
    return _smallest(lambda n: power_at(effect, n, alpha=alpha) >= power)


def detectable_effect(
    kind: Kind, n: int, *, power: float = 0.8, alpha: float = 0.05
) -> float | None:
    """Return the smallest effect that `n` subjects show with probability `power`.

    None where not even the largest would do.
    """
    from scipy.optimize import brentq

    _check(n=n, power=power, alpha=alpha)

    def surplus(size: float) -> float:
        return power_at(Effect(kind=kind, size=size), n, alpha=alpha) - power

    smallest, largest = 1e-9, 1 - 1e-9
    if surplus(largest) < 0:
        return None
    if surplus(smallest) > 0:
        return smallest
    return float(brentq(surplus, smallest, largest, xtol=1e-12))


def power_of_mean(standardised: float, n: int, *, alpha: float = 0.05) -> float:
    """Return the power of the t-test of a mean, given as a multiple of its standard deviation."""
    from scipy import stats

    critical = float(stats.t.ppf(1 - alpha / 2, n - 1))
    return float(stats.nct.sf(critical, n - 1, standardised * math.sqrt(n)))


def power_curve(effect: Effect, ns: Sequence[int], *, alpha: float = 0.05) -> tuple[float, ...]:
    """Return the power at each number of subjects."""
    return tuple(power_at(effect, n, alpha=alpha) for n in ns)


def power_table(
    effect: Effect,
    *,
    n: int | None = None,
    power: float = 0.8,
    alpha: float = 0.05,
) -> list[dict[str, float | int | None]]:
    """Return rows of ``subjects, power, detectable``, from few subjects to more than enough.

    Parameters
    ----------
    effect
        What is planned for.
    n
        Subjects at hand, given a row of their own.
    power, alpha
        As in `subjects_needed`; ``detectable`` is the smallest effect shown with that power.
    """
    enough = subjects_needed(effect, power=power, alpha=alpha)
    numbers = {20, 50, 100, 200, 500, 1000, 2000, 5000}
    numbers = {number for number in numbers if number < 2 * enough} | {enough}
    if n is not None:
        numbers.add(n)
    return [
        {
            "subjects": number,
            "power": power_at(effect, number, alpha=alpha),
            "detectable": detectable_effect(effect.kind, number, power=power, alpha=alpha),
        }
        for number in sorted(numbers)
    ]


def _standardised(skill: float) -> float:
    return math.sqrt(skill / (4 - 2 * skill))


def _smallest(enough: Callable[[int], bool]) -> int:
    """Return the smallest number of subjects that is enough, by doubling and halving."""
    high = _MIN_SUBJECTS
    while not enough(high):
        if high >= MAX_SUBJECTS:
            raise ConfigError(
                f"over {MAX_SUBJECTS:,} subjects would be needed: plan for a larger effect"
            )
        high *= 2
    low = max(_MIN_SUBJECTS, high // 2)
    while low < high:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle + 1
    return high


def _check(*, n: int = _MIN_SUBJECTS, power: float = 0.5, alpha: float = 0.05) -> None:
    if n < _MIN_SUBJECTS:
        raise ConfigError(f"n is {n!r}: a test of subjects needs at least {_MIN_SUBJECTS}")
    if not 0 < alpha < 1:
        raise ConfigError(f"alpha is {alpha!r}: it must lie between 0 and 1, such as 0.05")
    if not alpha / 2 < power < 1:
        raise ConfigError(
            f"power is {power!r}: it must lie between alpha/2 = {alpha / 2:g} and 1, such as 0.8"
        )

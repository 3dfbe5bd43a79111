"""A test, in a few looks on the way, of whether draws are above zero on average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LEVEL", "Look", "look_at", "looks_within"]

Decision: TypeAlias = Literal["above", "not above", "go on"]

#: Draws that are not above zero on average are said to be this often, over all looks.
LEVEL = 0.001
_FIRST = 10
#: With a t below it at the first, second, … look it is not worth going on.
_HOPELESS = (-0.5, 0.5, 1.0)
#: Spread and mean below it are rounding.
_NOTHING = 1e-12


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What so many draws say.

    Parameters
    ----------
    n, mean
        Of the draws.
    p
        One-sided, of a t-test against zero.
    decision
        ``above`` zero, ``not above``, or ``go on``.
    """

    n: int
    mean: float
    p: float
    decision: Decision


def looks_within(budget: int) -> tuple[int, ...]:
    """Return after how many draws to look: 10, 20, 40, … while the budget allows."""
    if budget < _FIRST:
        return (budget,)
    doublings = int(np.log2(budget / _FIRST))
    return tuple(_FIRST * 2**number for number in range(doublings + 1))


def look_at(values: Sequence[float], looks: Sequence[int]) -> Look:
    """Look at the draws so far and say whether they are above zero on average.

    The looks share `LEVEL` (Bonferroni), the last one half of it, the one before a quarter, and so
    on, so that all together are wrong at most that often. Giving up early can only make it less.

    Parameters
    ----------
    values
        The draws, as many as one of the `looks`.
    looks
        All numbers of draws at which is looked, ascending.
    """
    from scipy import stats

    draws = np.asarray(values, dtype=np.float64)
    n, mean = len(draws), float(draws.mean())
    spread = float(draws.std(ddof=1)) if n > 1 else 0.0
    if spread <= _NOTHING:
        # Draws that do not differ are either all nothing or all the same skill.
        t = np.inf if mean > _NOTHING and n > 1 else -np.inf
    else:
        t = mean / (spread / np.sqrt(n))
    p = float(stats.t.sf(t, n - 1)) if n > 1 else 1.0
    return Look(n=n, mean=mean, p=p, decision=_decide(t, p, n, looks))


def _decide(t: float, p: float, n: int, looks: Sequence[int]) -> Decision:
    number, last = looks.index(n), len(looks) - 1
    share = 0.5 ** (last - max(number, 1) + 1) if last else 1.0
    if p < LEVEL * share:
        return "above"
    if number == last or t < _HOPELESS[min(number, len(_HOPELESS) - 1)]:
        return "not above"
    return "go on"

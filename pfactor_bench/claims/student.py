"""Student's t without a numbers library: judging must not import one."""

from __future__ import annotations

import math
from functools import lru_cache

__all__ = ["central_quantile", "outside"]

#: With more degrees of freedom quantiles differ from these by less than 2 in 1,000.
_MOST_DEGREES = 500
_HALVINGS = 60


def outside(distance: float, degrees: int) -> float:
    """Return the probability that ``|t|`` exceeds a distance, the two-sided p-value.

    Parameters
    ----------
    distance
        In standard errors, 0 or more.
    degrees
        Of freedom, 1 or more.

    References
    ----------
    .. [1] Abramowitz and Stegun (1964), Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
    """
    degrees = min(degrees, _MOST_DEGREES)
    return 1 - _inside(math.atan(distance / math.sqrt(degrees)), degrees)


@lru_cache(maxsize=1024)
def central_quantile(level: float, degrees: int) -> float:
    """Return the distance in standard errors within which t lies with probability `level`."""
    degrees = min(degrees, _MOST_DEGREES)
    low, high = 0.0, math.pi / 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _inside(middle, degrees) < level else (low, middle)
    return math.sqrt(degrees) * math.tan(high)


def _inside(angle: float, degrees: int) -> float:
    """Return the probability that ``|t|`` stays below ``√degrees · tan(angle)``."""
    odd = degrees % 2
    sine, cosine = math.sin(angle), math.cos(angle)
    term = cosine if odd else 1.0
    total = term if degrees > 1 else 0.0
    for power in range(2 + odd, degrees - 1, 2):
        term *= (power - 1) / power * cosine**2
        total += term
    return 2 / math.pi * (angle + sine * total) if odd else sine * total

"""Whether an injected part holds more of a whole than other parts of its size do."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["bands_at_least", "sets_at_least"]

#: Up to so many sets all are compared, of more a random sample of this size.
_MOST_SETS = 10_000

#: Sums of the same shares in another order may differ by this.
_ROUNDING = 1e-12


def sets_at_least(shares: NDArray[np.float64], members: Sequence[int]) -> tuple[int, int]:
    """Return how many sets as large as `members` hold at least as much, and of how many sets.

    Parameters
    ----------
    shares
        What each channel holds, shape ``(n_chans,)``.
    members
        Positions of the set in question; it is one of those compared.

    Returns
    -------
    n_at_least, n_sets : int
        Their ratio is the p-value of an exact or a random permutation test.
    """
    n, size = len(shares), len(members)
    if math.comb(n, size) <= _MOST_SETS:
        sets = np.array(list(itertools.combinations(range(n), size)))
    else:
        order = np.random.default_rng(0).random((_MOST_SETS - 1, n))
        sets = np.vstack([members, np.argpartition(order, size, axis=1)[:, :size]])
    return _at_least(shares[sets].sum(axis=1), float(shares[list(members)].sum()))


def bands_at_least(shares: NDArray[np.float64], members: Sequence[int]) -> tuple[int, int]:
    """Return how many bands as wide as `members` hold at least as much, and of how many bands.

    As `sets_at_least`, but only neighbours form a band.
    """
    sums = np.lib.stride_tricks.sliding_window_view(shares, len(members)).sum(axis=1)
    return _at_least(sums, float(shares[list(members)].sum()))


def _at_least(sums: NDArray[np.float64], own: float) -> tuple[int, int]:
    return int((sums >= own - _ROUNDING).sum()), len(sums)

"""Which windows are trained on and which are held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Fold", "Split"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Fold:
    """Which windows are trained on and which are held out, as positions in the cohort.

    Parameters
    ----------
    name
        ``"fold-0"``, ``"fold-1"``, ...
    train, test
        Positions of windows, int64. Nothing here forbids an overlap: finding one is a check's work.
    """

    name: str
    train: NDArray[np.int64]
    test: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Split:
    """The folds of one cohort, as a value that can be written down, checked, and wrong.

    Parameters
    ----------
    name
        How it was made, such as ``"last-subjects"``.
    folds
        One or more folds.
    """

    name: str
    folds: tuple[Fold, ...]

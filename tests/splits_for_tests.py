"""A splitter of every kind, with subjects, targets and sites to split."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.splits import (
    GroupedKFold,
    LeaveSiteOut,
    RepeatedGroupedKFold,
    StratifiedGroupedKFold,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

SUBJECTS = np.repeat([f"sub-{number:02d}" for number in range(12)], 3)
TARGETS = np.repeat(np.linspace(-1, 1, 12), 3)
SITES = {f"sub-{number:02d}": "ABC"[number % 3] for number in range(12)}
SPLITTERS = {
    "grouped": GroupedKFold(n_folds=4, seed=7),
    "repeated": RepeatedGroupedKFold(n_folds=3, n_repeats=2, seed=7),
    "stratified": StratifiedGroupedKFold(n_folds=4, n_bins=3, seed=7),
    "site": LeaveSiteOut(sites=SITES),
}


def held_out(
    folds: Iterable[tuple[np.ndarray, np.ndarray]], subjects: np.ndarray
) -> list[list[str]]:
    """Return the subjects that each fold holds out."""
    return [np.unique(subjects[test]).tolist() for _, test in folds]


def drawn() -> dict[str, list[list[str]]]:
    """Return the subjects that each fold of each splitter holds out."""
    return {
        name: held_out(one.split(SUBJECTS, TARGETS, SUBJECTS), SUBJECTS)
        for name, one in SPLITTERS.items()
    }

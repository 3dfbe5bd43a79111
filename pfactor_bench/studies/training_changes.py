"""Changes of what a study is taught that splits and caches notice, or do not notice, on purpose."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.studies.changes import changed

if TYPE_CHECKING:
    from collections.abc import Collection

    from pfactor_bench.types import Cohort

__all__ = ["jog_signal", "mirror_targets", "swap_neighbours"]

#: Of the signal's standard deviation: seen by a hash, lost on a model.
_A_HAIR = 1e-3


def mirror_targets(cohort: Cohort) -> Cohort:
    """Reflect every target at the mean over subjects.

    Labels cut at the median trade places; a split that is stratified by them, or by bins of equal
    width or size, mostly stays where it is.
    """
    _, first = np.unique(cohort.subjects, return_index=True)
    return changed(cohort, y=2 * cohort.y[first].mean() - cohort.y)


def swap_neighbours(cohort: Cohort, subjects: Collection[str]) -> Cohort:
    """Swap the targets of neighbours in the table that lie on two sides of the median.

    Only `subjects` take part, each once. A split that takes subjects from each stratum in the order
    of the table gives both to where the other was: where both train, it stays where it is.
    """
    names, first = np.unique(cohort.subjects, return_index=True)
    in_order = names[np.argsort(first)].tolist()
    target = dict(zip(names.tolist(), cohort.y[first].tolist(), strict=True))
    median = float(np.median(list(target.values())))
    new = dict(target)
    for one, other in pairwise(in_order):
        both_train = one in subjects and other in subjects
        both_free = new[one] == target[one] and new[other] == target[other]
        if both_train and both_free and (target[one] > median) != (target[other] > median):
            new[one], new[other] = target[other], target[one]
    return changed(cohort, y=np.array([new[name] for name in cohort.subjects.tolist()]))


def jog_signal(cohort: Cohort, rng: np.random.Generator) -> Cohort:
    """Add noise of a thousandth of the signal's deviation, so that no key made of it is met."""
    noise = rng.standard_normal(cohort.X.shape) * (_A_HAIR * float(np.std(cohort.X)))
    return changed(cohort, X=(cohort.X + noise).astype(np.float32))

"""Parts of honest studies: who is trained on, and who is held out."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.detection.careful import by_subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.detection.careful import Array, Folds
    from pfactor_bench.types import Cohort


def held_out(cohort: Cohort, *groups: Iterable[str]) -> Folds:
    """Return a fold for each group of subjects."""
    found = []
    for number, group in enumerate(groups):
        test = np.isin(cohort.subjects, list(group))
        found.append((f"fold-{number}", np.flatnonzero(~test), np.flatnonzero(test)))
    return found


def _subjects(cohort: Cohort) -> tuple[Any, Array]:
    names, first = np.unique(cohort.subjects, return_index=True)
    return names, cohort.y[first]


def repeated(cohort: Cohort, seed: int) -> Folds:
    """Two cross-validations, one after the other, every fold with a name of its own."""
    return [
        (f"repeat-{one}/{name}", train, test)
        for one in range(2)
        for name, train, test in by_subject(3)(cohort, 2 * seed + one)
    ]


def drawn(cohort: Cohort, seed: int) -> Folds:
    """Four random quarters, which may share subjects."""
    rng, names = np.random.default_rng(seed), np.unique(cohort.subjects)
    return held_out(cohort, *(rng.permutation(names)[: len(names) // 4] for _ in range(4)))


def pairs(cohort: Cohort, seed: int) -> Folds:
    """Six of all pairs of subjects."""
    every = list(combinations(np.unique(cohort.subjects), 2))
    chosen = np.random.default_rng(seed).choice(len(every), 6, replace=False)
    return held_out(cohort, *(every[int(one)] for one in chosen))


def grouped(cohort: Cohort, _seed: int) -> Folds:
    """scikit-learn's GroupKFold."""
    from sklearn.model_selection import GroupKFold

    splits = GroupKFold(3).split(cohort.X, cohort.y, cohort.subjects)
    return [(f"fold-{number}", *both) for number, both in enumerate(splits)]


def stratified(cohort: Cohort, seed: int) -> Folds:
    """StratifiedGroupKFold over thirds of the target."""
    from sklearn.model_selection import StratifiedGroupKFold

    bins = np.digitize(cohort.y, np.quantile(cohort.y, [1 / 3, 2 / 3]))
    rule = StratifiedGroupKFold(3, shuffle=True, random_state=seed)
    splits = rule.split(cohort.X, bins, cohort.subjects)
    return [(f"fold-{number}", *both) for number, both in enumerate(splits)]


def serpentine(cohort: Cohort, _seed: int) -> Folds:
    """Deal subjects in the order of their targets, there and back."""
    names, y = _subjects(cohort)
    place = np.arange(len(names)) % 6
    number = np.minimum(place, 5 - place)
    ranked = names[np.argsort(y, kind="stable")]
    return held_out(cohort, *(ranked[number == one] for one in range(3)))


def by_column(column: str) -> Callable[[Cohort, int], Folds]:
    """Hold out all subjects of one value after the other."""

    def folds(cohort: Cohort, _seed: int) -> Folds:
        values = cohort.table[column].to_numpy()
        return held_out(cohort, *(cohort.subjects[values == one] for one in np.unique(values)))

    return folds


def balanced_by_sex(cohort: Cohort, seed: int) -> Folds:
    """Hold out as many of each sex."""
    rng, sex = np.random.default_rng(seed), cohort.table["sex"].to_numpy()
    chosen = [rng.permutation(np.unique(cohort.subjects[sex == one]))[:2] for one in np.unique(sex)]
    return held_out(cohort, np.concatenate(chosen))


def last_names(cohort: Cohort, _seed: int) -> Folds:
    """Hold out the last third of the sorted names."""
    names = np.unique(cohort.subjects)
    return held_out(cohort, names[-len(names) // 3 :])


def every_third(cohort: Cohort, _seed: int) -> Folds:
    """Hold out every third subject in the order of the table."""
    names = list(dict.fromkeys(cohort.subjects.tolist()))
    return held_out(cohort, names[::3])


def some_windows(cohort: Cohort, seed: int) -> Folds:
    """Draw four windows of each subject, for training and for testing."""
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(cohort.subjects == name) for name in np.unique(cohort.subjects)]
    kept = np.concatenate([rng.permutation(mine)[:4] for mine in rows])
    return [
        (name, np.intersect1d(train, kept), np.intersect1d(test, kept))
        for name, train, test in by_subject(3)(cohort, seed)
    ]


def later_session(cohort: Cohort, seed: int) -> Folds:
    """Train on first sessions, test other subjects on their second."""
    second = np.flatnonzero(cohort.table["session"].to_numpy() == "2")
    return [
        (name, np.setdiff1d(train, second), np.intersect1d(test, second))
        for name, train, test in by_subject(3)(cohort, seed)
    ]


def without_the_loudest(cohort: Cohort, seed: int) -> Folds:
    """Leave one bad recording out of training and test."""
    names = np.unique(cohort.subjects)
    loud = [np.abs(cohort.X[cohort.subjects == name]).mean() for name in names]
    bad = np.flatnonzero(cohort.subjects == names[int(np.argmax(loud))])
    return [
        (name, np.setdiff1d(train, bad), np.setdiff1d(test, bad))
        for name, train, test in by_subject(3)(cohort, seed)
    ]

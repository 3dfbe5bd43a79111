"""Splits by subject, decided before any window is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pfactor_bench.errors import ConfigError
from pfactor_bench.registry import Registry
from pfactor_bench.types import Fold, Split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from pfactor_bench.types import Ingredient

__all__ = [
    "SPLITTERS",
    "LeaveGroupOut",
    "Splitter",
    "by_subject",
    "grouped_k_fold",
    "last_subjects",
    "make_split",
    "random_windows",
    "repeated_grouped_k_fold",
    "require_enough",
    "split_from_indices",
]


class Splitter(Protocol):
    """A rule that decides who is held out, from the names of the subjects alone."""

    def __call__(self, subjects: NDArray[np.str_]) -> Split:
        """Split windows given the subject of each, shape ``(n_windows,)``."""
        ...


#: Makers of splitters; their keyword arguments are the keys that a suite may set.
SPLITTERS: Registry[Callable[..., Splitter]] = Registry("split")


def make_split(recipe: Ingredient, table: pd.DataFrame) -> Split:
    """Split a cohort's windows by a registered rule.

    Parameters
    ----------
    recipe
        The rule's name in `SPLITTERS` and its arguments.
    table
        The cohort's: a row per window.

    Raises
    ------
    ConfigError
        If the rule cannot be applied to these subjects.
    """
    rule = SPLITTERS[recipe.kind](**recipe.args)
    subjects = table["subject"].to_numpy(dtype=str)
    if not isinstance(rule, LeaveGroupOut):
        return rule(subjects)
    if rule.column not in table.columns:
        raise ConfigError(
            f"the cohort's table has no column {rule.column!r} to leave groups out by: it has "
            f"{', '.join(map(repr, table.columns))}"
        )
    # Here, so that listing the checks does not import pandas.
    from pfactor_bench.cohorts.targets import is_known

    groups = table[rule.column]
    unknown = subjects[~is_known(groups)].tolist()
    if unknown:
        raise ConfigError(
            f"subject {unknown[0]!r} has no {rule.column}, so it is not known with whom to leave "
            f"them out: take such subjects out of the cohort, or fill the column in"
        )
    return rule.split_groups(subjects, groups.to_numpy(dtype=str))


@SPLITTERS.register("last-subjects")
def last_subjects(*, fraction: float = 0.2) -> Splitter:
    """Hold out the last subjects in alphabetical order, at least two: the case study's split.

    Parameters
    ----------
    fraction
        Share of the subjects that is held out.
    """
    if not 0 < fraction < 1:
        raise ConfigError(f"fraction is {fraction!r}: it must lie between 0 and 1")

    def split(subjects: NDArray[np.str_]) -> Split:
        names = np.unique(subjects)
        n_held_out = max(2, round(fraction * len(names)))
        if n_held_out >= len(names):
            raise ConfigError(
                f"holding out {n_held_out} of {len(names)} subjects leaves nobody to train on: "
                f"add subjects or lower fraction {fraction!r}"
            )
        return by_subject("last-subjects", subjects, [names[-n_held_out:]])

    return split


@SPLITTERS.register("grouped-k-fold")
def grouped_k_fold(*, n_folds: int = 5, seed: int = 0) -> Splitter:
    """Permute the subjects once and hold out one part of them after the other.

    Parameters
    ----------
    n_folds
        Parts; each subject is held out exactly once.
    seed
        Of the permutation. The subjects' order in the cohort plays no part.
    """
    if n_folds < 2:  # noqa: PLR2004 - one fold would train on nobody
        raise ConfigError(f"n_folds is {n_folds!r}: at least 2 are needed")

    def split(subjects: NDArray[np.str_]) -> Split:
        names = np.unique(subjects)
        require_enough(n_folds, names)
        permuted = np.random.default_rng(seed).permutation(names)
        return by_subject("grouped-k-fold", subjects, np.array_split(permuted, n_folds))

    return split


@SPLITTERS.register("repeated-grouped-k-fold")
def repeated_grouped_k_fold(*, n_folds: int = 5, n_repeats: int = 5, seed: int = 0) -> Splitter:
    """Hold every subject out once in each of several repetitions; predictions are averaged.

    Parameters
    ----------
    n_folds
        Parts of one repetition.
    n_repeats
        Repetitions.
    seed
        Of the first repetition; the others count up.
    """
    if n_repeats < 1:
        raise ConfigError(f"n_repeats is {n_repeats!r}: at least 1 is needed")
    repetitions = [
        grouped_k_fold(n_folds=n_folds, seed=seed + number) for number in range(n_repeats)
    ]

    def split(subjects: NDArray[np.str_]) -> Split:
        folds = [fold for repetition in repetitions for fold in repetition(subjects).folds]
        return split_from_indices(
            "repeated-grouped-k-fold", [(fold.train, fold.test) for fold in folds]
        )

    return split


@SPLITTERS.register("leave-group-out")
@dataclass(frozen=True, kw_only=True, slots=True)
class LeaveGroupOut:
    """Hold out one release, site or other group of subjects after the other.

    Parameters
    ----------
    column
        The column of the cohort's table that names a subject's group.
    """

    column: str

    def __call__(self, subjects: NDArray[np.str_]) -> Split:
        """Refuse to split by names alone, which do not say who belongs to which group."""
        raise ConfigError(
            f"leave-group-out needs the column {self.column!r} of a cohort's table, and only the "
            f"names of {len(np.unique(subjects))} subjects are at hand: use make_split"
        )

    def split_groups(self, subjects: NDArray[np.str_], groups: NDArray[np.str_]) -> Split:
        """Split windows given the subject and the group of each, both ``(n_windows,)``."""
        names = np.unique(groups)
        if len(names) < 2:  # noqa: PLR2004 - a subject has to be trained on
            raise ConfigError(
                f"every subject has {self.column} {names.tolist()!r}: leaving a group out needs two"
            )
        for subject in np.unique(subjects).tolist():
            mine = np.unique(groups[subjects == subject])
            if len(mine) > 1:
                raise ConfigError(
                    f"subject {subject!r} has {self.column} {mine.tolist()!r}: held out with one "
                    f"and trained on with the other; a subject belongs to one group"
                )
        held_out = [np.unique(subjects[groups == name]) for name in names]
        return by_subject("leave-group-out", subjects, held_out)


@SPLITTERS.register("random-windows")
def random_windows(*, n_folds: int = 5, seed: int = 0) -> Splitter:
    """Permute windows and ignore whose they are: the mistake that this project exists to find.

    It is offered so that what the mistake gains can be measured; every audit of it fails.

    Parameters
    ----------
    n_folds
        Parts; each window is held out exactly once, nearly every subject stands in train and test.
    seed
        Of the permutation.
    """
    if n_folds < 2:  # noqa: PLR2004 - one fold would train on nothing
        raise ConfigError(f"n_folds is {n_folds!r}: at least 2 are needed")

    def split(subjects: NDArray[np.str_]) -> Split:
        from sklearn.model_selection import KFold

        if n_folds > len(subjects):
            raise ConfigError(
                f"{n_folds} folds of {len(subjects)} windows: a fold needs a window to hold out"
            )
        folds = KFold(n_folds, shuffle=True, random_state=seed)
        return split_from_indices("random-windows", folds.split(subjects))

    return split


def split_from_indices(name: str, indices: Iterable[tuple[ArrayLike, ArrayLike]]) -> Split:
    """Return a split from (train, test) positions, such as any scikit-learn splitter yields.

    Nothing is checked: a split that leaks can be held, written down, and found out.

    Parameters
    ----------
    name
        What to call it.
    indices
        Pairs of positions of windows.
    """
    return Split(
        name=name,
        folds=tuple(
            Fold(
                name=f"fold-{number}",
                train=np.asarray(train, dtype=np.int64),
                test=np.asarray(test, dtype=np.int64),
            )
            for number, (train, test) in enumerate(indices)
        ),
    )


def require_enough(n_folds: int, names: NDArray[np.str_]) -> None:
    """Refuse more folds than there are names of subjects."""
    if n_folds > len(names):
        raise ConfigError(
            f"{n_folds} folds of {len(names)} subjects: a fold needs a subject to hold out"
        )


def by_subject(
    name: str, subjects: NDArray[np.str_], held_out: Iterable[NDArray[np.str_]]
) -> Split:
    """Return the split of windows that holds out these subjects, fold by fold."""
    masks = [np.isin(subjects, names) for names in held_out]
    return split_from_indices(
        name, ((np.flatnonzero(~mask), np.flatnonzero(mask)) for mask in masks)
    )

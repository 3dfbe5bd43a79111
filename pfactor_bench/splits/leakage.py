"""One line for anybody's test suite."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np

from pfactor_bench.cohorts.assemble import listed
from pfactor_bench.errors import ConfigError
from pfactor_bench.splits.rows import rows_of
from pfactor_bench.types import Split

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

__all__ = ["assert_no_leakage"]

T = TypeVar("T", str, tuple[str, str])

#: What a subject's rows may be part of; each is named within its subject.
_PARTS = ("session", "run", "recording")


def assert_no_leakage(split: Split | Iterable[tuple[ArrayLike, ArrayLike]], table: object) -> None:
    """Assert that no subject is in train and test of a fold.

    Parameters
    ----------
    split
        Pairs of positions of training and test rows, as any scikit-learn splitter and
        `apply_manifest` return them, or a `pfactor_bench.Split`.
    table
        A data frame with a column ``subject``, a cohort, or a data set of braindecode.

    Raises
    ------
    AssertionError
        With the subjects in train and test, fold by fold, and those of their sessions, runs and
        recordings that are; or if there is no fold, or one that holds nothing out.
    ConfigError
        If these are no positions of rows of the table.

    Examples
    --------
    >>> assert_no_leakage(GroupKFold(5).split(X, y, subjects), table)  # doctest: +SKIP
    """
    rows = rows_of(table)
    folds = [
        (name, _positions(train, name, len(rows)), _positions(test, name, len(rows)))
        for name, train, test in _named_pairs(split)
    ]
    wrong = [one for name, train, test in folds for one in _wrong_with(name, train, test, rows)]
    if not folds:
        wrong = ["the split has no folds, so nothing was looked at"]
    if wrong:
        raise AssertionError("\n  ".join(["the split is not one by subject:", *wrong]))


def _named_pairs(
    split: Split | Iterable[tuple[ArrayLike, ArrayLike]],
) -> list[tuple[str, ArrayLike, ArrayLike]]:
    if isinstance(split, Split):
        return [(fold.name, fold.train, fold.test) for fold in split.folds]
    try:
        return [(f"fold-{number}", train, test) for number, (train, test) in enumerate(split)]
    except (TypeError, ValueError):
        raise ConfigError(
            f"{type(split).__name__!r} is no split: pass pairs of positions of training and test "
            f"rows, a pair a fold"
        ) from None


def _positions(given: ArrayLike, fold: str, n_rows: int) -> NDArray[np.int64]:
    positions = np.asarray(given)
    if positions.size == 0:
        return np.array([], dtype=np.int64)
    if positions.ndim != 1 or positions.dtype.kind not in "iu":
        raise ConfigError(
            f"the rows of {fold} are {positions.dtype}: pass positions, whole numbers in one list, "
            f"not a mask or labels"
        )
    outside = positions[(positions < 0) | (positions >= n_rows)]
    if len(outside):
        raise ConfigError(
            f"{fold} has position {outside[0]} and the table {n_rows} rows, counted from 0: pass "
            f"the table that was split"
        )
    return cast("NDArray[np.int64]", positions)


def _wrong_with(
    fold: str, train: NDArray[np.int64], test: NDArray[np.int64], rows: pd.DataFrame
) -> list[str]:
    if not len(train):
        return [f"{fold} trains on nothing"]
    if not len(test):
        return [f"{fold} holds nothing out"]
    subjects = _in_both(rows["subject"].tolist(), train, test)
    if not subjects:
        return []
    word = "subject {} is" if len(subjects) == 1 else "subjects {} are"
    parts = [_shared_part(column, train, test, rows) for column in _PARTS if column in rows]
    ends = "".join(f", with {part}" for part in parts if part)
    return [f"{fold}: {word.format(listed(list(map(repr, subjects))))} in train and test{ends}"]


def _shared_part(
    column: str, train: NDArray[np.int64], test: NDArray[np.int64], rows: pd.DataFrame
) -> str:
    """Return which of a subject's sessions, runs or recordings are in train and test."""
    keys = list(zip(rows["subject"], rows[column].astype(str), strict=True))
    values = sorted({value for _, value in _in_both(keys, train, test) if value})
    return f"{column} {listed(list(map(repr, values)))}" if values else ""


def _in_both(keys: list[T], train: NDArray[np.int64], test: NDArray[np.int64]) -> list[T]:
    return sorted({keys[row] for row in train.tolist()} & {keys[row] for row in test.tolist()})

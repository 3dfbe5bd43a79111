"""Rows of a cohort's table as numbers, and folds in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from pfactor_bench.types import Split

__all__ = ["RECORDING", "in_folds", "row_keys"]

#: The columns that name one recording.
RECORDING = ["subject", "session", "run", "task"]


def row_keys(table: pd.DataFrame, columns: list[str]) -> tuple[NDArray[np.int64], list[str]]:
    """Return a number per row, equal where `columns` are, and the name of each number."""
    texts = table[columns[0]].astype(str)
    for column in columns[1:]:
        texts = texts + "/" + table[column].astype(str)
    names, keys = np.unique(texts.to_numpy(dtype=str), return_inverse=True)
    return keys.astype(np.int64), [name.rstrip("/") for name in names.tolist()]


def in_folds(split: Split) -> str:
    """Return how many folds were looked at, for the end of a sentence."""
    return f"{len(split.folds)} fold{'s' if len(split.folds) != 1 else ''} of {split.name!r}"

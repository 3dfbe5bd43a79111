"""Whose the rows of a table are, whichever kind of table it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pfactor_bench.errors import ConfigError, did_you_mean
from pfactor_bench.types import Cohort

__all__ = ["rows_of", "subjects_of"]


def rows_of(table: object) -> pd.DataFrame:
    """Return a row per position, with the subject of each as text in column ``subject``.

    Parameters
    ----------
    table
        A data frame with that column, a cohort, or a data set of braindecode: a row per window, or
        per recording where they are not cut into windows.

    Raises
    ------
    ConfigError
        If it is none of these, or a row names no subject.
    """
    if isinstance(table, pd.DataFrame):
        rows = table
    elif isinstance(table, Cohort):
        rows = table.table
    elif hasattr(table, "datasets") or hasattr(table, "description"):
        rows = _described(table)
    else:
        raise ConfigError(
            f"{type(table).__name__!r} is no table: pass a data frame with a column 'subject', a "
            f"cohort or a braindecode data set"
        )
    if "subject" not in rows.columns:
        raise ConfigError(
            f"the table has no column 'subject'{did_you_mean('subject', map(str, rows.columns))}"
        )
    return rows.assign(subject=subjects_of(rows["subject"]))


def subjects_of(names: object) -> NDArray[np.str_]:
    """Return the subject of each row as text.

    Raises
    ------
    ConfigError
        If a row names none.
    """
    values = np.asarray(names)
    if values.ndim != 1:
        raise ConfigError(
            f"subjects have the shape {values.shape!r}: they must be one-dimensional, one a row"
        )
    unnamed = np.flatnonzero(pd.isna(values))
    if len(unnamed):
        raise ConfigError(f"row {unnamed[0]} names no subject: fill it in, or leave the row out")
    return values.astype(str)


def _described(dataset: Any) -> pd.DataFrame:  # noqa: ANN401 - braindecode has no types
    recordings = getattr(dataset, "datasets", [dataset])
    # Only what is cut into windows has a table of them; the length of the rest is in samples.
    cut = [hasattr(recording, "metadata") for recording in recordings]
    if any(cut) and not all(cut):
        raise ConfigError(
            f"some recordings are cut into windows and recording {cut.index(False)} is not: cut "
            f"all of them, or none"
        )
    described = [recording.description for recording in recordings]
    rows = pd.DataFrame([{} if one is None else dict(one) for one in described])
    if not any(cut):
        return rows
    lengths = [len(recording) for recording in recordings]
    return rows.loc[np.repeat(np.arange(len(rows)), lengths)]

"""Targets of subjects as they arrive in tables: numbers, numbers as text, and words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["MISSING_WORDS", "is_known", "parse_targets"]

#: What BIDS and common spreadsheets write where there is no value.
MISSING_WORDS = frozenset({"", "n/a", "na", "nan", "none", "null"})


def is_known(column: pd.Series[Any]) -> NDArray[np.bool_]:
    """Say for each row of a column whether there is a value, not a gap or a word for one."""
    words = column.astype(str).str.strip().str.casefold()
    return (column.notna() & ~words.isin(MISSING_WORDS)).to_numpy(dtype=bool)


def parse_targets(
    values: Sequence[object], *, target: str, subjects: Sequence[str]
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return targets as numbers and what was done to get there.

    EEGDash hands over ``p_factor`` as text when it reads a local folder and as a float or None when
    it asks its server, so both must mean the same here.

    Parameters
    ----------
    values
        One target per subject, in any of those forms.
    target
        The target's name, for messages.
    subjects
        The subjects' names, same length.

    Returns
    -------
    targets : ndarray of float64, shape (n_subjects,)
        NaN where a target is missing.
    notes : tuple of str
        What a reader must be told; of no interest where every value of a table is text anyway.

    Raises
    ------
    CohortError
        If a value is a word, or infinite; the message names the row and the subject.
    """
    targets = np.full(len(values), np.nan)
    n_text = 0
    for row, (value, subject) in enumerate(zip(values, subjects, strict=True)):
        if value is None or value is pd.NA or value is pd.NaT:
            continue
        if isinstance(value, str):
            if value.strip().lower() in MISSING_WORDS:
                continue
            n_text += 1
        try:
            targets[row] = _number(value)
        except (TypeError, ValueError):
            raise CohortError(
                f"target {target!r} of subject {subject!r} (row {row}) is {value!r}: a regression "
                f"target must be a number; recode it, or write 'n/a' where it is missing"
            ) from None
        if np.isinf(targets[row]):
            raise CohortError(
                f"target {target!r} of subject {subject!r} (row {row}) is infinite: write 'n/a' "
                f"where it is missing"
            )
    notes = (f"{n_text} values of {target} were text and were converted to numbers",)
    return targets, notes if n_text else ()


def _number(value: Any) -> float:  # noqa: ANN401 - whatever a table holds
    # Python reads 1_000, and digits of any script, as numbers.
    if isinstance(value, str) and ("_" in value or not value.strip().isascii()):
        raise ValueError
    return float(value)

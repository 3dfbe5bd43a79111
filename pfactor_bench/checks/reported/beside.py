"""A check of the targets that stand beside saved predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, not_applicable, passed, warned
from pfactor_bench.checks.engine.registry import check

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.types import Cohort, Scalar

__all__ = ["differing"]

_FLOAT = 1e-6
_MOST_DIGITS = 9


@check("LK039", kinds=(28, 36))
def reported_targets(cohort: Cohort, reported_targets: pd.DataFrame) -> Outcome:
    """Targets beside saved predictions: they must be the cohort's.

    How it is detected
    ------------------
    A column `y_true` is compared with the cohort's targets, row by row and up to the digits that it
    has. Where rows hold another subject's target, while most others agree or all are targets of the
    cohort, too, predictions are misassigned. Values that no subject has, and those of targets with
    few values, may be in another unit or of another version: a warning.

    Why it matters
    --------------
    A number that was computed from targets of other subjects, or from targets that have since been
    corrected, is not the one that follows from these predictions.

    How to fix it
    -------------
    Join predictions and targets by subject or window, never by position, and save them in the
    cohort's unit.

    What it cannot see
    ------------------
    Predictions that were moved together with their targets, and tables without the column.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804.
    """
    table = reported_targets.dropna(subset=["y_true"])
    if not len(table) or table["y_true"].dtype.kind not in "iuf":
        return not_applicable("the column 'y_true' holds no numbers")
    row_of = {name: row for row, name in enumerate(cohort.table["sample_id"].astype(str))}
    rows = np.array([row_of[name] for name in table["sample_id"]])
    given = table["y_true"].to_numpy(dtype=np.float64)
    wrong = differing(given, cohort.y[rows])
    if not wrong.any():
        return passed(f"the targets of {len(np.unique(cohort.subjects[rows]))} subjects agree")
    known = np.sort(cohort.y)
    after = np.searchsorted(known, given).clip(1, len(known) - 1)
    nearest = np.where(
        np.abs(given - known[after - 1]) < np.abs(given - known[after]),
        known[after - 1],
        known[after],
    )
    someone_elses = wrong & ~differing(given, nearest)
    told_apart = 2 * len(np.unique(given)) > len(np.unique(cohort.subjects[rows]))
    mostly = (~wrong | someone_elses).all() or wrong.mean() < 0.5  # noqa: PLR2004 - most agree
    evidence = _by_subject(cohort, rows[wrong], given[wrong])
    if told_apart and mostly and someone_elses.any():
        return failed(
            f"rows are misassigned: beside predictions of {len(evidence)} subjects stand targets "
            f"that are not theirs, among them {evidence[0]['subject']!r}",
            evidence,
        )
    return warned(
        f"the targets beside predictions of {len(evidence)} subjects are not the cohort's: another "
        f"unit, or another version of the targets",
        evidence,
    )


def differing(given: NDArray[np.float64], truth: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which targets differ by more than the digits that the given ones have."""
    digits = (
        n for n in range(_MOST_DIGITS) if np.allclose(given, np.round(given, n), rtol=0, atol=1e-9)
    )
    n_digits = next(digits, None)
    rounding = 0.0 if n_digits is None else 0.5 * 10.0**-n_digits
    wrong: NDArray[np.bool_] = np.abs(given - truth) > rounding + _FLOAT * (1 + np.abs(truth))
    return wrong


def _by_subject(
    cohort: Cohort, rows: NDArray[np.int64], given: NDArray[np.float64]
) -> list[dict[str, Scalar]]:
    """Return a row of evidence for each subject."""
    subjects, first = np.unique(cohort.subjects[rows], return_index=True)
    return [
        {"subject": str(name), "y_true": float(given[one]), "cohort": float(cohort.y[rows[one]])}
        for name, one in zip(subjects, first, strict=True)
    ]

"""``participants.tsv``: who is in a BIDS folder, and with what target."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pandas as pd

from pfactor_bench.cohorts.assemble import WINDOW_COLUMNS
from pfactor_bench.errors import CohortError, did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_participants"]


def read_participants(folder: Path, target: str) -> pd.DataFrame:
    """Return ``participants.tsv``, a row per subject, its index ``"sub-00"``.

    The table is read here, not through EEGDash, which gives subjects no rows instead of an error
    where it cannot read it, and matches names that only resemble each other.

    Parameters
    ----------
    folder
        Of the data set.
    target
        The column of targets. It stays text, so that a word in it can be shown as it was written.

    Raises
    ------
    CohortError
        If there is no table, it has no such column, or a subject stands in it twice.
    """
    if target in WINDOW_COLUMNS:
        raise CohortError(
            f"target {target!r} is a name that describes windows: rename that column of "
            f"participants.tsv"
        )
    if target == "participant_id":
        raise CohortError(
            "target 'participant_id' is the column that names subjects: choose a column of targets"
        )
    path = folder / "participants.tsv"
    if not path.is_file():
        raise CohortError(
            f"data set {folder.name!r} has no participants.tsv: the targets of its subjects must "
            f"stand there, in a row per participant_id"
        )
    try:
        with warnings.catch_warnings():
            # Of rows with more cells than the header has, of which some would be dropped.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            subjects = pd.read_csv(
                path,
                sep="\t",
                dtype={"participant_id": str, target: str},
                encoding="utf-8-sig",
                # Else such rows make the first column an index, and move every value.
                index_col=False,
            )
    except (OSError, ValueError, pd.errors.ParserWarning) as error:
        raise CohortError(
            f"cannot read participants.tsv of data set {folder.name!r}: {error}"
        ) from error
    if len(subjects.columns) == 1 and "," in subjects.columns[0]:
        raise CohortError(
            f"the columns of participants.tsv of data set {folder.name!r} are separated by commas: "
            f"BIDS separates them by tabs"
        )
    for column in ("participant_id", target):
        if column not in subjects.columns:
            raise CohortError(
                f"participants.tsv of data set {folder.name!r} has no column {column!r}"
                f"{did_you_mean(column, set(subjects.columns) - {'participant_id'})}"
            )
    names = subjects.pop("participant_id").fillna("").str.strip()
    subjects.index = pd.Index("sub-" + names.str.removeprefix("sub-"), name="subject")
    if not subjects.index.is_unique:
        twice = subjects.index[subjects.index.duplicated()][0]
        raise CohortError(
            f"participants.tsv of data set {folder.name!r} has two rows for {twice!r}: a subject "
            f"has one target, so keep one"
        )
    # A subject's column must not replace what is known of a recording.
    return subjects.rename(columns={name: f"participant_{name}" for name in WINDOW_COLUMNS})

"""Who is in the releases of HBN-EEG, from their tables alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pfactor_bench.cohorts.bids.participants import read_participants
from pfactor_bench.cohorts.targets import parse_targets
from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["read_subjects"]

#: What else is known of a subject and may stand in the table: no target beside the target.
_CONFOUNDS = ("age", "sex", "ehq_total")


def read_subjects(folders: Mapping[str, Path], target: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return all subjects of some releases, and what was made of their values.

    Parameters
    ----------
    folders
        From a release's name to its folder.
    target
        The target that is asked for.

    Returns
    -------
    subjects : DataFrame
        Its index ``"sub-…"``, with `target`, ``release``, and what may stand beside a target.
    notes : tuple of str

    Raises
    ------
    CohortError
        If a table cannot be read, or a subject stands in two of them.
    """
    tables, notes = [], []
    for release, folder in folders.items():
        table, said = read_participants(folder, target)
        tables.append(table.assign(release=release))
        notes += [f"{release}: {note}" for note in said]
    subjects = pd.concat(tables)
    twice = subjects.index[subjects.index.duplicated()]
    if len(twice):
        where = subjects.loc[twice[0], "release"].tolist()
        raise CohortError(
            f"{len(twice)} subjects stand in two releases ({twice[0]} in {where[0]} and "
            f"{where[1]}): whoever is trained on would also be held out; fetch the tables again"
        )
    columns = dict.fromkeys((target, "release", *_CONFOUNDS))
    subjects = subjects[[column for column in columns if column in subjects.columns]].copy()
    # A TSV holds nothing but text: that its numbers were text is no news.
    subjects[target], _ = parse_targets(
        subjects[target].tolist(), target=target, subjects=subjects.index.tolist()
    )
    return subjects, tuple(notes)

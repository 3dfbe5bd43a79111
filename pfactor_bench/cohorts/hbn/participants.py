"""Who is in the releases of HBN-EEG, from their tables alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pfactor_bench.cohorts.bids.participants import read_participants
from pfactor_bench.cohorts.targets import parse_scores
from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["read_people"]

#: What else is known of a person and may stand in the table: no score beside the target.
_CONFOUNDS = ("age", "sex", "ehq_total")


def read_people(folders: Mapping[str, Path], target: str) -> pd.DataFrame:
    """Return all subjects of some releases.

    Parameters
    ----------
    folders
        From a release's name to its folder.
    target
        The score that is asked for.

    Returns
    -------
    DataFrame
        Its index ``"sub-…"``, with `target`, ``release``, and what may stand beside a target.

    Raises
    ------
    CohortError
        If a table cannot be read, or a person stands in two of them.
    """
    tables = [
        read_participants(folder, target).assign(release=release)
        for release, folder in folders.items()
    ]
    people = pd.concat(tables)
    twice = people.index[people.index.duplicated()]
    if len(twice):
        where = people.loc[twice[0], "release"].tolist()
        raise CohortError(
            f"{len(twice)} people stand in two releases ({twice[0]} in {where[0]} and {where[1]}): "
            f"whoever is trained on would also be held out; fetch the tables again"
        )
    columns = dict.fromkeys((target, "release", *_CONFOUNDS))
    people = people[[column for column in columns if column in people.columns]].copy()
    # A TSV holds nothing but text: that its numbers were text is no news.
    people[target], _ = parse_scores(
        people[target].tolist(), target=target, subjects=people.index.tolist()
    )
    return people

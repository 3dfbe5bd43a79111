"""The eleven releases of HBN-EEG: their names, and how much each would be to fetch."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from pfactor_bench.errors import CohortError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DATASETS", "Amount", "find_releases", "known_amount"]

#: From a release's name to its data set on OpenNeuro.
DATASETS = {
    "R1": "ds005505",
    "R2": "ds005506",
    "R3": "ds005507",
    "R4": "ds005508",
    "R5": "ds005509",
    "R6": "ds005510",
    "R7": "ds005511",
    "R8": "ds005512",
    "R9": "ds005514",
    "R10": "ds005515",
    "R11": "ds005516",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Amount:
    """How much of one task a release holds.

    Parameters
    ----------
    recordings
        How many.
    n_bytes
        Of all of them.
    subjects
        Who were recorded.
    seconds
        That the recordings last.
    """

    recordings: int
    n_bytes: int
    subjects: int
    seconds: float


def find_releases(named: str | Sequence[str]) -> dict[str, str]:
    """Return releases, each with its data set, in the order of their numbers.

    Parameters
    ----------
    named
        One or several, as ``"R1"`` or ``"ds005505"``, or ``"all"``.

    Raises
    ------
    CohortError
        If one is unknown, or stands twice.
    """
    if named == "all":
        return dict(DATASETS)
    names = [named] if isinstance(named, str) else list(named)
    if not names:
        raise CohortError("releases is an empty list: name some, such as [R1, R2], or all")
    found = []
    by_dataset = {dataset: release for release, dataset in DATASETS.items()}
    for name in names:
        release = by_dataset.get(name, name)
        if release not in DATASETS:
            known = [*DATASETS, *by_dataset, "all"]
            raise CohortError(f"unknown HBN release {name!r}{did_you_mean(str(name), known)}")
        if release in found:
            raise CohortError(f"HBN release {name!r} stands twice in releases: keep one")
        found.append(release)
    return {release: dataset for release, dataset in DATASETS.items() if release in found}


def known_amount(dataset: str, task: str) -> Amount | None:
    """Return how much of a task a release holds; None for a task that is in none."""
    return _amounts().get((dataset, task))


@cache
def _amounts() -> dict[tuple[str, str], Amount]:
    # Sums made by benchmarks/hbn_recordings.py, which names their source.
    text = files("pfactor_bench.cohorts.hbn").joinpath("recordings.csv").read_text("utf-8")
    return {
        (row["dataset"], row["task"]): Amount(
            recordings=int(row["recordings"]),
            n_bytes=int(row["bytes"]),
            subjects=int(row["subjects"]),
            seconds=float(row["seconds"]),
        )
        for row in csv.DictReader(text.splitlines())
    }

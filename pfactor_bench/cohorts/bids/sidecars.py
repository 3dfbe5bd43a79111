"""Tables and descriptions that go with a recording, wherever BIDS lets them stand.

BIDS' inheritance principle: a file that stands at the root, in the subject's folder or beside the
recording applies to it if all entities of its name are the recording's, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pfactor_bench.cohorts.bids.participants import read_json
from pfactor_bench.cohorts.tables import PLAIN_NUMBER, read_columns
from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from pathlib import Path

    from pfactor_bench.cohorts.bids.folder import RecordingFile

__all__ = [
    "SIDECARS",
    "ChannelRow",
    "Event",
    "find_sidecars",
    "name_entities",
    "read_channels",
    "read_description",
    "read_events",
]

#: The kinds that decide what is made of a recording.
SIDECARS = ("channels.tsv", "events.tsv", "eeg.json")


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel as channels.tsv describes it, each value in lower case but the unit."""

    kind: str
    unit: str
    is_bad: bool


@dataclass(frozen=True, slots=True)
class Event:
    """An event: its seconds from the first sample and all that its row calls it."""

    onset: float
    duration: float
    names: tuple[str, ...]


def name_entities(name: str) -> dict[str, str]:
    """Return the entities of a file's name: ``{"sub": "00", "task": "rest"}``."""
    parts = (part.partition("-") for part in name.partition(".")[0].split("_"))
    return {key: value for key, dash, value in parts if dash}


def find_sidecars(file: RecordingFile, kind: str) -> tuple[Path, ...]:
    """Return the files of a kind that apply to a recording, the closest one last.

    Raises
    ------
    CohortError
        If two at one level apply and neither names more of the recording.
    """
    found = []
    for folder in _levels(file):
        fitting = [path for path in folder.iterdir() if _applies(path.name, kind, file)]
        fitting.sort(key=lambda path: (len(name_entities(path.name)), path.name))
        if len({len(name_entities(path.name)) for path in fitting[-2:]}) < len(fitting[-2:]):
            raise CohortError(
                f"{fitting[-2].name!r} and {fitting[-1].name!r} apply to recording "
                f"{file.path.name!r} alike: keep one"
            )
        found += fitting[-1:]
    return tuple(found)


def read_channels(file: RecordingFile) -> dict[str, ChannelRow]:
    """Return what channels.tsv says of each channel, empty where there is none.

    Raises
    ------
    ValueError
        If it is no table of channels.
    """
    columns = _closest(file, "channels.tsv", needed=("name", "type"))
    gaps = ["n/a"] * len(columns.get("name", ()))
    cells = (columns.get(key, gaps) for key in ("name", "type", "units", "status"))
    rows: dict[str, ChannelRow] = {}
    for name, kind, unit, status in zip(*cells, strict=True):
        row = ChannelRow(kind=kind.lower(), unit=unit, is_bad=status.lower() == "bad")
        if rows.setdefault(name, row) != row:
            raise ValueError(f"channels.tsv describes {name!r} twice, and not alike: keep one row")
    return rows


def read_events(file: RecordingFile) -> list[Event] | None:
    """Return the events of events.tsv in the order of time, None where there is no such table.

    Their names are those in ``value`` and ``trial_type``, in this order and without gaps.

    Raises
    ------
    ValueError
        If it is no table of events.
    """
    columns = _closest(file, "events.tsv", needed=("onset",))
    if not columns:
        return None
    gaps = ["n/a"] * len(columns["onset"])
    kinds = [columns[kind] for kind in ("value", "trial_type") if kind in columns] or [gaps]
    events = [
        Event(
            onset=float(onset),
            duration=float(duration) if PLAIN_NUMBER.fullmatch(duration) else 0.0,
            names=tuple(name for name in names if name.lower() not in {"", "n/a"}),
        )
        for onset, duration, names in zip(
            columns["onset"], columns.get("duration", gaps), zip(*kinds, strict=True), strict=True
        )
        if PLAIN_NUMBER.fullmatch(onset)
    ]
    return sorted(events, key=lambda event: event.onset)


def read_description(file: RecordingFile) -> dict[str, Any]:
    """Return what eeg.json says: of each key the value that stands closest to the recording."""
    described: dict[str, Any] = {}
    for path in find_sidecars(file, "eeg.json"):
        described |= read_json(path)
    return described


def _levels(file: RecordingFile) -> list[Path]:
    """Return the folders from the data set's down to the recording's."""
    folders = list(file.path.parents)
    depth = next((at for at, each in enumerate(folders) if each.name == file.subject), -1)
    return folders[: depth + 2][::-1]


def _applies(name: str, kind: str, file: RecordingFile) -> bool:
    if name != kind and not name.endswith(f"_{kind}"):
        return False
    parts = name.removesuffix(kind).rstrip("_").split("_")
    asked = name_entities(name)
    own = name_entities(file.path.name)
    return len(asked) == len([part for part in parts if part]) and asked.items() <= own.items()


def _closest(file: RecordingFile, kind: str, *, needed: tuple[str, ...]) -> dict[str, list[str]]:
    """Return the table that applies to a recording, empty where there is none."""
    found = find_sidecars(file, kind)
    if not found:
        return {}
    try:
        columns = read_columns(found[-1])
    except ValueError as error:
        raise ValueError(f"{found[-1].name}: {error}") from error
    missing = [name for name in needed if name not in columns]
    if missing:
        raise ValueError(f"{found[-1].name} has no columns {missing}")
    return columns

"""The files that a recording is read from: its own, and those that its header names."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from pfactor_bench.cohorts.bids.folder import is_pointer, unusable
from pfactor_bench.cohorts.bids.sidecars import name_entities
from pfactor_bench.cohorts.tables import decoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pfactor_bench.cohorts.bids.folder import RecordingFile

__all__ = ["opened_files", "refuse_shared", "refuse_strange"]

#: The lines of a BrainVision header that name its other files.
_NAMED = re.compile(r"^(?:DataFile|MarkerFile)\s*=\s*(.+?)\s*$", re.MULTILINE)


def opened_files(dataset: str, file: RecordingFile) -> tuple[Path, ...]:
    """Return the files that MNE opens for a recording, as far as they are there, its own first.

    Raises
    ------
    CohortError
        If its header cannot be read.
    """
    try:
        found = [file.path, *(other for other in _named_by(file.path) if other.is_file())]
    except Exception as error:
        raise unusable(dataset, file, error) from error
    return tuple(dict.fromkeys(Path(os.path.normpath(each)) for each in found))


def _named_by(path: Path) -> Iterable[Path]:
    suffix = path.suffix.lower()
    if suffix == ".vhdr":
        named = (path.parent / name for name in _NAMED.findall(decoded(path.read_bytes())))
        # MNE's way out where MarkerFile names nothing that is there.
        return (*named, path.with_suffix(".vmrk"))
    if suffix == ".set" and any(each.suffix.lower() == ".fdt" for each in path.parent.iterdir()):
        import mne

        raw = mne.io.read_raw(path, verbose="ERROR")
        return [Path(name) for name in raw.filenames if name]
    return ()


def refuse_strange(dataset: str, file: RecordingFile, opened: Sequence[Path]) -> None:
    """Refuse a recording whose header opens another recording's files, or a pointer.

    Raises
    ------
    CohortError
        Naming both.
    """
    own = name_entities(file.path.name)
    for other in opened[1:]:
        theirs = name_entities(other.name)
        if any(theirs.get(key, value) != value for key, value in own.items()):
            reason = f"its header opens {other.name!r}, which is another recording's"
            raise unusable(dataset, file, reason)
        if is_pointer(other):
            raise unusable(dataset, file, f"the content of {other.name!r} is not here")


def refuse_shared(dataset: str, recordings: Iterable[tuple[RecordingFile, Sequence[Path]]]) -> None:
    """Refuse recordings of which two are read from one file.

    Raises
    ------
    CohortError
        Naming the first.
    """
    owners: dict[Path, RecordingFile] = {}
    for file, opened in recordings:
        for path in opened:
            owner = owners.setdefault(path, file)
            if owner is not file:
                reason = f"it is read from {path.name!r}, as {owner.path.name!r} is"
                raise unusable(dataset, file, reason)

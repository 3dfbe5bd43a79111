"""What a BIDS folder holds, by its names and tables alone: subjects, targets, tasks, recordings.

Everything that can be wrong with a folder is found here, before a signal is read or a package that
reads signals is imported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pfactor_bench.cohorts.assemble import listed
from pfactor_bench.cohorts.tables import same_but_spelling
from pfactor_bench.errors import CohortError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pandas as pd

__all__ = [
    "RecordingFile",
    "choose_task",
    "is_pointer",
    "leave_out",
    "list_recordings",
    "refuse_empty",
    "unusable",
]

#: The formats that BIDS allows for EEG.
_EXTENSIONS = frozenset({".bdf", ".edf", ".set", ".vhdr"})


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordingFile:
    """One recording as its file name describes it.

    Parameters
    ----------
    path
        Where it is; the file may be a link to content that was never fetched.
    subject
        With its prefix, ``"sub-00"``.
    task
        None where the name has none.
    """

    path: Path
    subject: str
    task: str | None

    @property
    def is_here(self) -> bool:
        """Whether its content is here, not only a link to it or a pointer in its place."""
        return self.path.exists() and not is_pointer(self.path)


def list_recordings(folder: Path) -> list[RecordingFile]:
    """Return the EEG recordings of a data set, sorted by path.

    Raises
    ------
    CohortError
        If there is none, or one does not lie where BIDS puts it.
    """
    files = [
        RecordingFile(path=path, subject=path.relative_to(folder).parts[0], task=_task_of(path))
        for path in sorted(folder.glob("sub-*/**/*_eeg.*"))
        if path.suffix.lower() in _EXTENSIONS and not _is_hidden(path.relative_to(folder))
    ]
    if not files:
        raise CohortError(
            f"data set {folder.name!r} holds no EEG recording: expected files such as "
            f"sub-00/eeg/sub-00_task-rest_eeg.edf"
        )
    misplaced = [
        file.path.name
        for file in files
        if file.path.parent.name != "eeg" or not file.path.name.startswith(f"{file.subject}_")
    ]
    if misplaced:
        raise CohortError(
            f"{len(misplaced)} recordings of data set {folder.name!r} are not where BIDS puts them "
            f"({listed(misplaced)}): expected paths such as sub-00/eeg/sub-00_task-rest_eeg.edf"
        )
    return files


def choose_task(dataset: str, files: Iterable[RecordingFile], task: str | None) -> str | None:
    """Return the task to load: the one asked for, or the only one there is.

    Parameters
    ----------
    dataset
        The data set's name, for messages.
    files
        Its recordings.
    task
        What was asked for.

    Raises
    ------
    CohortError
        If no recording has that task, or none was asked for and there are several: they are
        never pooled unasked.
    """
    tasks = {file.task for file in files}
    shown = ", ".join(sorted(map(repr, tasks)))
    if task is not None and task not in tasks:
        raise CohortError(
            f"no recording of data set {dataset!r} has task {task!r}: its tasks are {shown}"
        )
    if task is None and len(tasks) > 1:
        raise CohortError(f"data set {dataset!r} holds several tasks ({shown}): choose one as task")
    return task if task is not None else next(iter(tasks))


def leave_out(
    dataset: str,
    subjects: pd.DataFrame,
    files: Sequence[RecordingFile],
    *,
    target: str,
    exclude: Sequence[str],
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the subjects that can take part, and a note for every reason to leave others out.

    Parameters
    ----------
    dataset
        The data set's name, for messages.
    subjects
        From `pfactor_bench.cohorts.bids.participants.read_participants`, targets already numbers.
    files
        The recordings of the task.
    target
        The column of targets.
    exclude
        Subjects to leave out by name.

    Raises
    ------
    CohortError
        If `exclude` names a subject who is not there, or nobody is left because names are spelt in
        two ways.
    """
    known = set(subjects.index)
    for name in exclude:
        if name not in known:
            raise CohortError(f"cannot exclude unknown subject {name!r}{did_you_mean(name, known)}")
    recorded = {file.subject for file in files}
    absent = [file for file in files if not file.is_here]
    fetched = {file.subject for file in files if file not in absent}
    evaluated = set(subjects.index[subjects[target].notna()])
    reasons = (
        ("excluded by name", known & set(exclude)),
        (f"without {target} left out", known - evaluated),
        ("without a recording of the task left out", known - recorded),
        ("whose recordings are links to files that are not here left out", recorded - fetched),
        ("with a recording but no row in participants.tsv left out", recorded - known),
    )
    notes: list[str] = []
    told: set[str] = set()
    for reason, affected in reasons:
        if names := sorted(affected - told):
            notes.append(f"{len(names)} subjects {reason}: {listed(names)}")
            told |= affected
    kept = (fetched & evaluated) - set(exclude)
    if runs := [file.path.name for file in absent if file.subject in kept]:
        notes.append(f"{len(runs)} recordings whose content is not here left out: {listed(runs)}")
    if pairs := same_but_spelling(recorded - known, known - recorded):
        shown = listed([f"{folder} and {row}" for folder, row in pairs])
        told_apart = (
            f"{len(pairs)} folders and rows of participants.tsv differ in case or zeros only and "
            f"are not taken for the same subject: {shown}"
        )
        if not kept:
            raise CohortError(
                f"no subject of data set {dataset!r} is left: {told_apart}; name both alike"
            )
        notes.append(told_apart)
    return subjects.loc[subjects.index.isin(kept)], tuple(notes)


def refuse_empty(dataset: str, files: Iterable[RecordingFile]) -> None:
    """Raise if a recording is a file without content, as a broken download leaves behind.

    Raises
    ------
    CohortError
        Naming the first one.
    """
    for file in files:
        if file.path.stat().st_size == 0:
            raise unusable(dataset, file, "the file is empty")


def unusable(dataset: str, file: RecordingFile, reason: object) -> CohortError:
    """Return the error for a recording that cannot be used: which, why, and what to do."""
    return CohortError(
        f"cannot use recording {file.path.name!r} of data set {dataset!r}: {reason}; fetch or "
        f"repair the file, or leave the subject out with exclude: [{file.subject}]"
    )


def is_pointer(path: Path) -> bool:
    """Return whether a file holds, in place of content, where git-annex or Git LFS has it."""
    try:
        with path.open("rb") as stream:
            head = stream.read(200)
    except OSError:
        # Whoever reads it says why it cannot be read.
        return False
    return b"/annex/objects/" in head or head.startswith(b"version https://git-lfs")


def _is_hidden(path: Path) -> bool:
    """Return whether it is what systems leave beside other files, such as ``._sub-00_eeg.edf``."""
    return any(part.startswith(".") for part in path.parts)


def _task_of(path: Path) -> str | None:
    found = re.search(r"_task-([^_]+)_", path.name)
    return found.group(1) if found else None

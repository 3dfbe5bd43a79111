"""From the recordings of a BIDS folder to windows, several at a time.

With a store, each recording is prepared once and the windows stay on disk; without one they are
held in memory. The samples are the same.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pfactor_bench.cohorts.assemble import listed
from pfactor_bench.cohorts.bids.opened import opened_files, refuse_shared
from pfactor_bench.cohorts.bids.recording import eeg_channels, prepare_recording
from pfactor_bench.cohorts.bids.store import DamagedEntryError
from pfactor_bench.errors import CohortError
from pfactor_bench.terminal.bar import progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from pfactor_bench.cohorts.bids.folder import RecordingFile
    from pfactor_bench.cohorts.bids.preprocessing import Preparation
    from pfactor_bench.cohorts.bids.recording import Windows
    from pfactor_bench.cohorts.bids.store import WindowsStore

__all__ = ["JOBS_VARIABLE", "Prepared", "prepare"]

#: The environment variable that says how many recordings are prepared at a time.
JOBS_VARIABLE = "PFACTOR_BENCH_JOBS"

#: Less than this for each process is read and prepared before further ones have started.
_BYTES_PER_JOB = 500e6


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Prepared:
    """The windows of many recordings.

    Parameters
    ----------
    X
        Float32, shape ``(n_windows, n_chans, n_times)``, in microvolts; a memory map with a store.
    table
        A row per window, with `pfactor_bench.cohorts.assemble.WINDOW_COLUMNS`.
    ch_names
        The channels of `X`.
    notes
        Recordings left out or cut, and what the readers warned of.
    """

    X: NDArray[np.float32]
    table: pd.DataFrame
    ch_names: tuple[str, ...]
    notes: tuple[str, ...]


def prepare(
    dataset: str,
    files: Sequence[RecordingFile],
    preparation: Preparation,
    *,
    store: WindowsStore | None = None,
    drop_if_flat: Sequence[str] = (),
) -> Prepared:
    """Read, prepare and cut recordings.

    Parameters
    ----------
    dataset
        The data set's name, for messages.
    files
        Its recordings to load.
    preparation
        What to do with each.
    store
        Where windows are kept; None keeps them in memory.
    drop_if_flat
        Channels that are left out if they are flat in every recording.

    Raises
    ------
    CohortError
        Naming the first recording that cannot be used.
    """
    if not preparation.channels:
        preparation = replace(preparation, channels=eeg_channels(dataset, files[0]))
    work = _results(dataset, files, preparation, store)
    results = list(progress_bar(work, total=len(files), desc=dataset, unit="recording"))
    refuse_shared(dataset, [(done.file, done.opened) for done in results])
    kept = [done for done in results if len(done.windows.start)]
    if not kept:
        why = _notes(results) or ("it is shorter than a window",)
        raise CohortError(
            f"every recording of data set {dataset!r} is shorter than a window or left out: "
            f"{why[0]}"
        )
    names, positions, dropped = _channels(kept, preparation.channels, drop_if_flat)
    if store is None:
        X = np.concatenate([done.windows.X for done in kept])
        X = X if len(positions) == X.shape[1] else X[:, positions]
    else:
        X = _join(store, kept, positions)
    return Prepared(
        X=X,
        table=pd.concat([_table(done, preparation) for done in kept], ignore_index=True),
        ch_names=names,
        notes=(*_notes(results), *dropped),
    )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Done:
    """A recording that is prepared; `key` is empty without a store."""

    file: RecordingFile
    opened: tuple[Path, ...]
    key: str
    windows: Windows
    repaired: bool


def _results(
    dataset: str,
    files: Sequence[RecordingFile],
    preparation: Preparation,
    store: WindowsStore | None,
) -> Iterable[_Done]:
    """Return each recording's result in order, as soon as it is there."""
    n_jobs = _jobs(files)
    if n_jobs == 1:
        return (_one(dataset, file, preparation, store) for file in files)
    from joblib import Parallel, delayed

    # Processes, since MNE holds the interpreter; loky's, which need nothing of the caller's script.
    parallel = Parallel(n_jobs=n_jobs, return_as="generator", backend="loky")
    outcomes: Iterator[_Done] = parallel(
        delayed(_one)(dataset, file, preparation, store) for file in files
    )
    return outcomes


def _jobs(files: Sequence[RecordingFile]) -> int:
    """Return how many processes to use."""
    from joblib import cpu_count

    asked = os.environ.get(JOBS_VARIABLE)
    if asked is None:
        n_bytes = sum(file.path.stat().st_size for file in files)
        return max(1, min(int(cpu_count()), int(n_bytes / _BYTES_PER_JOB)))
    if not asked.isdigit() or int(asked) < 1:
        raise CohortError(f"{JOBS_VARIABLE} is {asked!r}: give a number of processes, 1 or more")
    return int(asked)


def _one(
    dataset: str, file: RecordingFile, preparation: Preparation, store: WindowsStore | None
) -> _Done:
    """Return a recording's windows, and whether a damaged entry had to be replaced."""
    opened = opened_files(dataset, file)
    if store is None:
        windows = prepare_recording(dataset, file, preparation)
        return _Done(file=file, opened=opened, key="", windows=windows, repaired=False)
    key, repaired = store.key(file, opened, preparation), False
    with store.claimed(key):
        try:
            found = store.read(key)
        except DamagedEntryError:
            store.remove(key)
            found, repaired = None, True
        if found is None:
            found = prepare_recording(dataset, file, preparation)
            store.write(key, found)
    windows = found.without_samples()
    return _Done(file=file, opened=opened, key=key, windows=windows, repaired=repaired)


def _join(
    store: WindowsStore, kept: Sequence[_Done], positions: Sequence[int]
) -> NDArray[np.float32]:
    try:
        return store.join([done.key for done in kept], positions)
    except DamagedEntryError as error:
        raise CohortError(
            f"the windows store {str(store.folder)!r} changed while it was read ({error}): the "
            f"disk may be failing; run again to prepare what is damaged anew"
        ) from error


def _channels(
    kept: Sequence[_Done], channels: Sequence[str], drop_if_flat: Sequence[str]
) -> tuple[tuple[str, ...], list[int], list[str]]:
    """Return the channels to keep by name and position, and notes about the flat ones."""
    flat = Counter(name for done in kept for name in done.windows.flat)
    dropped = [name for name in drop_if_flat if flat[name] == len(kept)]
    positions = [at for at, name in enumerate(channels) if name not in dropped]
    notes = [
        f"channel {name} is flat in all {len(kept)} recordings, as the recording reference is, and "
        f"was left out"
        for name in dropped
    ]
    for name, count in flat.items():
        if count < len(kept):
            where = [done.file.path.name for done in kept if name in done.windows.flat]
            notes.append(f"channel {name} is flat in {count} recordings: {listed(where)}")
    return tuple(channels[at] for at in positions), positions, notes


def _notes(results: Sequence[_Done]) -> tuple[str, ...]:
    """Return what readers must know of the recordings: each kind of news once, with names."""
    reader_warnings = Counter(text for done in results for text in done.windows.reader_warnings)
    notes = [
        f"{count} recordings were read with a warning: {text}"
        for text, count in reader_warnings.items()
    ]
    notes += [
        f"recording {done.file.path.name} {text}" for done in results for text in done.windows.said
    ]
    short = [
        done.file.path.name
        for done in results
        if not len(done.windows.start) and not done.windows.said
    ]
    if short:
        notes.append(f"{len(short)} recordings shorter than a window left out: {listed(short)}")
    notes += [*_differences("sampling rate", 0, results), *_differences("reference", 1, results)]
    repaired = [done.file.path.name for done in results if done.repaired]
    if repaired:
        notes.append(
            f"{len(repaired)} entries of the windows store were damaged and prepared anew: "
            f"{listed(repaired)}"
        )
    return tuple(notes)


def _differences(what: str, position: int, results: Sequence[_Done]) -> Iterator[str]:
    """Say which recordings differ in something from most of the others; a gap is no difference."""
    found = [(done.windows.setup[position], done.file.path.name) for done in results]
    groups = Counter(value for value, _ in found if value.lower() not in {"", "n/a"})
    if len(groups) > 1:
        counts = ", ".join(f"{value} in {count}" for value, count in groups.most_common())
        others = {value for value, _ in groups.most_common()[1:]}
        names = listed([name for value, name in found if value in others])
        yield f"recordings differ in their {what} ({counts}), which marks their sites: {names}"


def _table(done: _Done, preparation: Preparation) -> pd.DataFrame:
    stem = done.file.path.stem.removesuffix("_eeg")
    entities = dict(re.findall(r"(ses|run)-([A-Za-z0-9]+)", stem))
    return pd.DataFrame(
        {
            "sample_id": [f"{stem}__w{window:03d}" for window in range(len(done.windows.start))],
            "subject": done.file.subject,
            "session": entities.get("ses", ""),
            "run": entities.get("run", ""),
            "task": done.file.task or "",
            "start": done.windows.start,
            "stop": done.windows.start + preparation.window_samples,
        }
    )

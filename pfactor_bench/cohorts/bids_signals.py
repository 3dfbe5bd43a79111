"""From the recordings of a BIDS folder to windows in microvolts.

EEGDash finds the recordings and braindecode prepares them. The packages that read signals take
seconds to import and reconfigure logging and warnings, so they are imported in here and kept quiet.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from pfactor_bench.cohorts.assemble import listed
from pfactor_bench.cohorts.bids_folder import unusable
from pfactor_bench.errors import CohortError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from pfactor_bench.cohorts.bids_folder import RecordingFile

__all__ = ["Preparation", "prepare"]

_MICROVOLTS_PER_VOLT = 1e6

#: How MNE begins to say that an EDF file ends before its header says so.
_CUT_SHORT = "Number of records from the header does not match the file"


@dataclass(frozen=True, kw_only=True, slots=True)
class Preparation:
    """How every recording is prepared.

    Parameters
    ----------
    sfreq
        Rate to resample to, in Hz.
    l_freq, h_freq
        Pass band in Hz; None leaves that side open.
    window_samples
        Length of a window at `sfreq`.
    """

    sfreq: float
    l_freq: float | None
    h_freq: float | None
    window_samples: int


def prepare(
    folder: Path,
    files: Sequence[RecordingFile],
    channels: Sequence[str] | None,
    preparation: Preparation,
) -> tuple[NDArray[np.float32], pd.DataFrame, tuple[str, ...], tuple[str, ...]]:
    """Read, prepare and cut recordings one by one, so that memory holds one of them.

    Parameters
    ----------
    folder
        Of the data set, resolved.
    files
        Its recordings to load, all of one task.
    channels
        Names in the order wanted; None takes the EEG channels of the first recording.
    preparation
        What to do with each.

    Returns
    -------
    X : ndarray of float32, shape (n_windows, n_chans, n_times)
        In microvolts.
    table : DataFrame
        A row per window, with `pfactor_bench.cohorts.assemble.WINDOW_COLUMNS`.
    ch_names : tuple of str
        The channels of `X`.
    notes : tuple of str
        Recordings left out, and what was heard while reading.

    Raises
    ------
    CohortError
        Naming the first recording that cannot be used.
    """
    windows: list[NDArray[np.float32]] = []
    tables: list[pd.DataFrame] = []
    short: list[str] = []
    heard: Counter[str] = Counter()
    pairs = list(zip(files, _find_recordings(folder, files), strict=True))
    hidden = True if os.environ.get("CI") else None
    for file, recording in tqdm(pairs, desc=folder.name, unit="recording", disable=hidden):
        with _blaming(folder.name, file), _listening(heard):
            recording.raw = _open(file.path)
            channels = channels or _eeg_channels(file.path, recording.raw)
            _check_channels(folder.name, file, recording.raw, channels)
            _check_samples(folder.name, file, recording.raw, channels)
            X = _cut(recording, channels, preparation)
        recording.raw = None
        if len(X) == 0:
            short.append(file.path.name)
            continue
        windows.append(X)
        tables.append(_table(file, recording.record["entities"], *X.shape[::2]))
    if not windows:
        raise CohortError(f"every recording of data set {folder.name!r} is shorter than a window")
    notes = [
        f"{count} recordings were read with a warning: {text}" for text, count in heard.items()
    ]
    if short:
        notes.append(f"{len(short)} recordings shorter than a window left out: {listed(short)}")
    table = pd.concat(tables, ignore_index=True)
    return np.concatenate(windows), table, tuple(channels or ()), tuple(notes)


def _find_recordings(folder: Path, files: Sequence[RecordingFile]) -> list[Any]:
    """Return EEGDash's recording of each file."""
    with _kept_logging(), warnings.catch_warnings():
        # Where a warning is an error, EEGDash takes it for a missing table and says nothing.
        warnings.simplefilter("ignore")
        from eegdash import EEGDashDataset

        found = EEGDashDataset(
            dataset=folder.name,
            cache_dir=folder.parent,
            download=False,
            modality="eeg",
            _suppress_comp_warning=True,
            **({"task": files[0].task} if files[0].task else {}),
        )
    by_path = {folder / recording.record["bids_relpath"]: recording for recording in found.datasets}
    missed = [file.path.name for file in files if file.path not in by_path]
    if missed:
        raise CohortError(
            f"EEGDash does not recognise {len(missed)} recordings of data set {folder.name!r} "
            f"({listed(missed)}): name and place them as BIDS asks"
        )
    return [by_path[file.path] for file in files]


def _open(path: Path) -> Any:  # noqa: ANN401 - MNE has no types
    """Open a recording with MNE alone.

    EEGDash's own reader rewrites tables of the folder that it finds fault with, participants.tsv
    among them, and does not let MNE say that a file is cut short. An audit leaves data as they are.
    """
    import mne

    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=_CUT_SHORT)
        return mne.io.read_raw(path)


def _channel_kinds(path: Path, raw: Any) -> dict[str, str]:  # noqa: ANN401 - MNE has no types
    """Return each channel's kind: the file's, unless channels.tsv knows that it is no EEG."""
    kinds = dict(zip(raw.ch_names, raw.get_channel_types(), strict=True))
    sidecar = path.with_name(path.name.replace(f"_eeg{path.suffix}", "_channels.tsv"))
    if sidecar.is_file():
        table = pd.read_csv(
            sidecar, sep="\t", dtype=str, encoding="utf-8-sig", usecols=["name", "type"]
        ).dropna()
        for name, kind in zip(table["name"], table["type"].str.lower(), strict=True):
            if name in kinds and kind != "eeg":
                kinds[name] = kind
    return kinds


def _eeg_channels(path: Path, raw: Any) -> list[str]:  # noqa: ANN401 - MNE has no types
    return [name for name, kind in _channel_kinds(path, raw).items() if kind == "eeg"]


def _check_channels(
    dataset: str,
    file: RecordingFile,
    raw: Any,  # noqa: ANN401 - MNE has no types
    channels: Sequence[str],
) -> None:
    kinds = _channel_kinds(file.path, raw)
    for name in channels:
        if name not in kinds:
            raise CohortError(
                f"recording {file.path.name!r} of data set {dataset!r} has no channel {name!r}"
                f"{did_you_mean(name, kinds)}"
            )
        if kinds[name] != "eeg":
            raise CohortError(
                f"channel {name!r} of recording {file.path.name!r} of data set {dataset!r} is of "
                f"type {kinds[name]!r}: leave it out of channels, only EEG is filtered and scaled"
            )


def _check_samples(
    dataset: str,
    file: RecordingFile,
    raw: Any,  # noqa: ANN401 - MNE has no types
    channels: Sequence[str],
) -> None:
    """Find samples that are no numbers before the filter spreads them over the recording."""
    for name, samples in zip(channels, raw.get_data(picks=list(channels)), strict=True):
        broken = np.flatnonzero(~np.isfinite(samples))
        if len(broken):
            seconds = broken[0] / raw.info["sfreq"]
            reason = (
                f"channel {name!r} holds {len(broken)} NaN or infinite samples from {seconds:g} s"
            )
            raise unusable(dataset, file, reason)


def _cut(
    recording: Any,  # noqa: ANN401 - EEGDash has no types
    channels: Sequence[str],
    preparation: Preparation,
) -> NDArray[np.float32]:
    """Prepare an opened recording in the case study's order and return its windows."""
    from braindecode.datasets import BaseConcatDataset
    from braindecode.preprocessing import (
        Preprocessor,
        create_fixed_length_windows,
        preprocess,
    )

    alone = BaseConcatDataset([recording])
    steps = [
        # First, so that no time goes into channels that nobody asked for.
        Preprocessor("pick_channels", apply_on_array=False, ch_names=list(channels), ordered=True),
        Preprocessor("resample", apply_on_array=False, sfreq=preparation.sfreq),
        Preprocessor(
            "filter", apply_on_array=False, l_freq=preparation.l_freq, h_freq=preparation.h_freq
        ),
        Preprocessor(_to_microvolts),
    ]
    preprocess(alone, steps)
    length = preparation.window_samples
    if recording.raw.n_times < length:
        return np.empty((0, len(channels), length), dtype=np.float32)
    cut = create_fixed_length_windows(
        alone,
        window_size_samples=length,
        window_stride_samples=length,
        on_last_window="drop",
        preload=False,
    )
    return np.stack([window for window, *_ in cut], dtype=np.float32)


def _to_microvolts(volts: NDArray[np.float64]) -> NDArray[np.float64]:
    return volts * _MICROVOLTS_PER_VOLT


def _table(
    file: RecordingFile, entities: Mapping[str, str | None], n_windows: int, window_samples: int
) -> pd.DataFrame:
    # Not from EEGDash's description: there a participant's column named "run" becomes the run.
    stem = file.path.stem.removesuffix("_eeg")
    start = np.arange(n_windows) * window_samples
    return pd.DataFrame(
        {
            "sample_id": [f"{stem}__w{window:03d}" for window in range(n_windows)],
            "subject": file.subject,
            "session": entities.get("session") or "",
            "run": entities.get("run") or "",
            "task": file.task or "",
            "start": start,
            "stop": start + window_samples,
        }
    )


@contextmanager
def _blaming(dataset: str, file: RecordingFile) -> Iterator[None]:
    """Turn whatever a reader raises into an error that names the recording."""
    try:
        yield
    except CohortError:
        raise
    except Exception as error:
        raise unusable(dataset, file, error) from error


@contextmanager
def _listening(heard: Counter[str]) -> Iterator[None]:
    """Collect what readers warn of, so that it reaches the report and not the terminal."""
    import mne

    with warnings.catch_warnings(record=True) as caught, mne.use_log_level("WARNING"):
        warnings.simplefilter("always")
        for about_code in (DeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", about_code)
        yield
    heard.update({" ".join(str(warning.message).split()) for warning in caught})


@contextmanager
def _kept_logging() -> Iterator[None]:
    """Undo what importing EEGDash does to the root logger, which is the user's."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)

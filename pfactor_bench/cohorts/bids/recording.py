"""One recording, from its file to windows in microvolts.

Everything here happens in whichever process prepares the recording. Channels are picked before
anything else, so that no time goes into those that nobody asked for.
"""

from __future__ import annotations

import csv
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.cohorts.bids.folder import unusable
from pfactor_bench.cohorts.bids.task_events import find_stretch
from pfactor_bench.errors import CohortError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from pfactor_bench.cohorts.bids.folder import RecordingFile
    from pfactor_bench.cohorts.bids.preprocessing import Preparation
    from pfactor_bench.cohorts.bids.task_events import Stretch

__all__ = ["Windows", "eeg_channels", "prepare_recording"]

_MICROVOLTS_PER_VOLT = 1e6

#: How MNE begins to say that an EDF file ends before its header says so.
_CUT_SHORT = "Number of records from the header does not match the file"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Windows:
    """What is left of a recording.

    Parameters
    ----------
    X
        Float32, shape ``(n_windows, n_chans, n_times)``, in microvolts.
    start
        First sample of each window in the resampled recording, shape ``(n_windows,)``.
    flat
        Channels that never vary.
    reader_warnings
        What the reader warned of.
    said
        What was left out of the recording, or why nothing is left of it.
    """

    X: NDArray[np.float32]
    start: NDArray[np.int64]
    flat: tuple[str, ...] = ()
    reader_warnings: tuple[str, ...] = ()
    said: tuple[str, ...] = ()

    def without_samples(self) -> Windows:
        """Return the same without `X`, to be handed from process to process."""
        return replace(self, X=self.X[:0].copy())


def prepare_recording(dataset: str, file: RecordingFile, preparation: Preparation) -> Windows:
    """Read a recording, cut it to its task, resample, filter, scale, and cut it into windows.

    Parameters
    ----------
    dataset
        The data set's name, for messages.
    file
        The recording.
    preparation
        What to do with it.

    Raises
    ------
    CohortError
        If it cannot be used, whatever the reader raised.
    """
    reader_warnings: list[str] = []
    flat: tuple[str, ...] = ()
    with _blaming(dataset, file), _listening(reader_warnings):
        raw = _open(file.path)
        _check_channels(dataset, file, raw, preparation.channels)
        raw.pick(list(preparation.channels))
        stretch = find_stretch(file.path, raw, preparation.events)
        seconds = stretch.stop - stretch.start
        if seconds * preparation.sfreq < preparation.window_samples:
            X, start = _nothing(preparation), np.zeros(0, dtype=np.int64)
        else:
            if seconds < raw.n_times / raw.info["sfreq"]:
                raw.crop(tmin=stretch.start, tmax=stretch.stop, include_tmax=False)
            raw.load_data()
            _check_samples(dataset, file, raw)
            flat = _flat_channels(raw)
            X, start = _cut(raw, stretch, preparation)
    return Windows(
        X=X, start=start, flat=flat, reader_warnings=tuple(reader_warnings), said=stretch.said
    )


def eeg_channels(dataset: str, file: RecordingFile) -> tuple[str, ...]:
    """Return the EEG channels of a recording, in its own order.

    Raises
    ------
    CohortError
        If it cannot be read.
    """
    with _blaming(dataset, file), _listening([]):
        kinds = _channel_kinds(file.path, _open(file.path))
    return tuple(name for name, kind in kinds.items() if kind == "eeg")


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
        with sidecar.open(encoding="utf-8-sig", newline="") as stream:
            # Not with pandas, which takes as long for a table of eight rows as reading the signal.
            rows = csv.DictReader(stream, delimiter="\t")
            missing = [name for name in ("name", "type") if name not in (rows.fieldnames or ())]
            if missing:
                raise ValueError(f"{sidecar.name} has no columns {missing}")
            for row in rows:
                name, kind = row["name"], (row["type"] or "").lower()
                if name in kinds and kind not in {"eeg", "", "n/a"}:
                    kinds[name] = kind
    return kinds


def _check_channels(
    dataset: str,
    file: RecordingFile,
    raw: Any,  # noqa: ANN401 - MNE has no types
    channels: Sequence[str],
) -> None:
    kinds: Mapping[str, str] = _channel_kinds(file.path, raw)
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
) -> None:
    """Find samples that are no numbers before the filter spreads them over the recording."""
    for name, samples in zip(raw.ch_names, raw.get_data(), strict=True):
        broken = np.flatnonzero(~np.isfinite(samples))
        if len(broken):
            seconds = broken[0] / raw.info["sfreq"]
            reason = (
                f"channel {name!r} holds {len(broken)} NaN or infinite samples from {seconds:g} s"
            )
            raise unusable(dataset, file, reason)


def _flat_channels(raw: Any) -> tuple[str, ...]:  # noqa: ANN401 - MNE has no types
    # Before filtering, which leaves rounding errors where a constant was.
    varies = np.ptp(raw.get_data(), axis=1) > 0
    return tuple(name for name, alive in zip(raw.ch_names, varies, strict=True) if not alive)


def _cut(
    raw: Any,  # noqa: ANN401 - MNE has no types
    stretch: Stretch,
    preparation: Preparation,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Prepare loaded samples in the case study's order, and return windows with their starts."""
    raw.resample(preparation.sfreq)
    raw.filter(preparation.l_freq, preparation.h_freq)
    samples, length = raw.get_data(), preparation.window_samples
    first: list[int] = []
    for begin, end in stretch.blocks or ((0.0, np.inf),):
        at = round(begin * preparation.sfreq)
        until = min(end * preparation.sfreq, samples.shape[1])
        first += range(at, round(until) - length + 1, length)
    if not first:
        return _nothing(preparation), np.zeros(0, dtype=np.int64)
    X = np.empty((len(first), len(samples), length), dtype=np.float32)
    for window, at in zip(X, first, strict=True):
        window[:] = samples[:, at : at + length] * _MICROVOLTS_PER_VOLT
    return X, np.array(first, dtype=np.int64) + round(stretch.start * preparation.sfreq)


def _nothing(preparation: Preparation) -> NDArray[np.float32]:
    return np.empty((0, len(preparation.channels), preparation.window_samples), dtype=np.float32)


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
def _listening(reader_warnings: list[str]) -> Iterator[None]:
    """Collect what readers warn of, so that it reaches the report and not the terminal."""
    import mne

    with warnings.catch_warnings(record=True) as caught, mne.use_log_level("WARNING"):
        warnings.simplefilter("always")
        for about_code in (DeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", about_code)
        yield
    reader_warnings += dict.fromkeys(" ".join(str(warning.message).split()) for warning in caught)

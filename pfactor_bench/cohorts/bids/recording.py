"""One recording, from its file to windows in microvolts.

Everything here happens in whichever process prepares the recording. Channels are picked before
anything else, so that no time goes into those that nobody asked for.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.cohorts.assemble import listed
from pfactor_bench.cohorts.bids.channels import channel_kinds, scale
from pfactor_bench.cohorts.bids.folder import unusable
from pfactor_bench.cohorts.bids.reading import open_raw, read_recording
from pfactor_bench.cohorts.bids.sidecars import read_channels
from pfactor_bench.cohorts.bids.stretches import split
from pfactor_bench.cohorts.bids.task_events import find_stretch
from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pfactor_bench.cohorts.bids.folder import RecordingFile
    from pfactor_bench.cohorts.bids.preprocessing import Preparation
    from pfactor_bench.cohorts.bids.reading import Reading
    from pfactor_bench.cohorts.bids.task_events import Stretch

__all__ = ["Windows", "eeg_channels", "prepare_recording"]

_MICROVOLTS_PER_VOLT = 1e6


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
    setup
        Its sampling rate and reference.
    """

    X: NDArray[np.float32]
    start: NDArray[np.int64]
    flat: tuple[str, ...] = ()
    reader_warnings: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()

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
    with _blaming(dataset, file), _listening(reader_warnings):
        windows = _windows(dataset, file, preparation)
    return replace(windows, reader_warnings=(*reader_warnings, *windows.reader_warnings))


def eeg_channels(dataset: str, file: RecordingFile) -> tuple[str, ...]:
    """Return the EEG channels of a recording, in its own order.

    Raises
    ------
    CohortError
        If it cannot be read.
    """
    with _blaming(dataset, file), _listening([]):
        kinds = channel_kinds(open_raw(file.path), read_channels(file))
    return tuple(name for name, kind in kinds.items() if kind == "eeg")


def _windows(dataset: str, file: RecordingFile, preparation: Preparation) -> Windows:
    reading = read_recording(dataset, file, preparation)
    nothing = Windows(
        X=np.empty((0, len(preparation.channels), preparation.window_samples), dtype=np.float32),
        start=np.zeros(0, dtype=np.int64),
        reader_warnings=reading.reader_warnings,
        setup=reading.setup,
    )
    if reading.bad:
        why = f"left out: it has channels that are marked bad, {listed(reading.bad)}"
        return replace(nothing, said=(why,))
    timeline, raw = reading.timeline, reading.raw
    stretch = find_stretch(raw.n_times / raw.info["sfreq"], timeline.events, preparation.events)
    holes = timeline.bad if preparation.bad_segments == "drop" else ()
    pieces = split(stretch.start, stretch.stop, timeline.cuts, holes)
    long = [
        (begin, end)
        for begin, end in pieces
        if round((end - begin) * preparation.sfreq, 6) >= preparation.window_samples
    ]
    said = (*stretch.said, *_left_out(stretch, timeline.bad, pieces, long, preparation))
    cut = [_cut(reading, piece, stretch, preparation) for piece in long]
    if not cut:
        return replace(nothing, said=said)
    varying = {name for part in cut for name in part.varying}
    return replace(
        nothing,
        X=np.concatenate([part.X for part in cut]),
        start=np.concatenate([part.start for part in cut]),
        flat=tuple(name for name in preparation.channels if name not in varying),
        said=said,
    )


def _left_out(
    stretch: Stretch,
    bad: Sequence[tuple[float, float]],
    pieces: Sequence[tuple[float, float]],
    long: Sequence[tuple[float, float]],
    preparation: Preparation,
) -> Iterator[str]:
    """Say what of a stretch is marked bad, and what lies between cuts that are too close."""
    good = split(stretch.start, stretch.stop, (), bad)
    seconds = stretch.stop - stretch.start - sum(b - a for a, b in good)
    if bad and seconds:
        what = {"drop": "left out", "keep": "kept"}[preparation.bad_segments]
        yield f"has {seconds:.1f} s that are marked bad, which were {what}"
    lost = sum(b - a for a, b in pieces) - sum(b - a for a, b in long)
    if len(pieces) > 1 and lost:
        yield f"has {lost:.1f} s in pieces shorter than a window, which were left out"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Cut:
    """Windows of one piece, their starts in the recording, and the channels that vary in it."""

    X: NDArray[np.float32]
    start: NDArray[np.int64]
    varying: tuple[str, ...]


def _cut(
    reading: Reading,
    piece: tuple[float, float],
    stretch: Stretch,
    preparation: Preparation,
) -> _Cut:
    """Prepare a piece in the case study's order, and cut it into windows."""
    begin, end = piece
    raw = reading.raw.copy()
    if end - begin < raw.n_times / raw.info["sfreq"]:
        raw.crop(tmin=begin, tmax=end, include_tmax=False)
    raw.load_data()
    _check_samples(raw, begin)
    # Before filtering, which leaves rounding errors where a constant was.
    varies = np.ptp(raw.get_data(), axis=1) > 0
    scale(raw, reading.factors)
    raw.resample(preparation.sfreq)
    raw.filter(preparation.l_freq, preparation.h_freq)
    samples, length = raw.get_data(), preparation.window_samples
    offset = begin - stretch.start
    first: list[int] = []
    for opens, closes in stretch.blocks or ((0.0, np.inf),):
        at = round(max(opens - offset, 0.0) * preparation.sfreq)
        until = min((closes - offset) * preparation.sfreq, samples.shape[1])
        first += range(at, round(until) - length + 1, length)
    X = np.empty((len(first), len(samples), length), dtype=np.float32)
    for window, at in zip(X, first, strict=True):
        window[:] = samples[:, at : at + length] * _MICROVOLTS_PER_VOLT
    return _Cut(
        X=X,
        start=np.array(first, dtype=np.int64) + round(begin * preparation.sfreq),
        varying=tuple(name for name, alive in zip(raw.ch_names, varies, strict=True) if alive),
    )


def _check_samples(
    raw: Any,  # noqa: ANN401 - MNE has no types
    begin: float,
) -> None:
    """Find samples that are no numbers before the filter spreads them over the recording."""
    for name, samples in zip(raw.ch_names, raw.get_data(), strict=True):
        broken = np.flatnonzero(~np.isfinite(samples))
        if len(broken):
            seconds = begin + broken[0] / raw.info["sfreq"]
            raise ValueError(
                f"channel {name!r} holds {len(broken)} NaN or infinite samples from {seconds:g} s"
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
def _listening(reader_warnings: list[str]) -> Iterator[None]:
    """Collect what readers warn of, so that it reaches the report and not the terminal."""
    import mne

    with warnings.catch_warnings(record=True) as caught, mne.use_log_level("WARNING"):
        warnings.simplefilter("always")
        for about_code in (DeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", about_code)
        yield
    reader_warnings += dict.fromkeys(" ".join(str(warning.message).split()) for warning in caught)

"""What the classical baselines see of a subject: band power, noise, amount of data, age, sex."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.cohorts.memory_maps import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from pfactor_bench.types import Cohort, InjectedSignal

#: Half-open bands in Hz: delta, theta, alpha, beta, low gamma.
BANDS = ((1.0, 4.0), (4.0, 8.0), (8.0, 13.0), (13.0, 30.0), (30.0, 45.0))

#: Added to powers so that a flat channel has a logarithm; far below any power in V² or µV².
_TINY = 1e-30


def subject_means(
    features: NDArray[np.float64], subjects: NDArray[np.str_]
) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """Average features over each subject's windows.

    Parameters
    ----------
    features
        A row per window, shape ``(n_windows, n_features)``.
    subjects
        Shape ``(n_windows,)``.

    Returns
    -------
    names : ndarray of str, shape (n_subjects,)
        Sorted.
    means : ndarray of float64, shape (n_subjects, n_features)
    """
    names, inverse, counts = np.unique(subjects, return_inverse=True, return_counts=True)
    sums = np.zeros((len(names), features.shape[1]))
    np.add.at(sums, inverse, features)
    return names, sums / counts[:, np.newaxis]


@lru_cache(maxsize=1)
def log_band_power(cohort: Cohort) -> NDArray[np.float64]:
    """Return each window's log power per channel and band.

    The shape is ``(n_windows, n_chans × n_bands)``. Bands that the sampling rate
    or the window's length leaves empty are not there. A window is looked at by itself, so nothing
    of one subject enters another's features.
    """
    frequencies = np.fft.rfftfreq(cohort.X.shape[2], 1 / cohort.sfreq)
    bands = [(frequencies >= low) & (frequencies < high) for low, high in BANDS]
    bands = [band for band in bands if band.any()]
    taper = np.hanning(cohort.X.shape[2])
    rows = np.empty((len(cohort.X), cohort.X.shape[1] * len(bands)))
    for row, window in zip(rows, _windows(cohort), strict=True):
        centred = window - window.mean(axis=1, keepdims=True, dtype=np.float64)
        power = np.abs(np.fft.rfft(centred * taper, axis=1)) ** 2
        row[:] = np.log(np.stack([power[:, band].mean(axis=1) for band in bands]) + _TINY).ravel()
    return rows


@lru_cache(maxsize=1)
def noise_level(cohort: Cohort) -> NDArray[np.float64]:
    """Return each window's log SD of differences between neighbouring samples, ``(n_windows, 1)``.

    Averaged over channels. Differencing keeps the broad-band noise of electrodes and amplifiers
    and drops most of the brain's rhythms.
    """
    levels = [
        np.log(np.diff(window.astype(np.float64), axis=1).std(axis=1) + _TINY).mean()
        for window in _windows(cohort)
    ]
    return np.array(levels)[:, np.newaxis]


def recording_seconds(table: pd.DataFrame, sfreq: float) -> pd.Series[float]:
    """Return how long each subject was recorded: first window to last, summed over runs.

    Parameters
    ----------
    table
        As in `pfactor_bench.types.Cohort`.
    sfreq
        Sampling rate in Hz.
    """
    runs = table.groupby(["subject", "session", "run", "task"], dropna=False)
    samples: pd.Series[float] = (runs["stop"].max() - runs["start"].min()).groupby("subject").sum()
    return samples / sfreq


def injected_amplitude(cohort: Cohort, injected: InjectedSignal) -> NDArray[np.float64]:
    """Return the size of the injected rhythm in each window and channel, by least squares.

    The rhythm is a sine that starts with the window, as the synthetic cohorts plant it: a matched
    filter, the best that any linear detector of a known wave form in white noise can do.

    Returns
    -------
    ndarray
        Signed, in `Cohort.unit`, shape ``(n_windows, n_injected_channels)``.
    """
    time = np.arange(cohort.X.shape[2]) / cohort.sfreq
    wave = np.sin(2 * np.pi * injected.frequency * time)
    wave -= wave.mean()
    wave /= wave @ wave
    channels = [cohort.ch_names.index(channel) for channel in injected.ch_names]
    return np.array([window[channels] @ wave for window in _windows(cohort)], dtype=np.float64)


def channel_levels(cohort: Cohort) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """Return how much each subject's channels vary, for whoever looks for flat and noisy ones.

    Returns
    -------
    names : ndarray of str, shape (n_subjects,)
        Sorted.
    levels : ndarray of float64, shape (n_subjects, n_chans)
        Standard deviation within windows, in `Cohort.unit`: root of the mean variance.
    """
    variances = [windows.var(axis=2, dtype=np.float64) for _, windows in blocks(cohort.X)]
    names, means = subject_means(np.concatenate(variances), cohort.subjects)
    return names, np.sqrt(means)


def _windows(cohort: Cohort) -> Iterator[NDArray[np.float32]]:
    """Go through windows one by one: the whole of a memory map need not fit in memory."""
    for _, windows in blocks(cohort.X):
        yield from windows

"""Nearly equal windows are found among many, and unrelated ones are left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.signal import resample

from pfactor_bench.checks.static.near_duplicates import near_pairs, window_digests
from pfactor_bench.cohorts.eegmat.cohort import eegmat

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

N_CHANS, N_TIMES, SFREQ = 8, 200, 100.0


def recording(seed: int, n_windows: int, n_chans: int = N_CHANS) -> NDArray[np.float64]:
    """Return minutes of something like EEG: 1/f from 1 to 30 Hz, an alpha rhythm, mixed sources."""
    rng = np.random.default_rng(seed)
    n_times = n_windows * N_TIMES
    frequency = np.fft.rfftfreq(n_times, 1 / SFREQ)
    band = (frequency >= 1) & (frequency <= 30)
    shape = np.where(band, np.maximum(frequency, 1) ** -0.8, 0)
    real, imaginary = rng.standard_normal((2, 12, len(frequency)))
    spectrum = (real + 1j * imaginary) * shape
    spectrum[:3] *= 1 + 4 * np.exp(-((frequency - 10) ** 2) / 2)
    mixing = np.random.default_rng(0).standard_normal((n_chans, 12))
    return mixing @ np.fft.irfft(spectrum, n=n_times, axis=1)


def windows_of(signal: NDArray[np.float64]) -> NDArray[np.float32]:
    """Cut a signal into windows that follow each other."""
    cut = signal.reshape(len(signal), -1, N_TIMES).transpose(1, 0, 2)
    return np.ascontiguousarray(cut, dtype=np.float32)


def found_in(X: NDArray[np.float32]) -> set[tuple[int, int]]:
    """Return the pairs that are found."""
    pairs = near_pairs(Hashable(X))
    return set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))


class Hashable:
    """As much of a cohort as is looked at; one of a kind, as cohorts are."""

    def __init__(self, X: NDArray[np.float32]) -> None:
        self.X = X


FORMS = {
    "rescaled": lambda signal, at: 0.03 * signal[:, at : at + N_TIMES],
    "inverted": lambda signal, at: -signal[:, at : at + N_TIMES],
    "re-referenced": lambda signal, at: (signal - signal[3])[:, at : at + N_TIMES],
    "offset": lambda signal, at: signal[:, at : at + N_TIMES] + 100,
    "half a window later": lambda signal, at: signal[:, at + 100 : at + 100 + N_TIMES],
    "a little earlier": lambda signal, at: signal[:, at - 7 : at - 7 + N_TIMES],
    "resampled": lambda signal, at: resample(
        resample(signal, int(signal.shape[1] * 0.8), axis=1), signal.shape[1], axis=1
    )[:, at : at + N_TIMES],
    "a little noisy": lambda signal, at: (
        signal[:, at : at + N_TIMES]
        + 0.05 * signal.std() * np.random.default_rng(0).standard_normal((len(signal), N_TIMES))
    ),
    "all of it": lambda signal, at: -3 * (signal - signal[0])[:, at + 60 : at + 60 + N_TIMES],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_copy_is_found(form: str) -> None:
    """Twenty copies in another subject's recording, and nothing else."""
    signal = recording(1, 60)
    X = np.concatenate([windows_of(signal), windows_of(recording(2, 60))])
    copied = range(5, 45, 2)
    for number, window in enumerate(copied):
        X[70 + number] = FORMS[form](signal, window * N_TIMES)
    expected = {(window, 70 + number) for number, window in enumerate(copied)}
    if form == "half a window later":
        # It shares as much with the window after.
        expected |= {(window + 1, pair) for window, pair in expected}

    assert found_in(X) == expected


def test_lag_is_told() -> None:
    """In samples, with a correlation of 1."""
    signal = recording(3, 20)
    X = np.concatenate([windows_of(signal), windows_of(recording(4, 20))])
    X[30] = signal[:, 4 * N_TIMES + 60 : 5 * N_TIMES + 60]
    pairs = near_pairs(Hashable(X))

    assert (pairs.first.tolist(), pairs.second.tolist()) == ([4], [30])
    assert (pairs.lag.tolist(), round(float(pairs.correlation[0]), 4)) == ([60], 1.0)


def test_unrelated_recordings_are_not_alike() -> None:
    """A thousand windows that share spectrum and topography."""
    X = np.concatenate([windows_of(recording(seed, 100)) for seed in range(10)])

    assert found_in(X) == set()


def test_shared_blink_is_no_copy() -> None:
    """A slow wave of one shape in every window, ten times the size of the rest."""
    X = windows_of(recording(5, 200))
    time = np.arange(N_TIMES) / SFREQ
    blink = np.exp(-((time - 1) ** 2) / (2 * 0.15**2)) * np.linspace(1, 0, N_CHANS)[:, None]
    X += (10 * X.std() * blink).astype(np.float32)

    assert found_in(X) == set()


def test_copy_is_found_among_thousands() -> None:
    """Nothing is drawn: every subject is looked at."""
    X = np.concatenate([windows_of(recording(seed, 100)) for seed in range(60)])
    X[5321] = -2 * X[17]

    assert found_in(X) == {(17, 5321)}


def test_many_copies_of_one_window_are_all_found() -> None:
    """Each is linked to another one of them."""
    X = windows_of(recording(6, 100))
    X[50:90] = X[3] * np.linspace(1, 2, 40)[:, None, None]
    linked = {window for pair in found_in(X) for window in pair}

    assert linked == {3, *range(50, 90)}


def test_one_channel_is_enough() -> None:
    """There is no reference to take off."""
    X = windows_of(recording(7, 100, n_chans=1))
    X[80] = -X[20]

    assert found_in(X) == {(20, 80)}


def test_short_windows_are_compared() -> None:
    """Half a second."""
    X = np.ascontiguousarray(windows_of(recording(8, 100))[..., :50])
    X[80] = 2 * X[20]

    assert found_in(X) == {(20, 80)}


def test_flat_windows_are_like_no_other() -> None:
    """Zeros are no evidence."""
    X = windows_of(recording(9, 40))
    X[10:20] = 0

    assert found_in(X) == set()


def test_nothing_but_flat_windows() -> None:
    """There is nothing to find, and nothing breaks."""
    assert found_in(np.zeros((5, 8, 200), dtype=np.float32)) == set()


def test_real_eeg_holds_no_copies(data_dir: Path) -> None:
    """36 subjects, 1,615 windows, alpha and blinks included."""
    assert found_in(eegmat(data_dir=data_dir).X) == set()


def test_copies_in_real_eeg_are_found(data_dir: Path) -> None:
    """A subject's windows, shifted and inverted, under another name."""
    X = np.array(eegmat(data_dir=data_dir).X)
    signal = X[100:140].transpose(1, 0, 2).reshape(N_CHANS, -1)
    for number in range(20):
        at = number * 2 * N_TIMES + 80
        X[1000 + number] = -0.5 * signal[:, at : at + N_TIMES]
    pairs = {pair for pair in found_in(X) if pair[1] >= 1000}

    assert {(100 + 2 * number, 1000 + number) for number in range(20)} <= pairs


def test_digests_tell_windows_apart() -> None:
    """One sample is enough, and a flat window has none."""
    X = windows_of(recording(10, 4))
    X[1] = X[0]
    X[2, 0, 0] += 1
    X[3] = 5
    digests = window_digests(Hashable(X))

    assert digests[0] == digests[1] != digests[2]
    assert digests[3] == ""

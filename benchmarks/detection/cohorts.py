"""Cohorts whose subjects can be told apart by what a z-score of each window leaves."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.cohorts.eegmat.cohort import eegmat
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.seeds import seed_for
from pfactor_bench.studies.changes import changed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from pfactor_bench.types import Cohort

__all__ = ["COHORTS", "few_windows", "fingerprinted", "load_cohort", "with_alpha"]

#: How much a subject's own mixing of channels and own spectrum differ from every subject's.
_SPATIAL, _SPECTRAL = 0.25, 0.35
#: The band that carries the target, in Hz, and how strongly: log amplitude per unit of target.
_ALPHA, _GAIN = (8.0, 13.0), 0.5
_N_WINDOWS = 6


def with_alpha(cohort: Cohort, *, gain: float) -> Cohort:
    """Let the target set the power between 8 and 13 Hz in the first two channels."""
    X = np.array(cohort.X, dtype=np.float64)
    frequency = np.fft.rfftfreq(X.shape[-1], 1 / cohort.sfreq)
    alpha = (frequency >= _ALPHA[0]) & (frequency < _ALPHA[1])
    spectrum = np.fft.rfft(X[:, :2], axis=-1)
    spectrum[..., alpha] *= np.exp(gain * cohort.y)[:, None, None]
    X[:, :2] = np.fft.irfft(spectrum, n=X.shape[-1], axis=-1)
    return changed(replace(cohort, injected=None), X=X.astype(np.float32))


def fingerprinted(cohort: Cohort, *, seed: int) -> Cohort:
    """Give each subject a mixing of channels and a spectrum of their own.

    Both survive a z-score of each window, unlike a constant offset: a model can recognise a subject
    by the correlations between channels and by the slope of the spectrum.
    """
    X = np.array(cohort.X, dtype=np.float64)
    n_chans, n_times = X.shape[1:]
    frequency = np.fft.rfftfreq(n_times)[1:]
    for subject in np.unique(cohort.subjects):
        rng = np.random.default_rng(seed_for("fingerprint", seed, subject))
        rows = cohort.subjects == subject
        mixing = np.eye(n_chans) + _SPATIAL * rng.standard_normal((n_chans, n_chans))
        slope = _SPECTRAL * rng.standard_normal()
        gain = np.concatenate([[1.0], (frequency / frequency.mean()) ** slope])
        mixed = np.einsum("cd,wdt->wct", mixing, X[rows])
        X[rows] = np.fft.irfft(np.fft.rfft(mixed, axis=-1) * gain, n=n_times, axis=-1)
    return changed(replace(cohort, injected=None), X=X.astype(np.float32))


def few_windows(cohort: Cohort, n_windows: int) -> Cohort:
    """Keep so many windows of each subject, spread over the recording."""
    kept: list[int] = []
    for subject in np.unique(cohort.subjects):
        rows = np.flatnonzero(cohort.subjects == subject)
        chosen = np.linspace(0, len(rows) - 1, min(n_windows, len(rows))).round().astype(int)
        kept.extend(rows[np.unique(chosen)].tolist())
    rows = np.sort(np.array(kept))
    table = cohort.table.iloc[rows].reset_index(drop=True)
    return changed(cohort, X=_own(cohort.X[rows]), y=_own(cohort.y[rows]), table=table)


def _own(array: NDArray[Any]) -> NDArray[Any]:
    return np.array(array)


def _synthetic(seed: int, data_dir: Path | None) -> Cohort:
    del data_dir
    made = synthetic(n_subjects=18, n_windows=_N_WINDOWS, seed=100 + seed, amplitude=0.0)
    return fingerprinted(with_alpha(made, gain=_GAIN), seed=seed)


def _nothing(seed: int, data_dir: Path | None) -> Cohort:
    del data_dir
    made = synthetic(n_subjects=18, n_windows=_N_WINDOWS, seed=200 + seed, amplitude=0.0)
    return fingerprinted(made, seed=seed)


def _eegmat(seed: int, data_dir: Path | None) -> Cohort:
    """Return other windows of EEGMAT for another seed."""
    full = _whole_eegmat(data_dir)
    rng = np.random.default_rng(seed_for("eegmat", seed))
    rows = np.flatnonzero(rng.random(len(full.y)) < 0.5)  # noqa: PLR2004
    table = full.table.iloc[rows].reset_index(drop=True)
    half = changed(full, X=_own(full.X[rows]), y=_own(full.y[rows]), table=table)
    return few_windows(half, _N_WINDOWS)


@lru_cache(maxsize=1)
def _whole_eegmat(data_dir: Path | None) -> Cohort:
    return eegmat(data_dir=data_dir)


#: By name, from a seed: subjects with a signal, subjects with none, and real EEG.
COHORTS: dict[str, Callable[[int, Path | None], Cohort]] = {
    "synthetic": _synthetic,
    "no signal": _nothing,
    "EEGMAT": _eegmat,
}


@lru_cache(maxsize=4)
def load_cohort(name: str, seed: int, data_dir: Path | None = None) -> Cohort:
    """Return a cohort by name and seed; real ones need the folder of data.

    Raises
    ------
    CohortError
        If the data are not there.
    """
    return COHORTS[name](seed, data_dir)

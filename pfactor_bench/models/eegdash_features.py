"""What the random forest sees of a window: features of EEGDash, computed on any cohort's arrays.

`eegdash.features` is made for EEGDash's own data sets, but its extractors take arrays and a
recording's `mne.Info`. Each window is looked at by itself, so nothing of one subject enters
another's features.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pfactor_bench.types import Cohort

#: Windows that are in the works at a time: 256 × 129 channels × 500 samples are 130 MB.
_CHUNK = 256


@lru_cache(maxsize=1)
def eegdash_features(cohort: Cohort) -> NDArray[np.float64]:
    """Return each window's spectral, temporal and complexity features per channel.

    Parameters
    ----------
    cohort
        Its windows may be a memory map.

    Returns
    -------
    ndarray
        Shape ``(n_windows, n_features)``, in the order of `feature_names`. What a window leaves
        undefined, such as the skewness of a flat channel, is NaN.

    References
    ----------
    .. [1] EEGDash, https://eegdash.org, `eegdash.features`.
    """
    blocks = [
        np.column_stack(list(_extract(cohort, slice(first, first + _CHUNK)).values()))
        for first in range(0, len(cohort.X), _CHUNK)
    ]
    features = np.concatenate(blocks).astype(np.float64)
    features[~np.isfinite(features)] = np.nan
    return features


def feature_names(cohort: Cohort) -> tuple[str, ...]:
    """Return the features' names, such as ``"spectral_power_alpha_Cz"``."""
    return tuple(_extract(cohort, slice(0, 1)))


def _extract(cohort: Cohort, windows: slice) -> dict[str, NDArray[np.float64]]:
    import mne

    # Float64: a flat stretch of float32 microvolts would lose the digits that spectra need.
    X = np.asarray(cohort.X[windows], dtype=np.float64)
    facts = {"info": mne.create_info(list(cohort.ch_names), cohort.sfreq), "batch_size": len(X)}
    extractor = _extractor(cohort.X.shape[2], cohort.sfreq)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # Of a flat channel, which has neither skewness nor a spectrum's shape.
        warnings.simplefilter("ignore", RuntimeWarning)
        found: dict[str, NDArray[np.float64]] = extractor(X, _metadata=facts)
    return found


@lru_cache(maxsize=1)
def _extractor(n_times: int, sfreq: float) -> Any:  # noqa: ANN401 - eegdash publishes no types
    """Return the extractors for windows of one length: Welch's spectrum over halves of a window."""
    from eegdash import features as bank

    n_segment = n_times // 2
    spectrum = partial(
        bank.spectral_preprocessor,
        f_min=None,
        f_max=None,
        nperseg=n_segment,
        noverlap=n_segment // 2,
    )
    bands = _bands(n_times, sfreq, bank.feature_bank.utils.DEFAULT_FREQ_BANDS)
    spectral = bank.FeatureExtractor(
        {
            "decibel": bank.FeatureExtractor(
                {
                    "power": partial(bank.spectral_bands_power, bands=bands),
                    "slope": bank.spectral_slope,
                },
                preprocessor=bank.spectral_db_preprocessor,
            ),
            "shape": bank.FeatureExtractor(
                {
                    "share": partial(bank.spectral_bands_power, bands=bands),
                    "entropy": bank.spectral_entropy,
                    "edge": bank.spectral_edge,
                },
                preprocessor=bank.spectral_normalized_preprocessor,
            ),
        },
        preprocessor=spectrum,
    )
    return bank.FeatureExtractor(
        {
            "spectral": spectral,
            "std": bank.signal_std,
            "skewness": bank.signal_skewness,
            "kurtosis": bank.signal_kurtosis,
            "line_length": bank.signal_line_length,
            "zero_crossings": bank.signal_zero_crossings,
            "mobility": bank.signal_hjorth_mobility,
            "complexity": bank.signal_hjorth_complexity,
            "higuchi": bank.dimensionality_higuchi_fractal_dim,
        }
    )


def _bands(
    n_times: int, sfreq: float, named: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """Return the bands as far as such windows resolve them; `eegdash` refuses any other."""
    frequencies = np.fft.rfftfreq(n_times // 2, 1 / sfreq)
    known = frequencies[frequencies >= 2 * sfreq / n_times]
    cut = {
        name: (float(max(low, known[0])), float(min(high, known[-1])))
        for name, (low, high) in named.items()
    }
    return {
        name: (low, high)
        for name, (low, high) in cut.items()
        if ((known >= low) & (known < high)).any()
    }

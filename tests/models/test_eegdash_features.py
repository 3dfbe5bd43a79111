"""EEGDash's features on a cohort's arrays: the same as on its own data sets, window by window."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.models.baselines import BASELINES
from pfactor_bench.models.eegdash_features import eegdash_features, feature_names
from pfactor_bench.splits.splitters import grouped_k_fold

if TYPE_CHECKING:
    from pfactor_bench.types import Cohort


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    """Return ten subjects with four windows each."""
    return synthetic(n_subjects=10, n_windows=4)


def column(cohort: Cohort, name: str) -> np.ndarray:
    """Return one feature of every window."""
    return eegdash_features(cohort)[:, feature_names(cohort).index(name)]


def test_every_feature_has_a_name_of_its_own(cohort: Cohort) -> None:
    """And every window a row."""
    names = feature_names(cohort)
    assert (40, len(set(names))) == eegdash_features(cohort).shape


def test_features_of_ordinary_windows_are_known(cohort: Cohort) -> None:
    """None is missing."""
    assert np.isfinite(eegdash_features(cohort)).all()


def test_agrees_with_extraction_from_a_data_set(cohort: Cohort) -> None:
    """What `eegdash.features` finds in the same windows as a braindecode data set."""
    import mne
    from braindecode.datasets import BaseConcatDataset, RawDataset
    from braindecode.preprocessing import create_fixed_length_windows
    from eegdash.features import extract_features, signal_line_length

    info = mne.create_info(list(cohort.ch_names), cohort.sfreq, "eeg")
    raw = mne.io.RawArray(np.concatenate(list(cohort.X), axis=1), info, verbose="ERROR")
    windows = create_fixed_length_windows(
        BaseConcatDataset([RawDataset(raw, description={"subject": "all"})]),
        window_size_samples=200,
        window_stride_samples=200,
        on_last_window="drop",
    )
    theirs = extract_features(windows, {"line_length": signal_line_length}).to_dataframe()
    expected = theirs["line_length_Cz"].to_numpy()
    assert expected == pytest.approx(column(cohort, "line_length_Cz"), rel=1e-5)


def test_rhythm_shows_in_its_band(cohort: Cohort) -> None:
    """A sine of 10 Hz is alpha power."""
    time = np.arange(200) / 100
    X = cohort.X + 20 * np.sin(2 * np.pi * 10 * time, dtype=np.float32).astype(np.float32)
    louder = replace(cohort, X=X)
    gained = {
        band: (column(louder, f"{name}_Cz") - column(cohort, f"{name}_Cz")).mean()
        for band in ("theta", "alpha", "beta")
        for name in [f"spectral_shape_share_{band}"]
    }
    assert "alpha" == max(gained, key=gained.__getitem__)


def test_flat_channel_has_missing_features_not_infinite_ones(cohort: Cohort) -> None:
    """And the forest copes with them."""
    X = cohort.X.copy()
    X[:, 0] = 0
    flat = replace(cohort, X=X)
    found = eegdash_features(flat)
    fold = grouped_k_fold(n_folds=2)(flat.subjects).folds[0]
    predicted = BASELINES["random-forest"](flat, fold)
    assert (False, True) == (bool(np.isinf(found).any()), bool(np.isfinite(predicted).all()))


@pytest.mark.parametrize(("n_times", "sfreq"), [(50, 100.0), (200, 40.0), (64, 500.0)])
def test_bands_that_a_window_cannot_resolve_are_left_out(
    cohort: Cohort, n_times: int, sfreq: float
) -> None:
    """Short windows and low rates are no error."""
    short = replace(cohort, X=cohort.X[:, :, :n_times], sfreq=sfreq)
    assert np.isfinite(eegdash_features(short)).any()

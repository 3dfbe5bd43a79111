"""The synthetic cohort, held against the case study's own lines."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from pfactor_bench.cohorts import COHORTS
from pfactor_bench.cohorts.synthetic import CH_NAMES, synthetic
from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from pfactor_bench.types import Cohort


def case_study(seed: int = 42) -> tuple[np.ndarray, pd.DataFrame]:
    """Return the case study's windows and rows, restated from its step 3."""
    rng = np.random.default_rng(seed)
    subjects, windows_each, sfreq = 18, 24, 100.0
    subject_p = rng.normal(0.0, 1.0, size=subjects)
    t = np.arange(200) / sfreq
    windows, rows = [], []
    for s in range(subjects):
        p = float(subject_p[s])
        bias = 0.10 * (s - subjects / 2)
        for w in range(windows_each):
            base = rng.standard_normal((8, 200)).astype(np.float32)
            carrier = 0.30 * p * np.sin(2 * np.pi * 10.0 * t).astype(np.float32)
            base[1] += carrier
            base[2] += 0.85 * carrier
            base += np.float32(bias)
            windows.append(base)
            rows.append((f"sub-{s:02d}", f"sub-{s:02d}__w{w:03d}", p))
    return np.stack(windows), pd.DataFrame(rows, columns=["subject", "sample_id", "p_factor"])


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    """Return the cohort with all its defaults."""
    return synthetic()


def test_every_sample_equals_the_case_study(cohort: Cohort) -> None:
    """To the last bit."""
    expected, _ = case_study()

    assert expected.tobytes() == cohort.X.tobytes()


def test_every_target_equals_the_case_study(cohort: Cohort) -> None:
    """In double precision, repeated for each window."""
    _, rows = case_study()

    assert rows["p_factor"].tolist() == cohort.y.tolist()


@pytest.mark.parametrize("column", ["subject", "sample_id"])
def test_names_equal_the_case_study(cohort: Cohort, column: str) -> None:
    """In its order."""
    _, rows = case_study()

    assert rows[column].tolist() == cohort.table[column].tolist()


def test_another_seed_equals_the_case_study_with_that_seed() -> None:
    """The seed is the only thing that differs."""
    expected, _ = case_study(seed=7)

    assert expected.tobytes() == synthetic(seed=7).X.tobytes()


def test_montage_is_the_case_study_s(cohort: Cohort) -> None:
    """Channel names in its order."""
    assert ("E11", "Cz", "E62", "E75", "E36", "E104", "E52", "E92") == cohort.ch_names


def test_windows_of_a_subject_follow_each_other(cohort: Cohort) -> None:
    """Half open, in samples."""
    first = cohort.table.iloc[:3]

    assert [(0, 200), (200, 400), (400, 600)] == list(
        zip(first["start"], first["stop"], strict=True)
    )


def test_same_seed_gives_the_same_fingerprint(cohort: Cohort) -> None:
    """Nothing but the arguments enters."""
    assert cohort.fingerprint == synthetic().fingerprint


def test_another_seed_gives_another_fingerprint(cohort: Cohort) -> None:
    """Other data are another cohort."""
    assert cohort.fingerprint != synthetic(seed=43).fingerprint


def test_fingerprint_is_a_sha256(cohort: Cohort) -> None:
    """64 hexadecimal digits."""
    assert hashlib.sha256().digest_size == len(bytes.fromhex(cohort.fingerprint))


def test_injected_signal_is_declared(cohort: Cohort) -> None:
    """What is hidden can be looked for."""
    assert cohort.injected is not None
    assert (("Cz", "E62"), 10.0) == (cohort.injected.ch_names, cohort.injected.frequency)


def test_zero_amplitude_plants_nothing() -> None:
    """A cohort for false alarms."""
    assert synthetic(n_subjects=3, n_windows=1, amplitude=0.0).injected is None


def test_amplitude_scales_the_injected_channels_only() -> None:
    """The other six hold noise and the subject's constant."""
    weak, strong = (synthetic(n_subjects=4, n_windows=2, amplitude=a) for a in (0.0, 1.0))
    changed = (weak.X != strong.X).any(axis=(0, 2))

    assert {"Cz", "E62"} == {
        name for name, differs in zip(CH_NAMES, changed, strict=True) if differs
    }


def test_target_can_be_renamed() -> None:
    """So that a suite may call it by its own name."""
    assert synthetic(n_subjects=3, n_windows=1, target="skill").target == "skill"


def test_two_subjects_are_too_few() -> None:
    """Checked as any other cohort is."""
    with pytest.raises(CohortError, match="has 2 subjects"):
        synthetic(n_subjects=2)


def test_registry_offers_it() -> None:
    """Under the name that a suite uses."""
    assert COHORTS["synthetic"] is synthetic

"""Checks of the signal: copies of windows, exact and nearly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from pfactor_bench.checks import run_check

if TYPE_CHECKING:
    from collections.abc import Callable

    from pfactor_bench.types import Cohort, Split


@pytest.fixture(scope="session")
def across(split: Split) -> tuple[int, int]:
    """Return a held-out and a training window of the first fold."""
    return int(split.folds[0].test[0]), int(split.folds[0].train[0])


@pytest.mark.parametrize("code", ["LK007", "LK008"])
def test_noise_has_no_copies(code: str, cohort: Cohort, split: Split) -> None:
    """Independent windows are not alike."""
    assert run_check(code, cohort=cohort, split=split).status == "pass"


@pytest.mark.parametrize("code", ["LK007", "LK008"])
def test_without_a_split_it_does_not_apply(code: str, cohort: Cohort) -> None:
    """A copy is a leak only across a split."""
    assert run_check(code, cohort=cohort).status == "not_applicable"


def test_copy_across_the_split_is_found(
    cohort: Cohort, split: Split, across: tuple[int, int], changed: Callable[..., Cohort]
) -> None:
    """A held-out window that was copied from a training window fails."""
    X = cohort.X.copy()
    X[across[0]] = X[across[1]]
    assert run_check("LK007", cohort=changed(cohort, X=X), split=split).status == "fail"


def test_copy_within_one_subject_is_a_warning(
    cohort: Cohort, split: Split, changed: Callable[..., Cohort]
) -> None:
    """A copy that never crosses the split makes subjects count twice."""
    X = cohort.X.copy()
    X[1] = X[0]
    finding = run_check("LK007", cohort=changed(cohort, X=X), split=split)
    assert (finding.status, finding.n_evidence) == ("warn", 2)


def test_flat_windows_are_not_copies(
    cohort: Cohort, split: Split, across: tuple[int, int], changed: Callable[..., Cohort]
) -> None:
    """Two windows of zeros are an amplifier that was off, not a copy."""
    X = cohort.X.copy()
    X[list(across)] = 0
    assert run_check("LK007", cohort=changed(cohort, X=X), split=split).status == "pass"


@pytest.mark.parametrize(
    "process",
    [
        pytest.param(lambda x: 3.7 * x, id="rescaled"),
        pytest.param(lambda x: -x, id="inverted"),
        pytest.param(lambda x: x - x[:1], id="re-referenced"),
        pytest.param(lambda x: x + 5, id="offset"),
        pytest.param(lambda x: np.roll(x, 7, axis=1), id="shifted"),
        pytest.param(
            lambda x: x + 0.1 * np.random.default_rng(0).normal(size=x.shape), id="slightly noisy"
        ),
    ],
)
def test_processed_copy_is_found(
    process: Callable[[object], object],
    cohort: Cohort,
    split: Split,
    across: tuple[int, int],
    changed: Callable[..., Cohort],
) -> None:
    """A copy that was processed is still a copy."""
    X = cohort.X.copy()
    X[across[0]] = process(X[across[1]])
    assert run_check("LK008", cohort=changed(cohort, X=X), split=split).status == "fail"


def test_shared_rhythm_is_no_copy(
    cohort: Cohort, split: Split, changed: Callable[..., Cohort]
) -> None:
    """Windows that share a strong spectrum, as all EEG does, are not alike."""
    spectrum = 1 / np.maximum(np.arange(101), 1)
    X = np.fft.irfft(np.fft.rfft(cohort.X, axis=-1) * spectrum, n=200, axis=-1)
    pink = changed(cohort, X=X.astype(np.float32))
    assert run_check("LK008", cohort=pink, split=split).status == "pass"

"""Studies whose randomness nobody can seed: leaks beyond it are found, nobody else is accused."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.detection.honest import plain_ridge
from benchmarks.detection.leaky import INJECTED
from pfactor_bench.auditing.audit import audit
from pfactor_bench.cohorts.synthetic import synthetic

if TYPE_CHECKING:
    import pandas as pd

    from pfactor_bench.studies.contract import Study
    from pfactor_bench.types import Cohort

_COHORT = synthetic(n_subjects=12, n_windows=6, seed=5)
_CORE = ("LK100", "LK101", "LK102")


def noisy(study: Study, size: float = 0.2) -> Study:
    """Add noise to a study's predictions that begins elsewhere in every run."""

    def random(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        table = study(cohort, seed=seed)
        rng = np.random.Generator(np.random.PCG64(int.from_bytes(os.urandom(8), "little")))
        return table.assign(y_pred=table["y_pred"] + size * rng.normal(size=len(table)))

    return random


@pytest.mark.parametrize("_again", range(3))
def test_honest_random_study_is_undecided(_again: int) -> None:
    """It is never called leaky, never clean, and the reason is told once."""
    found = audit(noisy(plain_ridge), _COHORT, only=_CORE)
    errors = [one.code for one in found.findings if one.status == "error"]
    assert (found.verdict, errors) == ("inconclusive", ["LK100"]), found
    assert "is random" in found.reason


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("trained_on_everything", "LK101"),
        ("bias_corrected_with_test_targets", "LK101"),
        ("running_median", "LK102"),
    ],
)
def test_leak_beyond_randomness_is_found(name: str, code: str) -> None:
    """Most pairs of runs differ alike where a leak moves predictions more than chance does."""
    found = audit(noisy(INJECTED[name].study, 0.02), _COHORT, only=_CORE)
    assert {one.code: one.status for one in found.findings}[code] == "fail", found


def test_random_study_that_hides_its_folds_is_not_accused() -> None:
    """Whom one table of all subjects holds out together is not known: their targets train."""

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        return noisy(plain_ridge, 0.02)(cohort, seed=seed).drop(columns="fold")

    assert audit(study, _COHORT, only=_CORE).verdict == "inconclusive"

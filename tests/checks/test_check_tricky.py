"""Studies that are easy to misjudge: hidden leaks are found, suspicious honest ones are clean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.detection.careful import careful, participants
from benchmarks.detection.careful_folds import without_the_loudest
from benchmarks.detection.careful_parts import rereferenced, standardised_together
from benchmarks.detection.careful_twins import TWINS
from benchmarks.detection.tricky import HIDDEN, SUSPICIOUS
from pfactor_bench.auditing.audit import audit
from pfactor_bench.cohorts.synthetic import synthetic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from pfactor_bench.types import Cohort

_COHORT = synthetic(n_subjects=12, n_windows=6, seed=5)


@pytest.mark.parametrize("name", HIDDEN)
def test_hidden_leak_is_found(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the check that is meant for it, at the default effort."""
    monkeypatch.setenv("TRICKY_CACHE", str(tmp_path))
    study, found_by = HIDDEN[name]
    found = audit(study, _COHORT)
    failed = {one.code: one.explanation for one in found.findings if one.status == "fail"}
    assert found_by in failed, (failed, found)


@pytest.mark.parametrize("name", ["ranking_cached_by_signal", "remembers_targets"])
def test_nothing_is_left_on_disk(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a run writes is removed after it."""
    monkeypatch.setenv("TRICKY_CACHE", str(tmp_path))
    audit(HIDDEN[name][0], _COHORT, only=["LK101"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", SUSPICIOUS)
def test_suspicious_honest_study_is_clean(name: str) -> None:
    """Not merely undecided: both core relations can be tested."""
    found = audit(SUSPICIOUS[name], _COHORT)
    assert found.verdict == "clean", (found.reason, found)


@pytest.mark.parametrize(
    ("inputs", "status"), [(rereferenced, "pass"), (standardised_together, "fail")]
)
def test_choice_of_recordings_is_no_leak_and_hides_none(
    inputs: Callable[[Cohort], NDArray[np.float64]], status: str
) -> None:
    """Noise for a test subject is the worst recording then, and the old one is trained on."""
    study = careful(folds=without_the_loudest, inputs=inputs)
    found = audit(study, participants(), only=["LK102"])
    finding = next(one for one in found.findings if one.code == "LK102")
    assert finding.status == status, finding.explanation


@pytest.mark.slow
@pytest.mark.parametrize("name", TWINS)
def test_twin_with_one_fault_is_found(name: str) -> None:
    """A split that was kept for its result is a warning, every other fault fails."""
    study, found_by = TWINS[name]
    found = audit(study, participants(), only=[found_by])
    finding = next(one for one in found.findings if one.code == found_by)
    wanted = "warn" if name == "best of four quarters" else "fail"
    assert finding.status == wanted, finding.explanation

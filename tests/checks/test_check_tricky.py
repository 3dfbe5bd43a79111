"""Studies that are easy to misjudge: hidden leaks are found, suspicious honest ones are clean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.detection.tricky import HIDDEN, SUSPICIOUS
from pfactor_bench.auditing.audit import audit
from pfactor_bench.cohorts.synthetic import synthetic

if TYPE_CHECKING:
    from pathlib import Path

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

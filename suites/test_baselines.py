"""Every case stands beside the train mean, and every claim gets the verdict it deserves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pfactor_bench.plugin.hooks import SuiteCase, SuiteClaim


def test_case_is_scored_against_train_mean(suite_case: SuiteCase) -> None:
    """A case predicts a score for every held-out window, and its folds hold somebody out."""
    table = suite_case.run.result(suite_case.case).predictions
    held_out = table[table["role"] == "test"]
    n_expected = sum(len(fold.test) for fold in suite_case.run.prepared.split.folds)
    assert len(held_out) == n_expected > 0
    assert held_out["y_pred"].notna().all()


def test_claim(suite_claim: SuiteClaim) -> None:
    """A gate holds; any other claim is written down with its verdict."""
    verdict = suite_claim.verdict
    if verdict.level == "gate" and verdict.status != "holds":
        pytest.fail(f"{suite_claim.claim.text} {verdict.status}: {verdict.explanation}")

"""What a split of windows would gain is measured, and accuses nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsRegressor

from benchmarks.detection.honest import plain_ridge
from pfactor_bench.auditing.audit import DEFAULT, QUICK, audit
from pfactor_bench.checks import run_check
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.studies.contract import Answer, AnsweredFold
from pfactor_bench.studies.sandbox import Failure

if TYPE_CHECKING:
    from pfactor_bench.auditing.audit import Effort
    from pfactor_bench.types import Cohort, Finding


def _answer(y_pred: np.ndarray) -> Answer:
    fold = AnsweredFold(
        name="all", positions=np.arange(len(y_pred)), y_pred=y_pred.astype(float), train=None
    )
    return Answer(folds=(fold,), names_folds=True)


def _measured(cohort: Cohort, clean: np.ndarray, leaky: np.ndarray) -> Finding:
    pair = (_answer(clean), _answer(leaky))
    return run_check("LK402", cohort=cohort, paired=lambda: pair)


def test_gain_is_the_difference_in_r2(cohort: Cohort) -> None:
    """The mean of all subjects has R² 0, the truth has 1."""
    finding = _measured(cohort, np.zeros_like(cohort.y) + _subject_mean(cohort), cohort.y)
    assert finding.evidence[2]["r2"] == pytest.approx(1.0)


def _subject_mean(cohort: Cohort) -> float:
    first = np.unique(cohort.subjects, return_index=True)[1]
    return float(cohort.y[first].mean())


def test_large_gain_is_no_accusation(cohort: Cohort) -> None:
    """The target did nothing wrong: the audit made the split."""
    assert _measured(cohort, -cohort.y, cohort.y).status == "pass"


def test_target_that_fails_is_undecided(cohort: Cohort) -> None:
    """A target that cannot be trained has not been measured."""
    pair = (Failure(reason="no such layer"), _answer(cohort.y))
    assert run_check("LK402", cohort=cohort, paired=lambda: pair).status == "error"


_COHORT = synthetic(n_subjects=12, n_windows=5, seed=2)


def _audited(target: object, effort: Effort) -> Finding:
    result = audit(target, _COHORT, effort=effort, only=["LK402"])
    return next(one for one in result.findings if one.code == "LK402")


def test_estimator_is_split_both_ways() -> None:
    """A regressor that remembers its neighbours gains from windows of known subjects."""
    rows = _audited(KNeighborsRegressor(n_neighbors=1), DEFAULT).evidence
    assert [row["held_out"] for row in rows] == ["subjects", "windows", "gained by windows"]


def test_quick_audits_leave_it_out() -> None:
    """It trains a target as often again."""
    finding = _audited(KNeighborsRegressor(n_neighbors=1), QUICK)
    assert (finding.status, "--quick" in finding.explanation) == ("not_applicable", True)


def test_study_with_a_split_of_its_own_is_left_alone() -> None:
    """Nobody can tell a finished study to split windows."""
    assert "whose split the audit chooses" in _audited(plain_ridge, DEFAULT).explanation

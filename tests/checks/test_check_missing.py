"""Predictions that a study does not give: told, the rest audited, and never by the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.detection.honest import HONEST
from pfactor_bench.auditing.audit import audit
from pfactor_bench.cohorts.synthetic import synthetic

if TYPE_CHECKING:
    import pandas as pd

    from pfactor_bench.types import Cohort, Finding

_COHORT = synthetic(n_subjects=12, n_windows=6, seed=5)
_CODES = ("LK100", "LK101", "LK102", "LK107", "LK108")


def _found(study: object) -> dict[str, Finding]:
    return {one.code: one for one in audit(study, _COHORT, only=_CODES).findings}


def _without_first(cohort: Cohort, table: pd.DataFrame) -> pd.DataFrame:
    first = cohort.table["sample_id"][cohort.subjects == np.unique(cohort.subjects)[0]]
    return table.assign(y_pred=table["y_pred"].where(~table["sample_id"].isin(first)))


def _one_subject_fails(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    return _without_first(cohort, HONEST["plain_ridge"](cohort, seed=seed))


def _one_fold_fails(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    return _without_first(cohort, HONEST["leave_one_out"](cohort, seed=seed))


@pytest.mark.parametrize("study", [_one_subject_fails, _one_fold_fails])
def test_missing_predictions_are_told_and_the_rest_is_audited(study: object) -> None:
    """How many, and whose; no relation stumbles over them."""
    found = _found(study)
    statuses = {code: found[code].status for code in ("LK100", "LK101", "LK102", "LK108")}
    assert statuses == {"LK100": "warn", "LK101": "pass", "LK102": "pass", "LK108": "pass"}, found
    assert "no prediction (NaN) for 6 windows of 1 subject: sub-00" in found["LK100"].explanation


def _worst_is_withheld(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Answer NaN where the error is largest."""
    table = HONEST["plain_ridge"](cohort, seed=seed)
    truth = dict(zip(cohort.table["sample_id"], cohort.y, strict=True))
    error = (table["y_pred"] - table["sample_id"].map(truth)).abs()
    return table.assign(y_pred=table["y_pred"].where(error <= error.mean() + error.std()))


def _high_targets_are_withheld(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Answer NaN for a whole fold of one subject whose target lies far out."""
    table = HONEST["leave_one_out"](cohort, seed=seed)
    truth = dict(zip(cohort.table["sample_id"], cohort.y, strict=True))
    y = table["sample_id"].map(truth)
    return table.assign(y_pred=table["y_pred"].where(y < 4))


@pytest.mark.parametrize("study", [_worst_is_withheld, _high_targets_are_withheld])
def test_predictions_withheld_by_target_are_found(study: object) -> None:
    """Which predictions are missing must not follow the targets of the subjects held out."""
    found = _found(study)
    assert found["LK108"].status == "fail", found
    assert "NaN" in found["LK108"].explanation


def test_targets_that_spread_as_nan_are_found() -> None:
    """One sealed target that makes some predictions NaN has entered them."""

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        table = HONEST["one_split"](cohort, seed=seed)
        truth = dict(zip(cohort.table["sample_id"], cohort.y, strict=True))
        first = table["sample_id"] == table["sample_id"].iloc[0]
        own = 0.0 * table["sample_id"].map(truth)
        return table.assign(y_pred=table["y_pred"] + own.where(first, 0.0))

    assert _found(study)["LK107"].status == "fail"


def test_nothing_but_nan_is_refused() -> None:
    """Then there is nothing to audit, and nothing is accused."""

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        return HONEST["plain_ridge"](cohort, seed=seed).assign(y_pred=np.nan)

    found = _found(study)
    assert (found["LK100"].status, found["LK101"].status) == ("error", "not_applicable")
    assert "predicts nan for every held-out window" in found["LK100"].explanation

"""The case study as it was published: the audit names what its numbers do not say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from pfactor_bench.auditing.audit import audit
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.config import load_suite
from pfactor_bench.splits.splitters import make_split
from pfactor_bench.studies.adapters import regime_study

if TYPE_CHECKING:
    from pfactor_bench.auditing.result import Audit
    from pfactor_bench.types import Cohort, Finding

pytestmark = pytest.mark.slow

_SUITE = load_suite(Path(__file__).parents[2] / "suites" / "case_study.yaml")

#: What the case study prints under its figure, without the digit in which machines differ, and how
#: it chooses windows for its saliency map.
_PRINTED = {
    "r": "0.85",
    "r2": "0.01",
    "n_subjects": "4",
    "best_val_r": "0.164",
    "seeds": ["42", "43"],
    "saliency": "smallest-error",
}


@pytest.fixture(scope="module")
def as_written() -> Audit:
    """Audit the predictions of both seeds beside the numbers that are printed about them."""
    cohort, tables = synthetic(), []
    for case in _SUITE.cases:
        study = regime_study(
            case, lambda cohort: make_split(_SUITE.split, cohort.table), _SUITE.budget
        )
        tables.append(study(cohort, seed=0).assign(regime=case.regime, seed=case.seed))
    return audit(pd.concat(tables), cohort, claims=_PRINTED)


def _finding(result: Audit, code: str) -> Finding:
    return next(one for one in result.findings if one.code == code)


def test_saliency_is_named_circular(as_written: Audit) -> None:
    """Its map averages over the windows that were predicted best."""
    assert _finding(as_written, "LK033").status == "warn"


def test_best_epoch_is_named(as_written: Audit) -> None:
    """Its best_val_r is a maximum over epochs on the very subjects it is reported for."""
    assert _finding(as_written, "LK017").evidence[0]["measurement"] == "best_val_r"


def test_four_subjects_are_named(as_written: Audit) -> None:
    """Everything it prints rests on four subjects."""
    assert "only 4 subjects" in _finding(as_written, "LK035").explanation


def test_figure_is_named_as_of_one_seed(as_written: Audit) -> None:
    """Its r and R² are those of the last seed, beside curves of both."""
    rows = {row["claim"]: row["it_is"] for row in _finding(as_written, "LK036").evidence}
    assert {rows["r"], rows["r2"]} == {"the value of from-scratch/seed-43 alone"}


def test_split_is_not_accused(as_written: Audit) -> None:
    """It holds whole subjects out, as it says."""
    assert _finding(as_written, "LK003").status == "pass"


def _best_epoch_study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Hand over the epoch with the best correlation, as ``best_val_r`` invites one to."""
    import torch

    from pfactor_bench.models.build import build_model
    from pfactor_bench.training.device import seeded
    from pfactor_bench.training.loop import fit

    (fold,) = make_split(_SUITE.split, cohort.table).folds
    case = _SUITE.cases[0]
    with seeded(case.seed + seed, torch.device("cpu")):
        trajectory = fit(
            build_model(case.model, cohort),
            X=torch.tensor(cohort.X[fold.train]),
            y=torch.tensor(cohort.y[fold.train], dtype=torch.float32),
            X_held_out=torch.tensor(cohort.X[fold.test]),
            budget=_SUITE.budget,
        )
    val_r = [np.corrcoef(epoch, cohort.y[fold.test])[0, 1] for epoch in trajectory.held_out]
    names = cohort.table["sample_id"].to_numpy()[fold.test]
    return pd.DataFrame({"sample_id": names, "y_pred": trajectory.held_out[int(np.argmax(val_r))]})


def test_best_epoch_handed_over_is_a_leak() -> None:
    """Whoever publishes the best epoch's predictions has used the held-out targets."""
    result = audit(_best_epoch_study, synthetic(), effort="quick", only=["LK101"])
    assert _finding(result, "LK101").status == "fail"

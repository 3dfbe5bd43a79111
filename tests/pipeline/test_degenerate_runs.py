"""Whatever a run leaves behind is measured without NaN and without a traceback."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pfactor_bench.claims import judge
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.measurements.suite import measure_suite
from pfactor_bench.splits.splitters import split_from_indices
from pfactor_bench.types import (
    Case,
    CaseResult,
    Claim,
    Curves,
    Measurement,
    ModelSpec,
    Requirement,
    Saliency,
)

if TYPE_CHECKING:
    from pfactor_bench.types import Cohort, Split

N_SUBJECTS, N_WINDOWS = 9, 2
COHORT = synthetic(n_subjects=N_SUBJECTS, n_windows=N_WINDOWS)
MODEL = ModelSpec(name="EEGNet")

#: Few distinct numbers make ties and constants; NaN is what a diverged model predicts.
NUMBERS = st.sampled_from([0.0, 0.0, 1.0, -1.0, 0.3, 1e-17, 1e9])
PREDICTED = st.sampled_from([0.0, 0.0, 1.0, -1.0, 0.3, 1e-17, 1e9, float("nan"), float("inf")])


def result(cohort: Cohort, split: Split, y_pred: np.ndarray, curve: float) -> CaseResult:
    """Return what a case leaves behind that predicted `y_pred` for the held-out windows."""
    tests = [fold.test for fold in split.folds]
    rows = np.concatenate(tests)
    table = pd.DataFrame(
        {
            "sample_id": cohort.table["sample_id"].to_numpy()[rows],
            "subject": cohort.subjects[rows],
            "fold": np.repeat([fold.name for fold in split.folds], [len(one) for one in tests]),
            "role": "test",
            "y_pred": y_pred[: len(rows)],
        }
    )
    values = np.array([curve, curve])
    return CaseResult(
        predictions=table,
        curves=tuple(Curves(train_mse=values, val_mse=values, val_r=values) for _ in split.folds),
        saliency=(Saliency(chosen_by="all-held-out", circular=False, map=np.zeros((8, 200))),),
        n_parameters=2,
        n_trainable=1,
        n_frozen=1,
        budgets=(),
        timings=(),
    )


def subjects_split(held_out: list[list[int]]) -> Split:
    """Return folds that hold out the subjects with these numbers."""
    windows = np.arange(N_SUBJECTS * N_WINDOWS)
    subject = windows // N_WINDOWS
    return split_from_indices(
        "drawn", [(windows[~np.isin(subject, f)], windows[np.isin(subject, f)]) for f in held_out]
    )


#: One fold, several, one subject per fold, and folds that are missing so that few are held out.
SPLITS = {
    "every subject in three folds": [[0, 1, 2], [3, 4, 5], [6, 7, 8]],
    "one subject per fold": [[number] for number in range(N_SUBJECTS)],
    "two folds are missing": [[0, 1, 2]],
    "two subjects": [[0, 1]],
    "two subjects in folds of one": [[0], [1]],
    "one subject": [[4]],
}


def everything(
    cohort: Cohort, split: Split, results: dict[Case, CaseResult]
) -> tuple[Measurement, ...]:
    """Return all that a report would hold."""
    suite = SimpleNamespace(
        cases=tuple(results), baselines=("train-median", "demographics", "matched-filter")
    )
    return measure_suite(suite, cohort, split, results, {})


def judged(measurements: tuple[Measurement, ...]) -> list[str]:
    """Judge a claim about every number."""
    claims = [
        Claim(id=m.name, text="", measurement=m.name, requirement=Requirement(above=0.0))
        for m in measurements
    ]
    return [verdict.status for verdict in judge(claims, measurements)]


@pytest.mark.parametrize("split", SPLITS)
@settings(deadline=None, max_examples=6, phases=[Phase.explicit, Phase.generate])
@given(
    targets=st.lists(NUMBERS, min_size=N_SUBJECTS, max_size=N_SUBJECTS),
    predicted=st.lists(
        st.lists(PREDICTED, min_size=N_SUBJECTS * N_WINDOWS, max_size=N_SUBJECTS * N_WINDOWS),
        min_size=4,
        max_size=4,
    ),
    curve=PREDICTED,
)
def test_no_run_leaves_nan_in_a_record(
    split: str, targets: list[float], predicted: list[list[float]], curve: float
) -> None:
    """Constant or tied targets and predictions, diverged models, few subjects, missing folds."""
    cohort = replace(COHORT, y=np.repeat(targets, N_WINDOWS))
    folds = subjects_split(SPLITS[split])
    labels = [("from-scratch", 1), ("from-scratch", 2), ("fine", 1), ("fine", 2)]
    results = {
        Case(regime=regime, model=MODEL, seed=seed, start=start): result(
            cohort, folds, np.array(values), curve
        )
        for (regime, seed), values, start in zip(
            labels, predicted, ("from-scratch",) * 2 + ("full-finetune",) * 2, strict=True
        )
    }
    found = everything(cohort, folds, results)
    json.dumps([asdict(one) for one in found], allow_nan=False)
    assert set(judged(found)) <= {"holds", "fails", "inconclusive"}


def test_diverged_model_has_reasons_instead_of_targets() -> None:
    """And they say what happened to whom."""
    folds = subjects_split(SPLITS["every subject in three folds"])
    y_pred = np.zeros(N_SUBJECTS * N_WINDOWS)
    y_pred[3] = np.nan
    case = Case(regime="from-scratch", model=MODEL, seed=1)
    found = everything(COHORT, folds, {case: result(COHORT, folds, y_pred, float("nan"))})
    by_name = {measurement.name: measurement for measurement in found}
    reasons = {
        by_name[f"from-scratch/{name}"].missing_because
        for name in ("seed-1/mse", "seed-1/window_mse", "mse", "skill", "pearson_r")
    }
    assert all(reason and "finite" in reason for reason in reasons)

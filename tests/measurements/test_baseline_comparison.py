"""Simple predictors beside a regime: what they are fitted on, and what cannot be fitted."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from pfactor_bench.cohorts import COHORTS
from pfactor_bench.measurements import baseline_comparison, confounds, variance_components
from pfactor_bench.measurements.held_out import held_out
from pfactor_bench.models.baselines import BASELINES
from pfactor_bench.splits.splitters import grouped_k_fold
from pfactor_bench.statistics.metrics import subject_means

REGIME = "perfect"


@pytest.fixture(scope="module")
def cohort():
    """Twenty subjects, four windows each."""
    return COHORTS["synthetic"](n_subjects=20, n_windows=4)


@pytest.fixture(scope="module")
def split(cohort):
    """Every subject held out once."""
    return grouped_k_fold(n_folds=4)(cohort.subjects)


@pytest.fixture(scope="module")
def arrays(cohort, split):
    """Return the arrays of a regime of two seeds that is right about every subject."""
    rows = held_out(cohort, split)
    names, y_true = subject_means(rows.subjects, rows.y_true)
    y_base = subject_means(rows.subjects, rows.y_base)[1]
    return {
        "subjects": names,
        "y_true": y_true,
        "y_base": y_base,
        f"{REGIME}/y_pred": np.stack([y_true, y_true]),
    }


@pytest.fixture(scope="module")
def run(cohort, split, arrays):
    """Return what a run leaves behind of the regime and three baselines."""
    return SimpleNamespace(
        cohort=cohort,
        split=split,
        arrays=arrays,
        baselines=("train-median", "demographics", "matched-filter"),
        regimes=(REGIME,),
    )


@pytest.fixture(scope="module")
def measured(run):
    """Return the baseline comparison's measurements by name."""
    return {found.name: found for found in baseline_comparison.measure(run)}


def test_train_mean_that_targets_stand_beside_is_the_baseline(cohort) -> None:
    """One predictor by that name, also where subjects have unequal numbers of windows."""
    lopsided = replace(
        cohort,
        X=cohort.X[3:],
        y=cohort.y[3:],
        table=cohort.table.iloc[3:].reset_index(drop=True),
    )
    split = grouped_k_fold(n_folds=4)(lopsided.subjects)
    baseline = np.concatenate([BASELINES["train-mean"](lopsided, fold) for fold in split.folds])
    assert baseline.tolist() == held_out(lopsided, split).y_base.tolist()


def test_ceiling_is_close_to_perfect(measured) -> None:
    """The matched filter knows what was injected."""
    assert measured["matched-filter/skill"].value > 0.9


def test_every_baseline_has_an_interval_over_subjects(measured) -> None:
    """A target never stands alone."""
    skill = measured["train-median/skill"]
    assert skill.n_subjects == 20
    assert skill.ci.low <= skill.value <= skill.ci.high


def test_baseline_that_cannot_be_fitted_says_why(measured) -> None:
    """The synthetic cohort has neither age nor sex."""
    skill = measured["demographics/skill"]
    assert skill.value is None
    assert "age" in skill.missing_because


def test_gain_is_the_baselines_error_where_a_regime_is_perfect(measured, arrays) -> None:
    """Subject by subject, in squared target units."""
    expected = float(((arrays["y_true"] - arrays["y_base"]) ** 2).mean())
    assert expected == pytest.approx(measured[f"{REGIME}-vs-train-mean/mse_gain"].value)


def test_spread_of_a_perfect_regime_is_zero_for_subjects_and_seeds(run) -> None:
    """Nothing varies, so nothing adds uncertainty."""
    found = variance_components.measure(run)
    by_source = {measurement.name.rpartition("/")[2]: measurement.value for measurement in found}
    assert (0.0, 0.0) == (by_source["subjects"], by_source["seed"])


def test_confound_without_a_column_is_missing_with_its_reason(run) -> None:
    """Never silently left out."""
    found = confounds.measure(run)
    age = next(m for m in found if m.name == f"{REGIME}/confound/age")
    assert age.missing_because == "cohort 'synthetic' has no column 'age'"

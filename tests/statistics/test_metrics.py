"""Metrics agree with scikit-learn and scipy, and say why where there is none."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as reference

from pfactor_bench.statistics.metrics import METRICS, evaluate, pearson_r, ranks, subject_means

RNG = np.random.default_rng(7)
TRUE = RNG.normal(size=40)
#: Rounded, so that ranks are tied.
PRED = np.round(0.4 * TRUE + RNG.normal(size=40), 1)
BASE = np.repeat([0.1, -0.2], 20)

EXPECTED = {
    "mse": reference.mean_squared_error(TRUE, PRED),
    "mae": reference.mean_absolute_error(TRUE, PRED),
    "r2": reference.r2_score(TRUE, PRED),
    "pearson_r": stats.pearsonr(TRUE, PRED).statistic,
    "spearman_r": stats.spearmanr(TRUE, PRED).statistic,
    # EEG2025 challenge 2: root mean squared error over the standard deviation of the truth.
    "nrmse": reference.root_mean_squared_error(TRUE, PRED) / TRUE.std(),
    "skill": 1
    - reference.mean_squared_error(TRUE, PRED) / reference.mean_squared_error(TRUE, BASE),
}


@pytest.mark.parametrize("name", METRICS)
def test_metric_agrees_with_reference(name: str) -> None:
    """To the ninth digit."""
    assert EXPECTED[name] == pytest.approx(evaluate(TRUE, PRED, BASE)[name].value, abs=1e-9)


@pytest.mark.parametrize("name", ["r2", "pearson_r", "spearman_r", "nrmse"])
def test_constant_truth_has_no_relative_metric(name: str) -> None:
    """Nothing can be explained where nothing varies."""
    found = evaluate(np.ones(9), RNG.normal(size=9), np.zeros(9))[name]
    assert (None, "the true targets are all equal") == (found.value, found.missing_because)


@pytest.mark.parametrize("name", ["pearson_r", "spearman_r"])
def test_constant_prediction_has_correlation_zero_and_says_so(name: str) -> None:
    """A constant predictor is a legitimate one, and its correlation is set."""
    found = evaluate(TRUE, np.full(40, 0.3), BASE)[name]
    assert (0.0, True) == (found.value, "constant" in (found.note or ""))


def test_exact_baseline_has_no_skill() -> None:
    """A ratio to an error of 0 is no number."""
    assert evaluate(TRUE, PRED, TRUE)["skill"].value is None


def test_one_subject_has_no_correlation() -> None:
    """A line needs two points."""
    assert pearson_r(np.ones(1), np.ones(1)).value is None


def test_two_subjects_have_every_metric() -> None:
    """Two points are enough for a value, if not for an interval."""
    found = evaluate(np.array([0.0, 1.0]), np.array([0.2, 0.5]), np.array([0.4, 0.4]))
    assert [] == [name for name, metric in found.items() if metric.value is None]


def test_subject_means_average_each_subjects_windows() -> None:
    """Whatever order the windows come in."""
    names, means = subject_means(np.array(["b", "a", "b"]), np.array([1.0, 5.0, 2.0]))
    assert (["a", "b"], [5.0, 1.5]) == (names.tolist(), means.tolist())


#: Decimals that binary fractions cannot hold, a list of windows per subject.
WINDOWS = st.lists(st.integers(-9, 9).map(lambda tenths: tenths / 10), min_size=1, max_size=7)


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.7, 1.1]), WINDOWS), min_size=3, max_size=12))
def test_spearman_is_scipys_on_exact_means(drawn: list[tuple[float, list[float]]]) -> None:
    """Targets are constant per subject, and subjects have unequal numbers of windows.

    A mean of equal numbers in floats may differ in its last digit, and two equal means as well.
    """
    subjects = np.repeat(np.arange(len(drawn)), [len(windows) for _, windows in drawn]).astype(str)
    subjects = np.char.zfill(subjects, 2)
    y_true = np.concatenate([[target] * len(windows) for target, windows in drawn])
    y_pred = np.concatenate([windows for _, windows in drawn])
    exact = [sum(Fraction(round(10 * w)) for w in windows) / len(windows) for _, windows in drawn]
    places = np.array([sorted(set(exact)).index(mean) for mean in exact], dtype=float)
    targets = np.array([target for target, _ in drawn])
    true, pred = (subject_means(subjects, values)[1] for values in (y_true, y_pred))
    assert true.tolist() == targets.tolist()
    if np.ptp(targets) and np.ptp(places):
        expected = stats.spearmanr(targets, places).statistic
        assert evaluate(true, pred, 0 * true)["spearman_r"].value == pytest.approx(
            expected, abs=1e-9
        )


@given(st.lists(st.integers(-3, 3), max_size=20))
def test_ranks_are_scipys(values: list[int]) -> None:
    """Ties share their mean rank."""
    assert ranks(np.array(values, float)).tolist() == stats.rankdata(values).tolist()


def test_last_digit_unties_nothing() -> None:
    """0.1 + 0.2 is 0.3."""
    assert ranks(np.array([0.3, 0.1 + 0.2, 0.2])).tolist() == [2.5, 2.5, 1.0]

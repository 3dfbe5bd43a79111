"""Intervals, tests and variance components: agreement with references, and degenerate input."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from pfactor_bench.statistics.comparisons import (
    corrected_resampled_t,
    paired_differences,
)
from pfactor_bench.statistics.correlations import (
    pearson_interval,
    spearman_interval,
)
from pfactor_bench.statistics.intervals import metric_intervals
from pfactor_bench.statistics.means import mean_interval
from pfactor_bench.statistics.metrics import METRICS, evaluate
from pfactor_bench.statistics.ratios import ratio_interval
from pfactor_bench.statistics.squares import difference_interval, mse_interval
from pfactor_bench.statistics.variance import variance_components
from pfactor_bench.types import Interval

if TYPE_CHECKING:
    from collections.abc import Callable

RNG = np.random.default_rng(11)
N, SEEDS = 36, 5
TRUE = RNG.normal(size=N)
PRED = 0.4 * TRUE + 0.5 * RNG.normal(size=N) + 0.3 * RNG.normal(size=(SEEDS, N))
BASE = np.repeat([0.05, -0.1, 0.0, 0.1], 9)


def found(interval: Interval | str) -> Interval:
    """Insist on an interval."""
    assert isinstance(interval, Interval)
    return interval


@pytest.mark.parametrize("name", METRICS)
def test_interval_holds_the_value(name: str) -> None:
    """The metric averaged over seeds lies within its own interval."""
    interval = found(metric_intervals(TRUE, PRED, BASE, seed=0)[name])
    value = np.mean([evaluate(TRUE, seed, BASE)[name].value for seed in PRED])
    assert interval.low < value < interval.high


@pytest.mark.parametrize("name", METRICS)
def test_interval_brings_its_standard_error(name: str) -> None:
    """Without one, nobody could say how many subjects settle a claim."""
    assert (found(metric_intervals(TRUE, PRED, BASE, seed=0)[name]).se or 0) > 0


def test_intervals_are_the_same_for_the_same_seed() -> None:
    """Nothing else is drawn from."""
    first = metric_intervals(TRUE, PRED, BASE, seed=3)
    assert first == metric_intervals(TRUE, PRED, BASE, seed=3)


def test_standard_error_of_several_like_seeds_is_that_of_one() -> None:
    """Seeds that agree are no additional subjects."""
    one = found(metric_intervals(TRUE, PRED[:1], BASE, seed=0)["pearson_r"])
    three = found(metric_intervals(TRUE, PRED[[0, 0, 0]], BASE, seed=0)["pearson_r"])
    assert one.se == pytest.approx(three.se, abs=1e-12)


def test_ratio_interval_ends_where_the_paired_t_test_turns() -> None:
    """Fieller's ends are the ratios with p = 0.05."""
    a, b = PRED[0] ** 2, TRUE**2
    interval = found(ratio_interval(a, b))
    p_values = [stats.ttest_rel(a, end * b).pvalue for end in (interval.low, interval.high)]
    assert [0.05, 0.05] == pytest.approx(p_values, abs=1e-9)


def test_ratio_standard_error_is_that_of_the_delta_method() -> None:
    """The classical ratio estimator's."""
    a, b = PRED[0] ** 2, TRUE**2
    ratio = a.mean() / b.mean()
    expected = (a - ratio * b).std(ddof=1) / b.mean() / np.sqrt(N)
    assert expected == pytest.approx(found(ratio_interval(a, b)).se, abs=1e-12)


def test_ratio_interval_of_few_subjects_is_finite() -> None:
    """Where Fieller's set has no end, the log ratio stands in."""
    a, b = np.array([0.5, 1.2, 0.1, 0.9]), np.array([2.0, 0.01, 0.3, 0.02])
    interval = found(ratio_interval(a, b))
    assert (True, "jackknife" in interval.method) == (np.isfinite(interval.high), True)


def test_pearson_jackknife_agrees_with_leaving_each_subject_out() -> None:
    """The closed form against the loop."""
    z = np.array(
        [
            np.arctanh(
                np.mean(
                    [
                        stats.pearsonr(np.delete(TRUE, i), np.delete(seed, i)).statistic
                        for seed in PRED
                    ]
                )
            )
            for i in range(N)
        ]
    )
    r = np.mean([stats.pearsonr(TRUE, seed).statistic for seed in PRED])
    half_width = stats.t.ppf(0.975, N - 1) * np.sqrt((N - 1) / N * ((z - z.mean()) ** 2).sum())
    expected = np.tanh([np.arctanh(r) - half_width, np.arctanh(r) + half_width])
    interval = found(pearson_interval(TRUE, PRED))
    assert expected.tolist() == pytest.approx([interval.low, interval.high], abs=1e-9)


def test_spearman_interval_of_one_seed_is_bonett_and_wrights() -> None:
    """Fisher's z with variance (1 + r²/2)/(n − 3)."""
    r = stats.spearmanr(TRUE, PRED[0]).statistic
    half_width = stats.norm.ppf(0.975) * np.sqrt((1 + r**2 / 2) / (N - 3))
    interval = found(spearman_interval(TRUE, PRED[:1]))
    expected = [np.tanh(np.arctanh(r) - half_width), np.tanh(np.arctanh(r) + half_width)]
    assert expected == pytest.approx([interval.low, interval.high], abs=1e-9)


def test_mean_interval_of_normal_values_is_close_to_students() -> None:
    """The bootstrap has nothing to correct there."""
    values = stats.norm.ppf((np.arange(200) + 0.5) / 200)
    interval = found(mean_interval(values, seed=0))
    expected = stats.t.interval(0.95, 199, loc=0, scale=stats.sem(values))
    assert expected == pytest.approx((interval.low, interval.high), rel=0.05)


def test_mean_interval_of_seven_subjects_is_students() -> None:
    """Too few for a studentised bootstrap."""
    interval = found(mean_interval(TRUE[:7], seed=0))
    expected = stats.ttest_1samp(TRUE[:7], 0).confidence_interval(0.95)
    assert tuple(expected) == pytest.approx((interval.low, interval.high), abs=1e-9)


def test_paired_difference_is_the_difference_of_mean_squared_errors() -> None:
    """Baseline minus model, the model's averaged over seeds."""
    value, _ = paired_differences(TRUE, PRED, {"mean": BASE})["mean"]
    expected = ((TRUE - BASE) ** 2).mean() - ((TRUE - PRED) ** 2).mean()
    assert expected == pytest.approx(value, abs=1e-12)


def test_paired_difference_excludes_zero_where_the_paired_t_test_does() -> None:
    """And so does skill: one question has one answer."""
    error, base = ((TRUE - PRED) ** 2).mean(axis=0), (TRUE - BASE) ** 2
    level = 1 - float(stats.ttest_rel(error, base).pvalue)
    ends = [
        [found(make(base, error, level=level + step)).low for step in (-1e-4, 1e-4)]
        for make in (difference_interval, lambda a, b, level: ratio_interval(a, b, level=level))
    ]
    assert (True, True) == (ends[0][0] > 0 > ends[0][1], ends[1][0] > 1 > ends[1][1])


def test_paired_difference_near_zero_end_is_students() -> None:
    """The spread is taken as it is where the effect is no larger than seen."""
    error, base = 0.5 * TRUE**2, TRUE**2
    expected = stats.ttest_rel(base, error).confidence_interval(0.95)
    interval = found(difference_interval(base, error))
    assert expected.low == pytest.approx(interval.low, abs=1e-12)


def test_paired_difference_far_end_solves_its_equation() -> None:
    """At that end the t-test with the grown variance is just about to reject."""
    error, base = ((TRUE - PRED) ** 2).mean(axis=0), (TRUE - BASE) ** 2
    gains, both = base - error, (base + error) / 2
    end = found(difference_interval(base, error)).high
    grown = (both.var(ddof=1) / both.mean() ** 2 + 1.5) / N * (end**2 - gains.mean() ** 2)
    t = (end - gains.mean()) / np.sqrt(gains.var(ddof=1) / N + grown)
    assert stats.t.ppf(0.975, N - 1) == pytest.approx(t)


@given(arrays(np.float64, (2, 9), elements=st.floats(0, 1e6)))
def test_exchanged_predictors_change_signs_only(squared: np.ndarray) -> None:
    """Neither is treated as the better one."""
    one, other = difference_interval(*squared), difference_interval(*squared[::-1])
    assert isinstance(one, str) == isinstance(other, str)
    if isinstance(one, Interval) and isinstance(other, Interval):
        assert (one.low, one.high) == pytest.approx((-other.high, -other.low))


@given(arrays(np.float64, (2, 9), elements=st.floats(0, 1e6)))
def test_paired_difference_is_students_or_up_to_half_as_wide_again(squared: np.ndarray) -> None:
    """On each side."""
    interval = difference_interval(*squared)
    if isinstance(interval, Interval):
        gains = squared[0] - squared[1]
        student = stats.t.ppf(0.975, 8) * stats.sem(gains)
        sides = np.array([gains.mean() - interval.low, interval.high - gains.mean()])
        slack = 1e-9 * squared.max()
        assert ((sides >= student - slack) & (sides <= 1.5 * student + slack)).all()


def test_paired_difference_of_equal_predictors_has_a_reason() -> None:
    """Rounding is no difference."""
    assert isinstance(difference_interval(TRUE**2, TRUE**2 + 1e-16), str)


def test_mse_interval_is_students_on_the_log_scale_downwards() -> None:
    """Only upwards is something added."""
    squared = (TRUE - PRED[0]) ** 2
    half = stats.t.ppf(0.975, N - 1) * stats.sem(squared) / squared.mean()
    assert squared.mean() * np.exp(-half) == pytest.approx(found(mse_interval(squared)).low)


def test_paired_difference_with_a_nan_baseline_has_a_reason() -> None:
    """One broken baseline does not break the others."""
    broken = paired_differences(TRUE, PRED, {"a": BASE * np.nan, "b": BASE})
    assert (None, True) == (broken["a"][0], isinstance(broken["b"][1], Interval))


def test_nothing_to_compare_with_is_nothing_found() -> None:
    """No baselines, no rows."""
    assert {} == paired_differences(TRUE, PRED, {})


def test_corrected_resampled_t_without_overlap_is_the_t_test() -> None:
    """With nobody held out there is nothing to correct."""
    differences = RNG.normal(0.3, 1, size=10)
    result = corrected_resampled_t(differences, n_train=80, n_test=0)
    assert not isinstance(result, str)
    assert stats.ttest_1samp(differences, 0).pvalue == pytest.approx(result[0], abs=1e-9)


def test_corrected_resampled_t_widens_as_nadeau_and_bengio_say() -> None:
    """Five-fold: √(1/10 + 1/4) instead of √(1/10)."""
    differences = RNG.normal(0.3, 1, size=10)
    result = corrected_resampled_t(differences, n_train=80, n_test=20)
    assert not isinstance(result, str)
    expected = differences.std(ddof=1) * np.sqrt(1 / 10 + 1 / 4)
    assert expected == pytest.approx(result[1].se, abs=1e-12)


@pytest.mark.parametrize("differences", [[0.1], [0.1, 0.1, 0.1], [0.1, np.nan]])
def test_corrected_resampled_t_has_a_reason_where_it_cannot_be_made(
    differences: list[float],
) -> None:
    """One run, no spread, a missing run."""
    assert isinstance(corrected_resampled_t(np.array(differences), n_train=8, n_test=2), str)


def test_variance_components_find_what_was_injected() -> None:
    """Subjects 4, seeds 1, folds 2, rest 0.25, on average over data sets with unequal folds."""
    rng = np.random.default_rng(0)
    folds = np.repeat(np.arange(20), [2, 3, 4, 7] * 5)
    n = len(folds)
    variances = [
        [
            part.variance
            for part in variance_components(
                rng.normal(0, 2, size=n)
                + rng.normal(0, 1, size=(20, 1))
                + rng.normal(0, np.sqrt(2), size=20)[folds]
                + rng.normal(0, 0.5, size=(20, n)),
                folds.astype(str),
            )
        ]
        for _ in range(300)
    ]
    assert [4.0, 1.0, 2.0, 0.25] == pytest.approx(np.mean(variances, axis=0).tolist(), rel=0.08)


def test_variance_components_of_one_fold_agree_with_two_way_anova() -> None:
    """Mean squares of subjects and seeds as statsmodels computes them."""
    import pandas as pd
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    errors = (TRUE - PRED) ** 2
    seeds, subjects = np.indices(errors.shape)
    frame = pd.DataFrame({"e": errors.ravel(), "s": seeds.ravel(), "p": subjects.ravel()})
    squares = anova_lm(ols("e ~ C(p) + C(s)", frame).fit())["mean_sq"]
    expected = [(squares["C(p)"] - squares["Residual"]) / SEEDS, squares["Residual"]]
    parts = variance_components(errors, np.full(N, "fold-0"))
    assert expected == pytest.approx([parts[0].variance, parts[3].variance], abs=1e-9)


@pytest.mark.parametrize(
    ("n_seeds", "folds", "missing"),
    [
        (1, ["a"] * 3 + ["b"] * 3, {"seed", "subjects × seed"}),
        (4, ["a"] * 6, {"fold"}),
        (4, list("abcdef"), {"subjects", "fold"}),
    ],
    ids=["one seed", "one fold", "one subject per fold"],
)
def test_variance_component_without_draws_is_missing_with_a_reason(
    n_seeds: int, folds: list[str], missing: set[str]
) -> None:
    """Never NaN, and the others are still there."""
    parts = variance_components(RNG.normal(size=(n_seeds, 6)) ** 2, np.array(folds))
    assert missing == {part.source for part in parts if part.missing_because}


def test_variance_components_refuse_nan() -> None:
    """An error that is missing would otherwise spread to every component."""
    with pytest.raises(ValueError, match="NaN or infinity"):
        variance_components(np.array([[1.0, np.nan]]), np.array(["a", "b"]))


def test_nan_prediction_gives_every_metric_a_reason() -> None:
    """The reason counts the subjects concerned."""
    broken = PRED.copy()
    broken[0, 3] = np.nan
    reasons = set(metric_intervals(TRUE, broken, BASE, seed=0).values())
    assert {"1 of 36 subjects have no finite target or prediction"} == reasons


def test_shapes_that_disagree_are_refused() -> None:
    """A row per subject instead of per seed would silently give nonsense."""
    with pytest.raises(ValueError, match=r"expected \(n,\), \(n_seeds, n\) and \(n,\)"):
        metric_intervals(TRUE, PRED.T, BASE, seed=0)


DEGENERATE = {
    "constant prediction": (TRUE, np.full((SEEDS, N), 0.3), BASE),
    "constant prediction of one seed": (TRUE, np.vstack([PRED[0], np.zeros(N)]), BASE),
    "prediction is the baseline": (TRUE, np.tile(BASE, (SEEDS, 1)), BASE),
    "constant truth": (np.ones(N), PRED, BASE),
    "perfect prediction": (TRUE, np.tile(TRUE, (SEEDS, 1)), BASE),
    "exact baseline": (TRUE, PRED, TRUE),
    "no subjects": (TRUE[:0], PRED[:, :0], BASE[:0]),
    "one subject": (TRUE[:1], PRED[:, :1], BASE[:1]),
    "two subjects": (TRUE[:2], PRED[:, :2], BASE[:2]),
    "three subjects": (TRUE[:3], PRED[:, :3], BASE[:3]),
    "ties": (np.round(TRUE), np.round(PRED), np.round(BASE)),
    "one subject differs": (TRUE, np.eye(1, N), BASE),
}


@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_input_gives_finite_intervals_or_reasons(case: str) -> None:
    """Never NaN, never infinity, never a warning or traceback."""
    intervals = metric_intervals(*DEGENERATE[case], seed=0, n_draws=500)
    unsound = [
        (name, interval)
        for name, interval in intervals.items()
        if not isinstance(interval, str)
        and not (np.isfinite([interval.low, interval.high, interval.se]).all())
    ]
    assert [] == unsound


def test_prediction_equal_to_the_baseline_has_no_skill_interval() -> None:
    """Rounding must not make the mean beat itself."""
    intervals = metric_intervals(TRUE, np.tile(BASE + 1e-17, (SEEDS, 1)), BASE, seed=0)
    assert isinstance(intervals["skill"], str)


@settings(deadline=None, max_examples=60)
@given(
    arrays(np.float64, (3, 9), elements=st.sampled_from([-1.0, 0.0, 0.5, 1.0])),
)
def test_any_grid_of_targets_is_survived(rows: np.ndarray) -> None:
    """Few distinct values make every kind of tie and constant."""
    intervals = metric_intervals(rows[0], rows[1:2], rows[2], seed=0, n_draws=50)
    ends = [(i.low, i.high) for i in intervals.values() if isinstance(i, Interval)]
    assert np.isfinite(np.array(ends)).all()


def test_whole_inference_of_a_suite_takes_under_five_seconds() -> None:
    """With 36 subjects, 5 seeds and 6 baselines; the best of two runs."""
    baselines = {f"baseline-{k}": BASE + k / 10 for k in range(6)}
    seconds = []
    for _ in range(2):
        began = time.process_time()
        metric_intervals(TRUE, PRED, BASE, seed=0)
        for prediction in baselines.values():
            metric_intervals(TRUE, prediction[np.newaxis] + 0.1 * TRUE, BASE, seed=0)
        paired_differences(TRUE, PRED, baselines)
        variance_components((TRUE - PRED) ** 2, np.repeat(list("abcd"), 9))
        seconds.append(time.process_time() - began)
    assert min(seconds) < 5


@pytest.mark.parametrize("make", [pearson_interval, spearman_interval])
def test_correlation_interval_of_nan_has_a_reason(make: Callable[..., Interval | str]) -> None:
    """When called by itself, too."""
    assert isinstance(make(np.full(9, np.nan), PRED[:, :9]), str)


@pytest.mark.parametrize(
    "values",
    [[1.0, 2.0], [1.0, np.nan, 2.0], [1.0, 1.0, 1.0], [0.0] * 8 + [1.0]],
    ids=["two subjects", "nan", "constant", "one subject differs"],
)
def test_log_mean_without_spread_has_a_reason(values: list[float]) -> None:
    """Too few, missing, all alike, or all but one."""
    assert isinstance(mean_interval(np.array(values), seed=0, n_draws=200, log=True), str)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([1.0, 2.0], [1.0, 1.0]),
        ([1.0, np.nan, 2.0], [1.0, 1.0, 1.0]),
        ([1.0, 2.0, 3.0], [0.0, 0.0, 0.0]),
        ([1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]),
    ],
    ids=["two subjects", "nan", "zero denominator", "one subject carries all"],
)
def test_ratio_without_spread_has_a_reason(a: list[float], b: list[float]) -> None:
    """Never a division by zero."""
    assert isinstance(ratio_interval(np.array(a), np.array(b)), str)


def test_variance_components_refuse_shapes_that_disagree() -> None:
    """A fold per subject, not per error."""
    with pytest.raises(ValueError, match=r"shape \(5, 36\) but folds has \(5,\)"):
        variance_components(PRED**2, np.array(list("abcde")))

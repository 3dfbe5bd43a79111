"""Intervals of models that were refitted in cross-validation, and of related subjects."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from pfactor_bench.statistics.comparisons import paired_differences
from pfactor_bench.statistics.correlations import pearson_interval, within_fold_r
from pfactor_bench.statistics.evaluation import CROSS_VALIDATED, HELD_OUT, per_cluster
from pfactor_bench.statistics.intervals import metric_intervals
from pfactor_bench.statistics.means import mean_interval
from pfactor_bench.statistics.ratios import ratio_interval
from pfactor_bench.statistics.squares import difference_interval, mse_interval
from pfactor_bench.types import Interval

RNG = np.random.default_rng(5)
N = 40
TRUE = RNG.normal(size=N)
PRED = 0.5 * TRUE + RNG.normal(size=(2, N))
BASE = np.zeros(N)
FOLDS = np.repeat(list("abcde"), 8)


def found(interval: Interval | str) -> Interval:
    """Insist on an interval."""
    assert isinstance(interval, Interval)
    return interval


def shrunken_ridge(
    signal: float, n: int, n_cohorts: int, *, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return targets, predictions and train means over five folds, and the procedure's skill.

    Shapes ``(n_cohorts, n)``. The penalty is so large that predictions are a tenth of what they
    should be: then a subject counts as much in training as in testing.
    """
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((n_cohorts, n + 100, 5))
    y = np.sqrt(signal) * features[..., 0] + np.sqrt(1 - signal) * rng.standard_normal(
        features.shape[:2]
    )
    pred, base = np.zeros((2, n_cohorts, n))
    for fold in range(5):
        test, train = np.arange(fold, n, 5), np.flatnonzero(np.arange(n) % 5 != fold)
        mean = y[:, train].mean(axis=1, keepdims=True)
        weights = np.einsum("cip,ci->cp", features[:, train], y[:, train] - mean) / len(train) / 10
        base[:, test] = mean
        pred[:, test] = mean + np.einsum("cip,cp->ci", features[:, test], weights)
    new = mean + np.einsum("cip,cp->ci", features[:, n:], weights)
    skill = 1 - ((y[:, n:] - new) ** 2).mean() / ((y[:, n:] - mean) ** 2).mean()
    return y[:, :n], pred, base, float(skill)


def skills(cohorts: tuple[np.ndarray, ...]) -> list[Interval]:
    """Return the interval of 1 − skill of each cohort."""
    return [
        found(ratio_interval((y - p) ** 2, (y - b) ** 2, evaluation=CROSS_VALIDATED))
        for y, p, b in zip(*cohorts, strict=True)
    ]


@pytest.mark.parametrize("n", [20, 60])
def test_shrunken_model_of_noise_rarely_beats_the_mean(n: int) -> None:
    """Nominally 2.5 %; intervals of given models let 5 % and more through."""
    *cohorts, _ = shrunken_ridge(0.0, n, 1_000, seed=1)
    holds = np.mean([interval.high < 1 for interval in skills(tuple(cohorts))])
    assert holds <= stats.binom.ppf(0.995, 1_000, 0.025) / 1_000


@pytest.mark.parametrize("signal", [0.0, 0.3])
def test_procedures_skill_is_covered(signal: float) -> None:
    """Whether there is anything to find or not; intervals of given models cover 70 to 86 %."""
    *cohorts, skill = shrunken_ridge(signal, 80, 500, seed=2)
    covered = np.mean([one.low <= 1 - skill <= one.high for one in skills(tuple(cohorts))])
    assert covered >= stats.binom.ppf(0.005, 500, 0.93) / 500


@pytest.mark.parametrize("n", [20, 60])
def test_r_within_folds_of_noise_is_rarely_above_or_below_0(n: int) -> None:
    """Pooled over folds it fails "r > 0" in up to half of all cohorts."""
    y, pred, _, _ = shrunken_ridge(0.0, n, 600, seed=3)
    folds = (np.arange(n) % 5).astype(str)
    ends = [within_fold_r(one, p[np.newaxis], folds)[1] for one, p in zip(y, pred, strict=True)]
    decided = np.mean([end.low > 0 or end.high < 0 for end in ends])
    assert decided <= stats.binom.ppf(0.999, 600, 0.05) / 600


@given(arrays(np.float64, (2, 9), elements=st.floats(0, 1e3)))
def test_no_gain_is_excluded_where_the_corrected_t_test_rejects(squared: np.ndarray) -> None:
    """With √2 times the standard error, in the paired difference and in the ratio alike."""
    interval = difference_interval(*squared, evaluation=CROSS_VALIDATED)
    if isinstance(interval, str):
        return
    gains = squared[0] - squared[1]
    t = abs(gains.mean()) / (np.sqrt(2) * stats.sem(gains))
    critical = stats.t.ppf(0.975, 8)
    if abs(t - critical) > 1e-6:
        assert (interval.low > 0 or interval.high < 0) == (t > critical)
        ratio = ratio_interval(squared[1], squared[0], evaluation=CROSS_VALIDATED)
        if isinstance(ratio, Interval) and ratio.method.startswith("Fieller"):
            assert (ratio.low > 1 or ratio.high < 1) == (t > critical)


@given(arrays(np.float64, (2, 9), elements=st.floats(0, 1e3)))
def test_refitting_never_narrows(squared: np.ndarray) -> None:
    """And at most doubles the difference's far end, itself at most half as wide again."""
    given_models = difference_interval(*squared)
    refitted = difference_interval(*squared, evaluation=CROSS_VALIDATED)
    if isinstance(given_models, Interval) and isinstance(refitted, Interval):
        slack = 1e-9 * squared.max()
        assert refitted.low <= given_models.low + slack
        assert refitted.high >= given_models.high - slack


@pytest.mark.parametrize(
    "make",
    [
        lambda evaluation: mse_interval(TRUE**2, evaluation=evaluation),
        lambda evaluation: mean_interval(TRUE**2, seed=0, evaluation=evaluation, log=True),
    ],
    ids=["mse", "mean"],
)
def test_errors_of_refitted_models_have_twice_the_standard_error(make) -> None:
    """A model that shrinks to the mean errs with the mean of the training subjects."""
    assert found(make(CROSS_VALIDATED)).se == pytest.approx(2 * found(make(HELD_OUT)).se)


@pytest.mark.parametrize(
    ("evaluation", "estimand"), [(HELD_OUT, "models"), (CROSS_VALIDATED, "procedure")]
)
def test_every_interval_says_what_it_speaks_of(evaluation, estimand: str) -> None:
    """And how many degrees of freedom it has."""
    intervals = metric_intervals(TRUE, PRED, BASE, seed=0, n_draws=200, evaluation=evaluation)
    intervals["gain"] = paired_differences(TRUE, PRED, {"b": BASE}, evaluation=evaluation)["b"][1]
    known = [one for one in intervals.values() if isinstance(one, Interval)]
    assert {(estimand, N - 1)} == {(one.estimand, one.df) for one in known}
    assert all(
        ("refitted in cross-validation" in one.method) == bool(evaluation.words) for one in known
    )


def test_r_pooled_over_folds_has_no_interval() -> None:
    """Its null is not 0; the reason names the number that has one."""
    intervals = metric_intervals(TRUE, PRED, BASE, seed=0, evaluation=CROSS_VALIDATED)
    assert all("within_fold_r" in intervals[name] for name in ("pearson_r", "spearman_r"))


def test_r_within_folds_is_that_of_centred_values_with_a_jackknife() -> None:
    """The closed form against the loop."""

    def r(kept: np.ndarray) -> float:
        def centred(values: np.ndarray) -> np.ndarray:
            return np.concatenate(
                [
                    values[kept & (FOLDS == f)] - values[kept & (FOLDS == f)].mean()
                    for f in np.unique(FOLDS)
                ]
            )

        return float(np.mean([np.corrcoef(centred(TRUE), centred(p))[0, 1] for p in PRED]))

    z = np.arctanh([r(np.arange(N) != i) for i in range(N)])
    value, interval = within_fold_r(TRUE, PRED, FOLDS)
    reach = stats.t.ppf(0.975, N - 5) * np.sqrt(2 * (N - 1) / N * ((z - z.mean()) ** 2).sum())
    assert value == pytest.approx(r(np.ones(N, bool)))
    assert (interval.low, interval.high) == pytest.approx(
        tuple(np.tanh(np.arctanh(value) + np.array([-reach, reach])))
    )


def test_what_differs_between_folds_is_no_correlation() -> None:
    """Each fold's own level, of targets and of predictions, plays no part."""
    levels = np.repeat(np.arange(5.0), 8)
    first, second = (
        within_fold_r(TRUE, PRED, FOLDS),
        within_fold_r(TRUE + levels, PRED - levels, FOLDS),
    )
    assert first[0] == pytest.approx(second[0])


def test_one_subject_per_fold_has_no_r_within_folds() -> None:
    """Leave-one-out: nothing varies."""
    assert isinstance(within_fold_r(TRUE, PRED, np.arange(N).astype(str)), str)


def test_clusters_give_statsmodels_standard_error() -> None:
    """Families of one to four: Liang and Zeger's, with the correction for few clusters."""
    import statsmodels.api as sm

    families = np.repeat(np.arange(16), [1, 2, 3, 4] * 4).astype(str)
    model = sm.OLS(TRUE, np.ones(N)).fit(
        cov_type="cluster", cov_kwds={"groups": families.astype(int), "df_correction": False}
    )
    sums = per_cluster(TRUE, families)
    # statsmodels multiplies by (n − 1) / (n − k) besides, which is 1 for a mean.
    assert (sums.mean(), stats.sem(sums)) == pytest.approx((TRUE.mean(), model.bse[0]))


def test_twins_with_equal_errors_are_one_subject() -> None:
    """Every interval of doubled subjects in families is that of the subjects, r's included."""
    twice = np.tile(np.arange(N), 2)
    names = np.char.zfill(twice.astype(str), 2)
    once = metric_intervals(TRUE, PRED, BASE, seed=0, n_draws=200)
    both = metric_intervals(
        TRUE[twice], PRED[:, twice], BASE[twice], seed=0, n_draws=200, clusters=names
    )
    for name in ("mse", "mae", "r2", "nrmse", "skill"):
        assert (once[name].low, once[name].high) == pytest.approx((both[name].low, both[name].high))
    r = found(pearson_interval(TRUE, PRED))
    assert r.se == pytest.approx(both["pearson_r"].se, rel=0.05)
    assert both["pearson_r"].df == N - 1

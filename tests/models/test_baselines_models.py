"""Baselines learn from training subjects only, and stand between floor and ceiling."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from pfactor_bench.claims import judge
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.errors import UnknownNameError
from pfactor_bench.models.baselines import BASELINES, BaselineUnavailableError, demographic_design
from pfactor_bench.models.features import log_band_power, recording_seconds
from pfactor_bench.splits.splitters import grouped_k_fold
from pfactor_bench.statistics.intervals import metric_intervals
from pfactor_bench.statistics.metrics import METRICS, evaluate, subject_means
from pfactor_bench.types import Claim, Cohort, Interval, Measurement, Requirement

if TYPE_CHECKING:
    from pathlib import Path

#: Without "demographics", which a synthetic cohort has no columns for.
FITTED = ("matched-filter", "nuisance", "random-forest", "ridge-band-power")


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    """Twenty subjects with six windows each, and age and sex in the table."""
    bare = synthetic(n_subjects=20, n_windows=6, amplitude=0.6, seed=1)
    number = bare.table["subject"].str[-2:].astype(int)
    table = bare.table.assign(
        age=10.0 + number % 7, sex=np.where(number % 2, "F", "M"), release="R1"
    )
    return replace(bare, table=table)


def folds(cohort: Cohort) -> tuple:
    """Return four folds by subject."""
    return grouped_k_fold(n_folds=4, seed=0)(cohort.subjects).folds


@pytest.mark.parametrize("name", list(BASELINES))
def test_baseline_predicts_every_held_out_window(cohort: Cohort, name: str) -> None:
    """One finite number each."""
    fold = folds(cohort)[0]
    found = BASELINES[name](cohort, fold)
    assert ((len(fold.test),), True) == (found.shape, bool(np.isfinite(found).all()))


@pytest.mark.parametrize("name", list(BASELINES))
def test_baseline_says_one_thing_about_one_subject(cohort: Cohort, name: str) -> None:
    """A prediction belongs to a subject, not to a window."""
    fold = folds(cohort)[0]
    predictions = pd.Series(BASELINES[name](cohort, fold))
    assert 1 == predictions.groupby(cohort.subjects[fold.test]).nunique().max()


@pytest.mark.parametrize("name", list(BASELINES))
def test_baseline_never_looks_at_held_out_targets(cohort: Cohort, name: str) -> None:
    """Other targets of held-out subjects, the same predictions."""
    fold = folds(cohort)[0]
    y = cohort.y.copy()
    y[fold.test] = 100.0
    before = BASELINES[name](cohort, fold)
    assert before.tolist() == BASELINES[name](replace(cohort, y=y), fold).tolist()


@pytest.mark.parametrize("name", FITTED)
def test_baseline_learns_nothing_from_other_held_out_subjects(cohort: Cohort, name: str) -> None:
    """Another signal of one held-out subject moves nobody else's prediction."""
    fold = folds(cohort)[0]
    subjects = cohort.subjects[fold.test]
    X = cohort.X.copy()
    X[fold.test[subjects == subjects[0]]] *= 5
    others = subjects != subjects[0]
    before = BASELINES[name](cohort, fold)[others]
    assert before.tolist() == BASELINES[name](replace(cohort, X=X), fold)[others].tolist()


@pytest.mark.parametrize("name", FITTED)
def test_baseline_moves_with_training_targets(cohort: Cohort, name: str) -> None:
    """It does learn."""
    fold = folds(cohort)[0]
    y = cohort.y.copy()
    y[fold.train] = -2 * y[fold.train]
    before = BASELINES[name](cohort, fold)
    assert not np.allclose(before, BASELINES[name](replace(cohort, y=y), fold))


def test_train_mean_counts_each_subject_once(cohort: Cohort) -> None:
    """Whoever has more windows has no more votes."""
    fold = folds(cohort)[0]
    lopsided = replace(fold, train=fold.train[5:])
    expected = pd.Series(cohort.y).groupby(cohort.subjects).first()
    subjects = np.unique(cohort.subjects[fold.train])
    assert expected[subjects].mean() == pytest.approx(BASELINES["train-mean"](cohort, lopsided)[0])


def test_matched_filter_is_the_ceiling_of_a_synthetic_cohort(cohort: Cohort) -> None:
    """It explains nearly all that was injected; no baseline without the wave form comes near."""
    skill = {}
    for name in ("matched-filter", "ridge-band-power", "train-median"):
        parts = [
            (cohort.y[f.test], BASELINES[name](cohort, f), BASELINES["train-mean"](cohort, f))
            for f in folds(cohort)
        ]
        skill[name] = evaluate(*(np.concatenate(column) for column in zip(*parts, strict=True)))[
            "skill"
        ].value
    assert skill["matched-filter"] > max(0.9, skill["ridge-band-power"], skill["train-median"])


def test_cohort_without_injected_signal_has_no_ceiling(cohort: Cohort) -> None:
    """Said as such, not as a failure."""
    with pytest.raises(BaselineUnavailableError, match="no known ceiling"):
        BASELINES["matched-filter"](replace(cohort, injected=None), folds(cohort)[0])


@pytest.mark.parametrize("column", ["age", "sex"])
def test_one_of_age_and_sex_is_enough(cohort: Cohort, column: str) -> None:
    """The other is left out."""
    fold = folds(cohort)[0]
    half = replace(cohort, table=cohort.table.drop(columns=column))
    assert np.isfinite(BASELINES["demographics"](half, fold)).all()


def test_cohort_without_age_and_sex_has_no_demographics(cohort: Cohort) -> None:
    """The message names the columns to add."""
    bare = replace(cohort, table=cohort.table.drop(columns=["age", "sex"]))
    with pytest.raises(BaselineUnavailableError, match="'age' or 'sex': add such a column"):
        BASELINES["demographics"](bare, folds(cohort)[0])


def test_missing_age_becomes_the_training_mean() -> None:
    """Never that of the held-out subjects."""
    train = pd.DataFrame({"age": [10.0, 20.0, None]})
    test = pd.DataFrame({"age": ["n/a", "30"]})
    design = demographic_design(train, test)
    assert ([10.0, 20.0, 15.0], [15.0, 30.0]) == tuple(side[:, 0].tolist() for side in design)


def test_sex_unseen_in_training_is_neither() -> None:
    """An indicator per training category but the first."""
    train = pd.DataFrame({"sex": ["M", "F", "m "]})
    design = demographic_design(train, pd.DataFrame({"sex": ["other", "M"]}))
    assert ([[1.0], [0.0], [1.0]], [[0.0], [1.0]]) == tuple(side.tolist() for side in design)


def test_unknown_baseline_names_the_closest() -> None:
    """As every registry does."""
    with pytest.raises(UnknownNameError, match="did you mean 'train-mean'"):
        BASELINES["trainmean"]


def test_band_power_finds_a_rhythm_in_its_band(cohort: Cohort) -> None:
    """A pure 10 Hz wave stands out in the alpha band of its channel."""
    time = np.arange(200) / cohort.sfreq
    X = np.zeros((len(cohort.X), *cohort.X.shape[1:]), dtype=np.float32)
    X[:, 3] = np.sin(2 * np.pi * 10 * time)
    features = log_band_power(replace(cohort, X=X)).reshape(len(X), 5, 8)
    assert (2, 3) == np.unravel_index(features[0].argmax(), features[0].shape)


def test_recording_length_sums_runs() -> None:
    """Two runs of 2 s and 1 s, the gap inside a run included."""
    table = pd.DataFrame(
        {
            "subject": "a",
            "session": "",
            "run": ["1", "1", "2"],
            "task": "rest",
            "start": [0, 100, 50],
            "stop": [100, 200, 150],
        }
    )
    assert 3.0 == recording_seconds(table, 100.0)["a"]


@pytest.fixture(scope="module")
def hbn(data_dir: Path) -> pd.DataFrame:
    """All subjects of HBN with a p-factor, in the order of the table."""
    path = data_dir / "hbn" / "participants_all_releases.tsv"
    subjects = pd.read_csv(path, sep="\t", na_values="n/a")
    return subjects.dropna(subset="p_factor").reset_index(drop=True)


def demographics_only(subjects: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truth, age-and-sex prediction and train mean by ten folds of subjects."""
    from sklearn.linear_model import LinearRegression

    y = subjects["p_factor"].to_numpy()
    predicted, base = np.empty(len(y)), np.empty(len(y))
    for fold in grouped_k_fold(n_folds=10, seed=0)(subjects["participant_id"].to_numpy(str)).folds:
        train, test = demographic_design(subjects.iloc[fold.train], subjects.iloc[fold.test])
        predicted[fold.test] = LinearRegression().fit(train, y[fold.train]).predict(test)
        base[fold.test] = y[fold.train].mean()
    return y, predicted, base


def test_hbn_has_3116_p_factors(hbn: pd.DataFrame) -> None:
    """One per subject, over eleven releases."""
    assert (3116, 3116) == (len(hbn), hbn["participant_id"].nunique())


def test_hbn_demographics_agree_with_least_squares_of_statsmodels(hbn: pd.DataFrame) -> None:
    """The same fitted values on all subjects, to the ninth digit."""
    import statsmodels.formula.api as smf
    from sklearn.linear_model import LinearRegression

    known = hbn.dropna(subset=["age", "sex"])
    design, _ = demographic_design(known, known)
    ours = LinearRegression().fit(design, known["p_factor"]).predict(design)
    theirs = smf.ols("p_factor ~ age + C(sex)", known).fit().fittedvalues
    assert theirs.to_numpy() == pytest.approx(ours, abs=1e-9)


def test_hbn_demographics_metrics_agree_with_scikit_learn(hbn: pd.DataFrame) -> None:
    """R² and mean squared error of 3,116 held-out subjects."""
    from sklearn.metrics import mean_squared_error, r2_score

    y, predicted, base = demographics_only(hbn)
    ours = evaluate(y, predicted, base)
    expected = (r2_score(y, predicted), mean_squared_error(y, predicted))
    assert expected == pytest.approx((ours["r2"].value, ours["mse"].value), abs=1e-9)


def test_hbn_demographics_interval_agrees_with_scipys_bootstrap(hbn: pd.DataFrame) -> None:
    """Skill over 3,116 subjects: both ends to within a tenth of the width."""
    from scipy.stats import bootstrap

    y, predicted, base = demographics_only(hbn)
    interval = metric_intervals(y, predicted[np.newaxis], base, seed=0, n_draws=100)["skill"]
    assert isinstance(interval, Interval)
    errors = ((y - predicted) ** 2, (y - base) ** 2)
    theirs = bootstrap(
        errors,
        lambda model, mean, axis: 1 - model.mean(axis=axis) / mean.mean(axis=axis),
        paired=True,
        n_resamples=4_000,
        batch=200,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    width = theirs.high - theirs.low
    assert tuple(theirs) == pytest.approx((interval.low, interval.high), abs=0.1 * width)


def test_hbn_age_and_sex_correlate_with_the_p_factor(hbn: pd.DataFrame) -> None:
    """A confound, though a weak one: the whole interval of r lies between 0 and 0.2."""
    y, predicted, base = demographics_only(hbn)
    interval = metric_intervals(y, predicted[np.newaxis], base, seed=0, n_draws=100)["pearson_r"]
    assert isinstance(interval, Interval)
    assert 0 < interval.low < interval.high < 0.2


def test_hbn_every_metric_has_an_interval(hbn: pd.DataFrame) -> None:
    """Three thousand subjects are no degenerate sample."""
    y, predicted, base = demographics_only(hbn)
    found = metric_intervals(y, predicted[np.newaxis], base, seed=0, n_draws=500)
    assert [] == [name for name in METRICS if isinstance(found[name], str)]


def test_age_that_nobody_has_is_left_out(cohort: Cohort) -> None:
    """Sex alone predicts then."""
    fold = folds(cohort)[0]
    ageless = replace(cohort, table=cohort.table.assign(age="n/a"))
    assert np.isfinite(BASELINES["demographics"](ageless, fold)).all()


def injected_skill(cohort: Cohort) -> tuple[str, int | None]:
    """Judge "the matched filter beats the train mean" over four folds."""
    parts = [
        (
            cohort.y[f.test],
            BASELINES["matched-filter"](cohort, f),
            BASELINES["train-mean"](cohort, f),
        )
        for f in folds(cohort)
    ]
    subjects = np.concatenate([cohort.subjects[f.test] for f in folds(cohort)])
    y, predicted, base = (
        subject_means(subjects, np.concatenate(column))[1] for column in zip(*parts, strict=True)
    )
    interval = metric_intervals(y, predicted[np.newaxis], base, seed=0, n_draws=100)["skill"]
    measurement = Measurement(
        name="m/skill",
        case="m",
        value=evaluate(y, predicted, base)["skill"].value,
        ci=interval if isinstance(interval, Interval) else None,
        n_subjects=len(y),
    )
    claim = Claim(
        id="c", text="", measurement="m/skill", requirement=Requirement(above=0.0), level="gate"
    )
    verdict = judge([claim], [measurement])[0]
    return verdict.status, verdict.subjects_needed


def test_learnable_cohort_beats_the_mean(cohort: Cohort) -> None:
    """What was injected is found, and the claim holds."""
    assert ("holds", None) == injected_skill(cohort)


@pytest.mark.parametrize("seed", range(5))
def test_null_cohort_never_beats_the_mean(cohort: Cohort, seed: int) -> None:
    """The same filter on noise: inconclusive or fails."""
    noise = synthetic(n_subjects=20, n_windows=6, amplitude=0.0, seed=seed)
    assert "holds" != injected_skill(replace(noise, injected=cohort.injected))[0]


def test_four_subjects_are_inconclusive_without_a_number_of_subjects() -> None:
    """As many as the case study holds out, predicted well: no claim, and no guess from them."""
    few = synthetic(n_subjects=4, n_windows=24, seed=42)
    status, subjects = injected_skill(few)
    assert ("inconclusive", None) == (status, subjects)

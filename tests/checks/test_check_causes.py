"""What a leak of held-out targets is called: its cause, and no cause that answers leave open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from benchmarks.detection.honest import (
    HONEST,
    band_features,
    predictions_table,
    ridge,
    subject_folds,
)
from benchmarks.detection.leaky import INJECTED
from benchmarks.detection.tricky import HIDDEN
from pfactor_bench.auditing.audit import audit
from pfactor_bench.auditing.report import audit_report
from pfactor_bench.checks import run_check
from pfactor_bench.checks.metamorphic.probe import Probe
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.studies.harness import Runner
from pfactor_bench.studies.sandbox import Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pfactor_bench.studies.contract import Study
    from pfactor_bench.types import Cohort

    Predict = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]]

_COHORT = synthetic(n_subjects=12, n_windows=6, seed=5)

RESCALED = "shifted or scaled with held-out targets"
CHOSEN = "a choice among options"
_CORE = ("LK100", "LK101", "LK102")
WINDOWS = "windows were split, not subjects"
TRAINED = "the model is trained on"


def _first_sentence(study: Study) -> str:
    probe = Probe(Runner(study, seed=0, limits=Limits(seconds=60)), _COHORT)
    finding = run_check("LK101", study=probe)
    assert finding.status == "fail", finding.explanation
    return finding.explanation.partition(". ")[0]


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("target_scaled_on_everything", RESCALED),
        ("bias_corrected_with_test_targets", RESCALED),
        ("clipped_to_test_range", "clipped to the range of held-out targets"),
        ("stopped_on_the_test_set", CHOSEN),
        ("tuned_on_the_test_set", CHOSEN),
        ("best_seed", CHOSEN),
        ("split_by_window", f"{WINDOWS}: 10 of 12 subjects are in train and test"),
        ("trained_on_everything", TRAINED),
        ("warm_start_across_folds", TRAINED),
        ("mixed_across_the_split", TRAINED),
        ("features_chosen_on_everything", "one of: features or settings are chosen"),
    ],
)
def test_cause_is_named(name: str, cause: str) -> None:
    """The first sentence says what went wrong."""
    assert cause in _first_sentence(INJECTED[name].study)


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("one_subject_slips_in", f"{TRAINED} 1 of the subjects that it predicts: sub-"),
        ("remembers_targets", "one of: held-out targets are looked up"),
        ("unseeded_split_of_windows", WINDOWS),
    ],
)
def test_cause_of_a_hidden_leak_is_named(name: str, cause: str) -> None:
    """In whichever fold it hides."""
    assert cause in _first_sentence(HIDDEN[name][0])


def _each_fold(cohort: Cohort, seed: int, predict: Predict) -> pd.DataFrame:
    return pd.concat(
        predictions_table(cohort, test, predict(train, test), fold)
        for fold, train, test in subject_folds(cohort, seed)
    )


def _one_feature_trained_on_all(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Whatever a line of one feature is taught, it is a line of what it answered before."""
    features = band_features(cohort.X)[:, 3:4]
    return _each_fold(cohort, seed, lambda _, test: ridge(features, cohort.y)(features[test]))


def _mean_of_all(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Predict the mean of all, which is trained, and shifted, in one."""
    return _each_fold(cohort, seed, lambda _, test: np.full(len(test), cohort.y.mean()))


def _classes_trained_on_all(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Classes do not notice small steps of targets, and choose nothing."""
    features, above = band_features(cohort.X), (cohort.y > np.median(cohort.y)).astype(float)
    return _each_fold(cohort, seed, lambda _, test: ridge(features, above)(features[test]))


def _classes_about_the_mean_of_all(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Train on classes about a mean that moves with the targets."""
    features, above = band_features(cohort.X), (cohort.y > cohort.y.mean()).astype(float)
    return _each_fold(cohort, seed, lambda _, test: ridge(features, above)(features[test]))


def _components_fitted_with_all_targets(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Fit one feature with all targets, and the model with those of training subjects."""
    features = band_features(cohort.X)
    centred = features - features.mean(axis=0)
    direction = centred.T @ (cohort.y - cohort.y.mean())
    target = (centred @ direction / np.linalg.norm(direction))[:, None]
    return _each_fold(
        cohort,
        seed,
        lambda train, test: ridge(target[train], cohort.y[train], 1.0)(target[test]),
    )


def _part_of_windows_shifted(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Only every other window is handed in, and none is trained on."""
    features = band_features(cohort.X)

    def shifted(train: NDArray[np.int64], test: NDArray[np.int64]) -> NDArray[np.float64]:
        y_pred = ridge(features[train], cohort.y[train])(features[test])
        corrected: NDArray[np.float64] = y_pred - y_pred.mean() + cohort.y[test].mean()
        return corrected

    return _each_fold(cohort, seed, shifted).iloc[::2]


def _part_of_windows_chosen(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Choose a setting by windows that are not handed in."""
    return INJECTED["tuned_on_the_test_set"].study(cohort, seed=seed).iloc[::2]


def _nearest_window_of_all(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Answer with the target of the nearest window of all, which is the very one."""
    return _each_fold(cohort, seed, lambda _, test: cohort.y[test] + 0.0)


@pytest.mark.parametrize(
    ("study", "cause"),
    [
        (_one_feature_trained_on_all, RESCALED),
        (_mean_of_all, RESCALED),
        (_classes_trained_on_all, CHOSEN),
        (_classes_about_the_mean_of_all, CHOSEN),
        (_components_fitted_with_all_targets, TRAINED),
        (_part_of_windows_shifted, WINDOWS),
        (_part_of_windows_chosen, WINDOWS),
        (_nearest_window_of_all, TRAINED),
    ],
)
def test_twin_of_a_cause_is_not_named_so(study: Study, cause: str) -> None:
    """Another cause that looks alike at first is not taken for it."""
    said = _first_sentence(study)
    assert said.startswith("one of") or cause not in said


@pytest.mark.parametrize("name", ["trained_on_everything", "bias_corrected_with_test_targets"])
def test_second_relation_follows_from_the_first(name: str) -> None:
    """One leak is one accusation: signals reach predictions where targets do."""
    found = {one.code: one for one in audit(INJECTED[name].study, _COHORT, only=_CORE).findings}
    assert (found["LK101"].status, found["LK102"].status) == ("fail", "warn")
    assert found["LK102"].explanation.startswith("follows from LK101")


def test_second_relation_alone_accuses() -> None:
    """Nothing else says so where LK101 is not asked for."""
    found = audit(INJECTED["trained_on_everything"].study, _COHORT, only=["LK102"])
    assert found.verdict == "leaky"


@pytest.mark.parametrize(
    ("fold", "called"), [("1", "fold '1'"), ("site B, late", "fold 'site B, late'")]
)
def test_fold_is_called_as_its_owner_calls_it(fold: str, called: str) -> None:
    """In words and in quotes: a number alone says nothing."""

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        table = HIDDEN["one_subject_slips_in"][0](cohort, seed=seed)
        return table.assign(fold=table["fold"].replace("fold-1", fold))

    probe = Probe(Runner(study, seed=0, limits=Limits(seconds=60)), _COHORT)
    assert f" in {called} by up to " in run_check("LK101", study=probe).explanation


def test_single_fold_without_a_name_is_not_given_one() -> None:
    """The owner knows of no fold-0."""

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        table = HONEST["one_split"](cohort, seed=seed)
        return table.assign(y_pred=table["y_pred"] + cohort.y.mean())

    probe = Probe(Runner(study, seed=0, limits=Limits(seconds=60)), _COHORT)
    assert " in the only fold by up to " in run_check("LK101", study=probe).explanation


def test_headline_names_the_cause() -> None:
    """Beside the verdict, in the line and in the report."""
    found = audit(INJECTED["split_by_window"].study, _COHORT, only=_CORE)
    assert found.headline == f"{WINDOWS}: 10 of 12 subjects are in train and test"
    assert found.headline in audit_report(found).splitlines()[2]

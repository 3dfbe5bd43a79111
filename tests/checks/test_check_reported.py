"""Checks of what is reported: numbers, subjects, and choices made after seeing targets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from pfactor_bench.checks import run_check
from pfactor_bench.statistics.metrics import evaluate, subject_means
from pfactor_bench.types import Claim, Interval, Measurement, Requirement, Saliency

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pfactor_bench.types import Cohort, Finding, Split


@pytest.fixture(scope="module")
def predictions(cohort: Cohort, split: Split) -> pd.DataFrame:
    """Return the contract's table of a predictor that is partly right."""
    rng = np.random.default_rng(3)
    tables = [
        pd.DataFrame(
            {
                "sample_id": cohort.table["sample_id"].to_numpy()[fold.test],
                "fold": fold.name,
                "role": "test",
                "y_pred": 0.5 * cohort.y[fold.test] + rng.normal(size=len(fold.test)),
            }
        )
        for fold in split.folds
    ]
    return pd.concat(tables, ignore_index=True)


def _reported(
    name: str, value: float, cohort: Cohort, split: Split, predictions: pd.DataFrame
) -> Finding:
    measured = Measurement(name=f"ridge/{name}", case="ridge", value=value)
    return run_check(
        "LK031",
        cohort=cohort,
        split=split,
        predictions=predictions.assign(case="ridge"),
        measurements=(measured,),
    )


def _window_skill(cohort: Cohort, split: Split, predictions: pd.DataFrame, side: str) -> float:
    """Return skill over windows against the mean of one side of each fold."""
    truth = np.concatenate([cohort.y[fold.test] for fold in split.folds])
    base = np.concatenate(
        [np.full(len(fold.test), cohort.y[getattr(fold, side)].mean()) for fold in split.folds]
    )
    error = ((truth - predictions["y_pred"].to_numpy()) ** 2).mean()
    return float(1 - error / ((truth - base) ** 2).mean())


def test_honest_skill_passes(cohort: Cohort, split: Split, predictions: pd.DataFrame) -> None:
    """Skill against the mean of the training subjects follows from the predictions."""
    skill = _window_skill(cohort, split, predictions, "train")
    assert _reported("window_skill", skill, cohort, split, predictions).status == "pass"


def test_baseline_from_the_test_set_is_found(
    cohort: Cohort, split: Split, predictions: pd.DataFrame
) -> None:
    """Skill against the mean of the held-out subjects is recognised as such."""
    skill = _window_skill(cohort, split, predictions, "test")
    finding = _reported("window_skill", skill, cohort, split, predictions)
    assert finding.evidence[0]["uses_test_mean"] is True


def test_number_from_elsewhere_is_found(
    cohort: Cohort, split: Split, predictions: pd.DataFrame
) -> None:
    """A correlation that the predictions do not have is found."""
    assert _reported("pearson_r", 0.99, cohort, split, predictions).status == "fail"


def test_tied_targets_stay_tied_in_subjects_of_unequal_windows() -> None:
    """A mean of equal numbers differs in its last digit: ranks of it are no rank correlation."""
    from scipy.stats import spearmanr

    from pfactor_bench.checks.reported.recompute import _formulas, _per_subject

    n_windows, targets = [3, 6, 7, 10, 11], np.array([0.1, 0.1, 0.1, 0.7, 0.7])
    predicted = np.array([0.5, 0.1, 0.9, 0.2, 0.8])
    subjects = np.repeat([f"s{i}" for i in range(5)], n_windows)
    rows = [np.repeat(values, n_windows) for values in (targets, predicted, np.zeros(5))]
    found = _formulas(*_per_subject(subjects, *rows))["spearman_r"]
    assert found == pytest.approx(spearmanr(targets, predicted).statistic)


def test_subject_held_out_twice_is_one_subject(
    cohort: Cohort, split: Split, predictions: pd.DataFrame
) -> None:
    """Repeated folds are averaged subject by subject before anything is evaluated."""
    again = [replace(fold, name=f"again-{fold.name}") for fold in split.folds]
    twice = replace(split, folds=(*split.folds, *again))
    moved = predictions.assign(fold="again-" + predictions["fold"], y_pred=0.0)
    tested = cohort.table["sample_id"].map(predictions.set_index("sample_id")["y_pred"])
    subjects = [subject_means(cohort.subjects, one)[1] for one in (cohort.y, tested / 2)]
    value = float(((subjects[0] - subjects[1]) ** 2).mean())
    assert _reported("mse", value, cohort, twice, pd.concat([predictions, moved])).status == "pass"


def test_train_mean_is_checked_beside_the_cases(
    cohort: Cohort, split: Split, predictions: pd.DataFrame
) -> None:
    """The baseline's own error is recomputed although it has no predictions."""
    finding = run_check(
        "LK031",
        cohort=cohort,
        split=split,
        predictions=predictions.assign(case="ridge"),
        measurements=(Measurement(name="train-mean/mse", case="train-mean", value=0.1),),
    )
    assert finding.evidence[0]["measurement"] == "train-mean/mse"


def test_without_a_known_metric_it_does_not_apply(
    cohort: Cohort, split: Split, predictions: pd.DataFrame
) -> None:
    """A number that no predictions bear on cannot be recomputed."""
    finding = _reported("injected_share", 0.2, cohort, split, predictions)
    assert finding.status == "not_applicable"


def test_our_metrics_know_the_oracles() -> None:
    """The project's own metric function gives every known answer."""
    assert run_check("LK034", metric=evaluate).status == "pass"


@pytest.mark.parametrize(
    ("name", "wrong"), [("pearson_r", float("nan")), ("skill", 0.3), ("mse", 1.0)]
)
def test_broken_metric_is_found(name: str, wrong: float) -> None:
    """A metric function that answers the same whatever it is asked is found."""

    def broken(*_arrays: object) -> Mapping[str, object]:
        return {name: wrong}

    assert run_check("LK034", metric=broken).status == "fail"


def test_metric_oracles_need_a_metric() -> None:
    """Without a metric function there is nothing to try."""
    assert run_check("LK034").status == "not_applicable"


def _subjects(cohort: Cohort, split: Split, *claims: Claim, **measured: object) -> Finding:
    measurement = Measurement(name="a/pearson_r", case="a", value=0.5, **measured)
    return run_check(
        "LK026", cohort=cohort, split=split, measurements=(measurement,), claims=claims
    )


def test_numbers_over_subjects_pass(cohort: Cohort, split: Split) -> None:
    """A measurement that rests on the subjects held out is what it says."""
    assert _subjects(cohort, split, n_subjects=9).status == "pass"


def test_windows_counted_as_subjects_are_found(cohort: Cohort, split: Split) -> None:
    """An n of 36 with 9 subjects held out counts windows."""
    assert _subjects(cohort, split, n_subjects=36).status == "fail"


def test_interval_without_subjects_is_found(cohort: Cohort, split: Split) -> None:
    """An interval that rests on nobody knows how many counts windows."""
    ci = Interval(low=0.4, high=0.6, level=0.95, method="t")
    assert _subjects(cohort, split, ci=ci).status == "fail"


@pytest.mark.parametrize(
    ("requirement", "status"),
    [
        pytest.param(Requirement(above=0.0), "fail", id="inference"),
        pytest.param(Requirement(equals=0.5), "pass", id="reproduction"),
    ],
)
def test_claim_about_windows(
    requirement: Requirement, status: str, cohort: Cohort, split: Split
) -> None:
    """A number over windows may be reproduced, but nothing may be inferred from it."""
    claim = Claim(id="c", text="", measurement="a/val_r", requirement=requirement)
    assert _subjects(cohort, split, claim, n_subjects=9).status == status


def test_pseudo_replication_needs_measurements(cohort: Cohort, split: Split) -> None:
    """Without numbers nobody has counted anything."""
    assert run_check("LK026", cohort=cohort, split=split).status == "not_applicable"


@pytest.mark.parametrize(("n_folds", "status"), [(1, "warn"), (3, "pass")])
def test_few_subjects(n_folds: int, status: str, cohort: Cohort, predictions: pd.DataFrame) -> None:
    """Three subjects held out are too few; nine are not."""
    folds = [f"fold-{number}" for number in range(n_folds)]
    table = predictions[predictions["fold"].isin(folds)]
    assert run_check("LK035", cohort=cohort, predictions=table).status == status


def test_few_subjects_needs_predictions(cohort: Cohort) -> None:
    """Without predictions nobody is held out."""
    assert run_check("LK035", cohort=cohort).status == "not_applicable"


@pytest.mark.parametrize(("name", "status"), [("a/best_val_r", "warn"), ("a/val_r", "pass")])
def test_best_epoch(name: str, status: str) -> None:
    """A number named as the best of several is said to be too good."""
    measured = Measurement(name=name, case="a", value=0.5)
    assert run_check("LK017", measurements=(measured,)).status == status


def test_best_epoch_needs_measurements() -> None:
    """Without numbers none is a best one."""
    assert run_check("LK017").status == "not_applicable"


@pytest.mark.parametrize(
    ("entry", "status"),
    [
        ("smallest-error", "warn"),
        ("all-held-out", "pass"),
        (Saliency(chosen_by="mine", circular=True, map=np.zeros((1, 1))), "warn"),
        (Saliency(chosen_by="mine", circular=False, map=np.zeros((1, 1))), "pass"),
    ],
)
def test_circular_explanation(entry: object, status: str) -> None:
    """A choice of windows by their true target is named."""
    assert run_check("LK033", saliency=(entry,)).status == status


def test_circular_explanation_needs_saliency() -> None:
    """Without an explanation there is nothing circular."""
    assert run_check("LK033").status == "not_applicable"

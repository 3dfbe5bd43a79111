"""What a report must say unasked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from scipy.stats import pearsonr, t

from pfactor_bench.report.sections.caveats import caveats, null_r_probability
from pfactor_bench.types import Measurement

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record


def said(record: Record) -> str:
    """Return all cautions in one string."""
    return "\n".join(caveats(record))


@pytest.mark.parametrize("n", [3, 4, 5, 6, 7, 18, 27, 136])
@pytest.mark.parametrize("r", [-0.9, -0.1, 0.0, 0.137, 0.5, 0.852])
def test_null_probability_is_students(r: float, n: int) -> None:
    """The finite series equals the t distribution's tail."""
    statistic = abs(r) * ((n - 2) / (1 - r**2)) ** 0.5
    assert null_r_probability(r, n) == pytest.approx(2 * t.sf(statistic, n - 2), abs=1e-12)


def test_null_probability_is_what_scipy_says_of_data() -> None:
    """The definition is that of the usual test of a correlation."""
    expected = pearsonr([1, 2, 3, 4, 5], [2, 1, 4, 3, 9])
    assert null_r_probability(expected.statistic, 5) == pytest.approx(expected.pvalue)


def test_a_perfect_r_is_impossible_by_chance() -> None:
    """An r of 1 is not a division by zero."""
    assert null_r_probability(1.0, 7) == pytest.approx(0, abs=1e-12)


def test_best_seed_rests_on_few_subjects_and_one_seed(record: Record) -> None:
    """The largest r is named with its seed and its number of subjects."""
    assert "r = 0.852 (from-scratch, seed 43) rests on 4 subjects and one seed" in said(record)


def test_chance_of_the_best_r_is_given(record: Record) -> None:
    """With 4 subjects a null r is uniform: 15% reach 0.852, a quarter exceeds a half."""
    assert (
        "probability 15% (with 4 subjects every r is equally likely then: r > 0.5 has 25%)"
        in said(record)
    )


def test_range_over_seeds_is_given(record: Record) -> None:
    """The best seed does not stand alone."""
    assert "Over 2 seeds r runs from -0.385 to 0.852" in said(record)


def test_best_val_r_is_a_maximum_over_epochs(record: Record) -> None:
    """It stands beside what the last epoch gives."""
    assert "maximum over epochs" in said(record)
    assert "it is 0.012" in said(record)


def test_train_mean_comparison_is_always_there(record: Record) -> None:
    """Whether the train mean was beaten is answered, here with no."""
    assert "from-scratch was not shown to beat the train mean" in said(record)


def test_circular_saliency_is_marked(record: Record) -> None:
    """Windows chosen by the true targets explain nothing."""
    assert "Saliency over windows chosen by least-error is circular" in said(record)


def test_fewer_than_eight_subjects_are_too_few(record: Record) -> None:
    """The least number of subjects that may carry a claim is named."""
    assert "With fewer than 8 no claim about subjects can hold" in said(record)


def test_a_failed_check_comes_first(record: Record) -> None:
    """Nothing is worth knowing before a leak."""
    assert caveats(record)[0].startswith("**Quote no number from here yet**")


def test_without_failed_checks_no_alarm_is_raised(record: Record) -> None:
    """A clean record's first caution is about the train mean."""
    clean = replace(record, findings=record.findings[:2])
    assert caveats(clean)[0].startswith("**Was the train mean beaten?**")


def test_spread_of_predictions_is_told(record: Record) -> None:
    """A model that says the same of every subject is recognised."""
    ratio = Measurement(name="from-scratch/sd_ratio", case="from-scratch", value=0.01)
    told = replace(record, measurements=(*record.measurements, ratio))
    assert "differ between subjects by 1% of what the true targets do" in said(told)


def test_missing_skill_has_its_reason(record: Record) -> None:
    """Without skill the reader learns why."""
    missing = Measurement(
        name="from-scratch/skill",
        case="from-scratch",
        value=None,
        missing_because="the train mean is exact here",
    )
    others = tuple(m for m in record.measurements if m.name != missing.name)
    changed = replace(record, measurements=(*others, missing))
    assert "skill has no value: the train mean is exact here" in said(changed)


def test_constant_predictions_are_told(record: Record) -> None:
    """An r that was set to 0 says so."""
    constant = Measurement(
        name="from-scratch/seed-42/pearson_r",
        case="from-scratch/seed-42",
        value=0.0,
        note="the prediction is constant: r is set to 0",
    )
    others = tuple(m for m in record.measurements if m.name != constant.name)
    changed = replace(record, measurements=(*others, constant))
    assert "In from-scratch/seed-42, the prediction is constant" in said(changed)


def test_pooling_folds_is_explained(record: Record) -> None:
    """With several folds even the train mean has an r, and that is what to compare with."""
    folds = [{**record.split["folds"][0], "name": name} for name in ("fold-0", "fold-1")]
    base = Measurement(name="train-mean/pearson_r", case="train-mean", value=-0.31)
    several = replace(
        record,
        split={**record.split, "folds": folds},
        measurements=(*record.measurements, base),
    )
    assert "Predicting each fold's train mean gives r = -0.310 here" in said(several)


def test_repeated_folds_are_an_ensemble(record: Record) -> None:
    """A subject's predictions are averaged before anything is evaluated."""
    twice = {**record.split, "folds": [*record.split["folds"]] * 2}
    assert "the skill is that of an ensemble" in said(replace(record, split=twice))
    assert "ensemble" not in said(record)

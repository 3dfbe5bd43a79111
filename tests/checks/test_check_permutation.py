"""Whole studies on permuted targets: nothing on average without a leak, and few false alarms."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from benchmarks.detection.honest import plain_ridge
from benchmarks.detection.leaky import INJECTED
from pfactor_bench.auditing.audit import audit
from pfactor_bench.checks.engine.effort import THOROUGH
from pfactor_bench.checks.metamorphic.permutation import held_out_covariance
from pfactor_bench.checks.metamorphic.sequential import LEVEL, look_at, looks_within
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.studies.contract import Answer, AnsweredFold

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from pfactor_bench.studies.contract import Study
    from pfactor_bench.types import Cohort

    Rule = Callable[[NDArray[np.float64], int], float]

_LOOKS = looks_within(THOROUGH.permutations)


def _decided(draws: NDArray[np.float64]) -> str:
    """Return what is decided in the end, and not before."""
    for n in _LOOKS:
        decision = look_at(draws[:n], _LOOKS).decision
        if decision != "go on":
            return decision
    raise AssertionError("the last look must decide")


@pytest.mark.parametrize(
    ("budget", "looks"), [(80, (10, 20, 40, 80)), (40, (10, 20, 40)), (50, (10, 20, 40)), (4, (4,))]
)
def test_looks_double(budget: int, looks: tuple[int, ...]) -> None:
    """From ten on, while the budget allows."""
    assert looks_within(budget) == looks


@pytest.mark.parametrize("n_subjects", [4, 18])
def test_nothing_is_seldom_called_something(n_subjects: int) -> None:
    """Correlations of random orders: no more than the level allows, by an exact test."""
    rng = np.random.default_rng(n_subjects)
    truth = stats.zscore(rng.normal(size=n_subjects))
    orders = rng.permuted(np.tile(truth, (2000 * _LOOKS[-1], 1)), axis=1)
    draws = (orders @ truth / n_subjects).reshape(2000, -1)
    accused = sum(_decided(one) == "above" for one in draws)
    assert stats.binomtest(accused, len(draws), LEVEL, alternative="greater").pvalue > 0.001


def test_small_skill_adds_up() -> None:
    """Half a standard deviation a draw is found more than three times in four."""
    draws = np.random.default_rng(0).normal(0.5, 1.0, size=(200, _LOOKS[-1]))
    assert np.mean([_decided(one) == "above" for one in draws]) > 0.75


def test_large_skill_is_found_at_once() -> None:
    """Ten draws are enough."""
    assert look_at([0.9 + 0.01 * number for number in range(10)], _LOOKS).decision == "above"


def test_nothing_at_all_is_given_up_at_once() -> None:
    """A constant prediction has no spread and no skill."""
    assert look_at([0.0] * 10, _LOOKS).decision == "not above"


def _answered(cohort: Cohort, folds: Sequence[Sequence[int]], rule: Rule) -> Answer:
    """Predict each held-out subject by a rule over the targets of those who are trained on."""
    made = []
    for number, held_out in enumerate(folds):
        train = np.setdiff1d(np.arange(len(cohort.y)), held_out)
        y_pred = np.array([rule(cohort.y[train], row) for row in held_out])
        made.append(
            AnsweredFold(
                name=f"fold-{number}", positions=np.array(held_out), y_pred=y_pred, train=train
            )
        )
    return Answer(folds=tuple(made), names_folds=True)


def _over_all_orders(folds: Sequence[Sequence[int]], rule: Rule, subjects: Cohort) -> float:
    """Return the mean over every permutation of the targets."""
    from pfactor_bench.studies.changes import changed

    found = []
    for order in permutations(range(len(subjects.y))):
        permuted = changed(subjects, y=np.array(subjects.y[list(order)]))
        found.append(held_out_covariance(_answered(permuted, folds, rule), permuted))
    return float(np.mean(found))


@pytest.fixture(scope="module")
def five() -> Cohort:
    """Return five subjects with a window each."""
    return synthetic(n_subjects=5, n_windows=1, seed=3)


def test_honest_study_has_exactly_nothing_on_average(five: Cohort) -> None:
    """Over all orders of the targets, whatever is learnt from the training targets."""

    def crooked(train: NDArray[np.float64], row: int) -> float:
        return float(train.mean() + row * train.max() - np.sort(train)[row % len(train)] ** 2)

    assert _over_all_orders([[0, 1, 2], [3, 4]], crooked, five) == pytest.approx(0, abs=1e-12)


def test_one_subject_at_a_time_is_compared_over_all(five: Cohort) -> None:
    """A mean of the others is high where the target is low: below nothing, on the safe side."""
    found = _over_all_orders([[0], [1], [2], [3], [4]], lambda train, _: float(train.mean()), five)
    assert found < -0.01


def _follows_targets(cohort: Cohort, seed: int) -> int:
    return seed + int(abs(cohort.y @ np.arange(len(cohort.y))) * 1e6) % 2**32


def _honest_on_a_moving_split(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    return plain_ridge(cohort, seed=_follows_targets(cohort, seed))


def _leaky_on_a_moving_split(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    return INJECTED["trained_on_everything"].study(cohort, seed=_follows_targets(cohort, seed))


@pytest.mark.parametrize(
    ("study", "verdict", "status"),
    [
        (_honest_on_a_moving_split, "inconclusive", "pass"),
        (_leaky_on_a_moving_split, "leaky", "fail"),
    ],
)
def test_permutation_is_the_last_resort(study: Study, verdict: str, status: str) -> None:
    """Where no fold can be compared, targets are permuted; passing that is not yet clean."""
    subjects = synthetic(n_subjects=12, n_windows=6, seed=5)
    found = audit(study, subjects, only=["LK100", "LK101", "LK102", "LK401"])
    statuses = {one.code: one.status for one in found.findings}
    assert (found.verdict, statuses["LK401"]) == (verdict, status), found

"""The confound test: right level under its null, power against a confounded model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.measurements.confounds import CONFOUNDS, confound_tests
from pfactor_bench.measurements.partial_confound import partial_confound_test


def subjects(rng: np.random.Generator, n: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a confound, targets that depend on it, and predictions that see the targets only."""
    age = rng.normal(12, 3, size=n)
    target = 0.2 * (age - 12) + rng.normal(size=n)
    return age, target, 0.5 * target + rng.normal(0, 0.7, size=n)


def p_value(
    target: np.ndarray, predicted: np.ndarray, confound: np.ndarray, n_draws: int = 200
) -> float:
    """Return the test's p-value."""
    found = partial_confound_test(target, predicted, confound, name="c", seed=1, n_draws=n_draws)
    assert found.p_value is not None
    return found.p_value


SHAPES = {
    "linear": lambda y: y,
    "quadratic": np.square,
    "exponential": np.exp,
}


def related(kind: str, rng: np.random.Generator, n: int) -> tuple[np.ndarray, ...]:
    """Return targets, honest predictions and a confound, each curved in the target alike."""
    y = rng.normal(size=n)
    if kind == "categories":
        chance = 1 / (1 + np.exp(1.5 - 2 * y**2))
        return y, y**2 + 0.7 * rng.normal(size=n), np.where(rng.random(n) < chance, "a", "b")
    shape = SHAPES[kind](y)
    return y, shape + 0.7 * rng.normal(size=n), shape + 0.7 * rng.normal(size=n)


@pytest.mark.parametrize("n", [40, 120])
@pytest.mark.parametrize("kind", [*SHAPES, "categories"])
def test_honest_predictions_are_accused_as_often_as_the_level_says(kind: str, n: int) -> None:
    """At 5 %, however target, confound and prediction are related; a straight line had 99 %."""
    rng = np.random.default_rng(0)
    accused = sum(p_value(*related(kind, rng, n), 99) <= 0.05 for _ in range(60))
    assert accused <= stats.binom.ppf(0.995, 60, 0.05)


def test_tied_targets_are_tested() -> None:
    """Of a target with three values the quantiles coincide."""
    rng = np.random.default_rng(1)
    y = rng.choice([0.0, 0.0, 0.0, 1.0, 2.0], size=60)
    confound = rng.normal(size=60)
    assert p_value(y, y + rng.normal(size=60), confound) > 0.01
    assert p_value(y, y + confound, confound) < 0.01


@pytest.mark.parametrize("kind", ["numbers", "categories"])
def test_predictions_made_from_the_confound_are_found(kind: str) -> None:
    """The smallest p-value there is."""
    age, target, predicted = subjects(np.random.default_rng(0))
    confound = age if kind == "numbers" else np.where(age > 12, "old", "young")
    assert p_value(target, predicted + 0.8 * (age - 12), confound) < 0.01


def test_same_seed_same_p_value() -> None:
    """Nothing else is drawn from."""
    age, target, predicted = subjects(np.random.default_rng(3))
    assert p_value(target, predicted, age) == p_value(target, predicted, age)


def test_subjects_without_the_confound_are_left_out() -> None:
    """Words for "missing" count as missing."""
    age, target, predicted = subjects(np.random.default_rng(3))
    words = age.astype(object)
    words[:5] = "n/a"
    words[5] = None
    found = partial_confound_test(target, predicted, words, name="age", seed=0, n_draws=10)
    assert 54 == found.n_subjects


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"confound": np.full(60, "R1")}, "the same for all subjects"),
        ({"confound": np.full(60, None)}, "there are 0"),
        ({"confound": np.array([f"id-{i}" for i in range(60)])}, "there are 0"),
        ({"predicted": np.full(60, 0.1)}, "the prediction is constant"),
        ({"predicted": np.full(60, np.nan)}, "there are 0"),
        ({"target": np.ones(60)}, "the targets are all equal"),
    ],
    ids=["constant", "unknown", "identifier", "constant prediction", "nan", "constant truth"],
)
def test_degenerate_input_has_a_reason(change: dict[str, np.ndarray], reason: str) -> None:
    """No p-value, no traceback."""
    age, target, predicted = subjects(np.random.default_rng(3))
    case = {"target": target, "predicted": predicted, "confound": age, **change}
    found = partial_confound_test(
        case["target"], case["predicted"], case["confound"], name="c", seed=0, n_draws=10
    )
    assert (None, True) == (found.p_value, reason in (found.missing_because or ""))


def test_confound_that_is_the_target_accuses_nobody() -> None:
    """Given the target nothing of it is left."""
    _, target, predicted = subjects(np.random.default_rng(3))
    assert p_value(target, predicted, target) > 0.9


def test_every_confound_is_listed_once() -> None:
    """Those that a cohort lacks with the reason."""
    cohort = synthetic(n_subjects=12, n_windows=2)
    with_age = replace(cohort, table=cohort.table.assign(age=np.repeat(np.arange(12.0), 2)))
    names, y = np.unique(cohort.subjects), cohort.y[::2]
    found = confound_tests(with_age, names, y, y[::-1].copy(), seed=0, n_draws=20)
    assert (CONFOUNDS, ["sex", "release", "recording_seconds"]) == (
        tuple(test.confound for test in found),
        [test.confound for test in found if test.missing_because],
    )

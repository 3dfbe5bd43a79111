"""r under permuted targets: a description of fixed predictions."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import pearsonr

from pfactor_bench.measurements.permutations import N_PERMUTATIONS, measure, permuted_correlations
from pfactor_bench.types import Fold, Split


@dataclass
class Subjects:
    """What of a cohort the permutations look at: a window per subject."""

    subjects: np.ndarray = field(default_factory=lambda: np.array([f"p{i:02d}" for i in range(12)]))


def halves() -> Split:
    """Return two folds of six subjects."""
    every = np.arange(12)
    return Split(
        name="halves",
        folds=(
            Fold(name="fold-0", train=every[6:], test=every[:6]),
            Fold(name="fold-1", train=every[:6], test=every[6:]),
        ),
    )


def arrays_of(y_true: np.ndarray, y_pred: np.ndarray) -> dict[str, np.ndarray]:
    """Return pooled arrays of one regime called r."""
    return {"subjects": Subjects().subjects, "y_true": y_true, "r/y_pred": np.atleast_2d(y_pred)}


def permuted(arrays: dict[str, np.ndarray], split: Split | None = None) -> dict[str, np.ndarray]:
    """Return the regime's permutations."""
    return permuted_correlations(Subjects(), split or halves(), arrays, regimes=["r"])


def share(arrays: dict[str, np.ndarray]) -> float:
    """Return the only number that is measured."""
    run = SimpleNamespace(cohort=Subjects(), split=halves(), arrays=arrays, regimes=("r",))
    (found,) = measure(run)
    return found.value


@pytest.fixture
def noise() -> dict[str, np.ndarray]:
    """Return predictions of two seeds that know nothing."""
    rng = np.random.default_rng(3)
    return arrays_of(rng.normal(size=12), rng.normal(size=(2, 12)))


def test_observed_r_is_scipys_mean_over_seeds(noise) -> None:
    """The observed value is compared on the same scale."""
    mean_r = np.mean([pearsonr(noise["y_true"], seed).statistic for seed in noise["r/y_pred"]])
    draws = permuted(noise)["r/permuted_r"]
    assert share(noise) == (draws >= mean_r - 1e-12).sum() / N_PERMUTATIONS


def test_perfect_predictions_are_beyond_chance() -> None:
    """No permutation is as good."""
    y_true = np.arange(12.0)
    arrays = arrays_of(y_true, 3 * y_true + 1)
    assert share(arrays) < 0.01


def test_targets_stay_within_their_fold() -> None:
    """What differs between folds is in every permutation, so it is no evidence."""
    y_true = np.r_[np.zeros(6), np.ones(6)]
    arrays = arrays_of(y_true, y_true)
    assert permuted(arrays)["r/permuted_r"] == pytest.approx(1)


def test_share_is_called_no_p_value(noise) -> None:
    """Nothing was trained on the permuted targets."""
    run = SimpleNamespace(cohort=Subjects(), split=halves(), arrays=noise, regimes=("r",))
    (found,) = measure(run)
    assert (found.name, "no p-value" in found.note) == ("r/permuted_r_share", True)


def test_a_constant_prediction_has_r_0(noise) -> None:
    """Its permutations too."""
    arrays = {**noise, "r/y_pred": np.ones((1, 12))}
    assert not permuted(arrays)["r/permuted_r"].any()


def test_one_subject_per_fold_cannot_be_exchanged(noise) -> None:
    """Leave-one-out has no permutation within folds."""
    every = np.arange(12)
    folds = tuple(Fold(name=f"fold-{i}", train=np.delete(every, i), test=every[[i]]) for i in every)
    assert permuted(noise, Split(name="loso", folds=folds)) == {}


def test_equal_targets_have_no_permutation(noise) -> None:
    """Nothing can be told apart."""
    assert permuted({**noise, "y_true": np.ones(12)}) == {}

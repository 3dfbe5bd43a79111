"""Splits by subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfactor_bench.errors import ConfigError
from pfactor_bench.splits.splitters import (
    SPLITTERS,
    grouped_k_fold,
    last_subjects,
    split_from_indices,
)

if TYPE_CHECKING:
    from pfactor_bench.types import Split

SUBJECTS = np.repeat([f"sub-{number:02d}" for number in range(18)], 24)


def held_out(split: Split, subjects: np.ndarray) -> list[list[str]]:
    """Return the subjects that each fold holds out."""
    return [np.unique(subjects[fold.test]).tolist() for fold in split.folds]


def test_last_subjects_holds_out_the_case_study_s_four() -> None:
    """20 % of 18, rounded."""
    split = last_subjects()(SUBJECTS)

    assert [["sub-14", "sub-15", "sub-16", "sub-17"]] == held_out(split, SUBJECTS)


def test_last_subjects_has_the_case_study_s_window_counts() -> None:
    """336 to train on and 96 held out."""
    (fold,) = last_subjects()(SUBJECTS).folds

    assert (336, 96) == (len(fold.train), len(fold.test))


def test_last_subjects_holds_out_at_least_two() -> None:
    """A correlation over one subject does not exist."""
    subjects = np.array(["a", "b", "c", "d"])

    assert [["c", "d"]] == held_out(last_subjects(fraction=0.1)(subjects), subjects)


@pytest.mark.parametrize("fraction", [0, 1, -0.2, 1.5])
def test_last_subjects_refuses_fraction_outside_zero_and_one(fraction: float) -> None:
    """One subject is held out and another is not."""
    with pytest.raises(ConfigError, match="must lie between 0 and 1"):
        last_subjects(fraction=fraction)


def test_last_subjects_refuses_to_train_on_nobody() -> None:
    """Two subjects cannot both be held out."""
    with pytest.raises(ConfigError, match="holding out 2 of 2 subjects leaves nobody"):
        last_subjects()(np.array(["a", "b"]))


@pytest.mark.parametrize(("n_folds", "message"), [(1, "at least 2"), (9, "9 folds of 4 windows")])
def test_random_windows_refuse_what_cannot_be_split(n_folds: int, message: str) -> None:
    """A suite's mistake is named, as in every other split."""
    with pytest.raises(ConfigError, match=message):
        SPLITTERS["random-windows"](n_folds=n_folds)(np.array(["a", "a", "b", "b"]))


def test_grouped_k_fold_refuses_one_fold() -> None:
    """It would train on nobody."""
    with pytest.raises(ConfigError, match="n_folds is 1: at least 2"):
        grouped_k_fold(n_folds=1)


def test_grouped_k_fold_refuses_more_folds_than_subjects() -> None:
    """A fold needs a subject to hold out."""
    with pytest.raises(ConfigError, match="4 folds of 3 subjects"):
        grouped_k_fold(n_folds=4)(np.array(["a", "b", "c"]))


def test_grouped_k_fold_changes_with_its_seed() -> None:
    """The seed is what permutations."""
    first, second = (held_out(grouped_k_fold(seed=seed)(SUBJECTS), SUBJECTS) for seed in (0, 1))

    assert first != second


def test_grouped_k_fold_is_the_same_the_second_time() -> None:
    """A splitter keeps no state between calls."""
    splitter = grouped_k_fold()

    assert held_out(splitter(SUBJECTS), SUBJECTS) == held_out(splitter(SUBJECTS), SUBJECTS)


@given(st.lists(st.sampled_from("abcdefgh"), min_size=8), st.integers(2, 4), st.integers(0, 99))
def test_grouped_k_fold_holds_out_each_window_once(
    names: list[str], n_folds: int, seed: int
) -> None:
    """Whoever the windows belong to, and in whatever order."""
    subjects = np.array([*names, "a", "b", "c", "d"])
    split = grouped_k_fold(n_folds=n_folds, seed=seed)(subjects)

    assert list(range(len(subjects))) == sorted(
        position for fold in split.folds for position in fold.test.tolist()
    )


@given(st.lists(st.sampled_from("abcdefgh"), min_size=8), st.integers(2, 4), st.integers(0, 99))
def test_grouped_k_fold_never_divides_a_subject(names: list[str], n_folds: int, seed: int) -> None:
    """Nobody is trained on and held out in one fold."""
    subjects = np.array([*names, "a", "b", "c", "d"])

    for fold in grouped_k_fold(n_folds=n_folds, seed=seed)(subjects).folds:
        assert not set(subjects[fold.train]) & set(subjects[fold.test])


@given(st.permutations(range(12)))
def test_grouped_k_fold_ignores_the_order_of_windows(order: list[int]) -> None:
    """Who is held out depends on names alone."""
    subjects = np.repeat(list("abcdef"), 2)

    assert held_out(grouped_k_fold(n_folds=3)(subjects), subjects) == held_out(
        grouped_k_fold(n_folds=3)(subjects[order]), subjects[order]
    )


def test_folds_are_numbered() -> None:
    """By the names that predictions carry."""
    names = [fold.name for fold in grouped_k_fold(n_folds=3)(SUBJECTS).folds]

    assert ["fold-0", "fold-1", "fold-2"] == names


def test_split_from_indices_keeps_a_leaky_split() -> None:
    """Finding the overlap is a check's work."""
    (fold,) = split_from_indices("mine", [([0, 1], [1, 2])]).folds

    assert ([0, 1], [1, 2]) == (fold.train.tolist(), fold.test.tolist())


def test_split_from_indices_stores_integers() -> None:
    """Whatever sequence the positions came in."""
    (fold,) = split_from_indices("mine", [((0,), ())]).folds

    assert (np.int64, np.int64) == (fold.train.dtype, fold.test.dtype)


@pytest.mark.parametrize(
    ("name", "maker"), [("last-subjects", last_subjects), ("grouped-k-fold", grouped_k_fold)]
)
def test_registry_offers_the_splitter(name: str, maker: object) -> None:
    """Under the name that a suite uses."""
    assert SPLITTERS[name] is maker

"""Held-out subjects as a sample: who is related, and what their intervals speak of."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from pfactor_bench.measurements import within_folds
from pfactor_bench.measurements.held_out import Sample, sample_of
from pfactor_bench.types import Fold, Split

SUBJECTS = np.array([f"sub-{number:02d}" for number in range(12)])
ALL = np.arange(12)


def split_of(*held_out: np.ndarray, name: str = "by hand") -> Split:
    """Return folds of one window per subject."""
    return Split(
        name=name,
        folds=tuple(
            Fold(name=f"fold-{number}", train=np.setdiff1d(ALL, test), test=test)
            for number, test in enumerate(held_out)
        ),
    )


THIRDS = split_of(*np.split(ALL, 3))


def sample(split: Split, **columns: list[object]) -> Sample:
    """Return the sample of a cohort whose table has these columns."""
    table = pd.DataFrame({"subject": SUBJECTS, **columns})
    held_out = np.unique(SUBJECTS[np.concatenate([fold.test for fold in split.folds])])
    return sample_of(SimpleNamespace(subjects=SUBJECTS, table=table), split, held_out)


@pytest.mark.parametrize(
    ("split", "estimand"), [(split_of(ALL[8:]), "models"), (THIRDS, "procedure")]
)
def test_several_folds_are_about_the_procedure(split: Split, estimand: str) -> None:
    """And one held-out set is about these very models."""
    assert sample(split).evaluation.estimand == estimand


def test_members_of_a_family_are_one_cluster() -> None:
    """Of whom no family is known is related to nobody."""
    families = ["A", "A", "B", "B", "n/a", None, *"CDEFGH"]
    clusters = sample(THIRDS, family=families).clusters
    assert len(np.unique(clusters)) == 10
    assert clusters[0] == clusters[1] != clusters[2]
    assert clusters[4] != clusters[5]


@pytest.mark.parametrize("columns", [{}, {"family": list("ABCDEFGHIJKL")}], ids=["none", "single"])
def test_unrelated_subjects_have_no_clusters(columns: dict[str, list[object]]) -> None:
    """A family of one is a subject."""
    assert sample(THIRDS, **columns).clusters is None


def test_groups_that_are_left_out_are_the_clusters() -> None:
    """New sites are asked about, of which there are as many as folds."""
    split = split_of(*np.split(ALL, 3), name="leave-group-out")
    assert len(np.unique(sample(split).clusters)) == 3


def measured(split: Split, y_pred: np.ndarray) -> list:
    """Return r within folds of a regime with targets 0 to 11."""
    run = SimpleNamespace(
        split=split,
        cohort=SimpleNamespace(subjects=SUBJECTS, table=pd.DataFrame({"subject": SUBJECTS})),
        arrays={
            "subjects": SUBJECTS,
            "y_true": np.arange(12.0) % 4,
            "r/y_pred": np.atleast_2d(y_pred),
        },
        regimes=("r",),
    )
    return list(within_folds.measure(run))


NOISE = np.random.default_rng(0).normal(size=12)


def test_r_within_folds_brings_its_interval() -> None:
    """About the procedure, with the degrees of freedom that the folds leave."""
    (found,) = measured(THIRDS, NOISE)
    assert found.name == "r/within_fold_r"
    assert found.ci.low < found.value < found.ci.high
    assert (found.ci.estimand, found.ci.df, found.n_subjects) == ("procedure", 9, 12)


def test_one_fold_has_no_r_within_folds() -> None:
    """Its r is Pearson's."""
    assert measured(split_of(ALL), NOISE) == []


@pytest.mark.parametrize(
    ("split", "y_pred", "reason"),
    [
        (split_of(ALL[:8], ALL[4:]), NOISE, "held out in several folds"),
        (THIRDS, np.repeat([1.0, 2.0, 3.0], 4), "the prediction is constant"),
        (THIRDS, NOISE * np.nan, "finite"),
        (split_of(*ALL[:, None]), NOISE, "every fold holds one subject out"),
    ],
    ids=["twice", "constant within folds", "nan", "leave one out"],
)
def test_missing_r_within_folds_has_a_reason(split: Split, y_pred, reason: str) -> None:
    """The name stays, for a claim may speak of it."""
    (found,) = measured(split, y_pred)
    assert (None, True) == (found.value, reason in found.missing_because)

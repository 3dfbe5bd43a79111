"""Cohorts are checked and fingerprinted before anybody sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from pfactor_bench.cohorts import make_cohort
from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from pfactor_bench.types import Cohort


def parts(**changes: Any) -> dict[str, Any]:
    """Return arguments of a valid cohort, four subjects with two windows each, changed."""
    subjects = np.repeat(["a", "b", "c", "d"], 2)
    table = pd.DataFrame(
        {
            "sample_id": [f"{subject}{n}" for n, subject in enumerate(subjects)],
            "subject": subjects,
            "session": "",
            "run": "",
            "task": "rest",
            "start": np.tile([0, 5], 4),
            "stop": np.tile([5, 10], 4),
            "age": np.repeat([20, 30, 40, 50], 2),
            "target": np.repeat([0.5, -1.0, 2.0, 1.0], 2),
        }
    )
    X = np.random.default_rng(0).normal(size=(8, 2, 5)).astype(np.float32)
    valid = {
        "name": "made",
        "X": X,
        "table": table,
        "target": "target",
        "sfreq": 100.0,
        "ch_names": ("Cz", "Pz"),
        "unit": "uV",
        "provenance": {"source": "test"},
    }
    return valid | changes


def made(**changes: Any) -> Cohort:
    """Return a valid cohort, changed."""
    return make_cohort(**parts(**changes))


def table_with(**columns: object) -> pd.DataFrame:
    """Return the valid table with some columns replaced."""
    table: pd.DataFrame = parts()["table"]
    return table.assign(**columns)


def test_target_is_repeated_for_each_window() -> None:
    """In double precision."""
    assert [0.5, 0.5, -1.0, -1.0, 2.0, 2.0, 1.0, 1.0] == made().y.tolist()


def test_target_leaves_the_table() -> None:
    """So that no study finds it among the columns."""
    assert "target" not in made().table.columns


def test_other_columns_stay() -> None:
    """Confound checks need them."""
    assert [20, 20, 30, 30, 40, 40, 50, 50] == made().table["age"].tolist()


@pytest.mark.parametrize("array", ["X", "y"])
def test_array_is_locked(array: str) -> None:
    """A study that writes into its data must notice."""
    assert not getattr(made(), array).flags.writeable


def test_caller_s_windows_stay_writeable() -> None:
    """Only the cohort's view is locked."""
    arguments = parts()
    make_cohort(**arguments)

    assert arguments["X"].flags.writeable


def test_windows_become_float32() -> None:
    """Whatever precision they came in."""
    assert np.float32 == made(X=parts()["X"].astype(np.float64)).X.dtype


@pytest.mark.parametrize("column", ["sample_id", "subject", "session", "start", "target"])
def test_missing_column_is_named(column: str) -> None:
    """With the columns that there are."""
    with pytest.raises(CohortError, match=f"has no column '{column}': it has "):
        made(table=parts()["table"].drop(columns=column))


def test_windows_without_channel_axis_are_refused() -> None:
    """With the shape they have."""
    with pytest.raises(CohortError, match=r"have shape \(8, 5\)"):
        made(X=parts()["X"][:, 0])


def test_table_of_another_length_is_refused() -> None:
    """A row per window."""
    with pytest.raises(CohortError, match="has 8 windows but 7 table rows"):
        made(table=parts()["table"].iloc[:7])


def test_channel_names_of_another_length_are_refused() -> None:
    """A name per channel."""
    with pytest.raises(CohortError, match="have 2 channels but 1 names"):
        made(ch_names=("Cz",))


def test_repeated_sample_id_is_refused() -> None:
    """Predictions are joined by it."""
    with pytest.raises(CohortError, match="sample_id 'x' of cohort 'made' stands twice"):
        made(table=table_with(sample_id=["x", "x", *"abcdef"]))


def test_two_targets_of_one_subject_are_refused() -> None:
    """With both values."""
    with pytest.raises(CohortError, match=r"subject 'a' .* has 2 values of 'target' \(1.0, 9.0\)"):
        made(table=table_with(target=[1.0, 9.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0]))


def test_two_subjects_with_targets_are_too_few() -> None:
    """Some are trained on and others held out."""
    with pytest.raises(CohortError, match="has 2 subjects with a 'target': at least 3"):
        made(table=table_with(target=np.repeat([1.0, 2.0, np.nan, np.nan], 2)))


def test_constant_target_is_refused() -> None:
    """Nothing can beat its mean."""
    with pytest.raises(CohortError, match="all 4 subjects of cohort 'made' have target = 7"):
        made(table=table_with(target=7.0))


def test_subject_without_target_leaves_with_all_windows() -> None:
    """Windows and table stay in step."""
    cohort = made(table=table_with(target=np.repeat([1.0, None, 3.0, 4.0], 2)))

    assert ["a", "a", "c", "c", "d", "d"] == cohort.subjects.tolist()


def test_windows_follow_the_subjects_who_stay() -> None:
    """The right ones leave."""
    arguments = parts(table=table_with(target=np.repeat([1.0, None, 3.0, 4.0], 2)))

    np.testing.assert_array_equal(arguments["X"][[0, 1, 4, 5, 6, 7]], make_cohort(**arguments).X)


def test_subject_without_target_is_counted_and_named() -> None:
    """Nobody leaves in silence."""
    cohort = made(table=table_with(target=np.repeat([1.0, None, 3.0, 4.0], 2)))

    assert ("1 subjects without target left out: b",) == cohort.notes


def test_text_targets_are_converted_with_a_note() -> None:
    """After the notes that were there."""
    cohort = made(notes=["first"], table=table_with(target=np.repeat(["1", "2", "3", "n/a"], 2)))

    assert cohort.notes == (
        "first",
        "3 values of target were text and were converted to numbers",
        "1 subjects without target left out: d",
    )


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_sample_that_is_no_number_is_named(value: float) -> None:
    """With its window and channel."""
    X = parts()["X"]
    X[3, 1, 2] = value

    with pytest.raises(CohortError, match=r"window 'b3' .* infinite samples in channel 'Pz'"):
        made(X=X)


def test_flat_channel_is_named() -> None:
    """As HBN's Cz is, its recording reference."""
    X = parts()["X"]
    X[:, 0] = 0.0

    with pytest.raises(CohortError, match="channel 'Cz' of cohort 'made' is flat in every window"):
        made(X=X)


def test_channel_that_is_flat_in_one_window_is_kept() -> None:
    """A pause in one recording does not condemn the channel."""
    X = parts()["X"]
    X[0, 0] = 0.0

    assert len(made(X=X).X) == 8


def test_long_list_of_names_is_cut_with_a_count() -> None:
    """A message stays readable."""
    n = 30
    table = pd.concat([parts()["table"].iloc[[0]]] * n, ignore_index=True).assign(
        subject=[f"s{i:02d}" for i in range(n)],
        sample_id=[str(i) for i in range(n)],
        target=[1.0, 2.0, 3.0] + [None] * 27,
    )
    X = np.random.default_rng(0).normal(size=(n, 2, 5)).astype(np.float32)

    assert made(X=X, table=table).notes[0].endswith(", s22 and 7 more")


def test_same_content_has_the_same_fingerprint() -> None:
    """Whatever the cohort is called."""
    assert made().fingerprint == made(name="other", notes=["said"]).fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        {"X": parts()["X"] * np.float32(1.0001)},
        {"table": table_with(target=np.repeat([0.5, -1.0, 2.0, 1.0001], 2))},
        {"table": table_with(age=21)},
        {"sfreq": 101.0},
        {"ch_names": ("Pz", "Cz")},
        {"unit": "SD"},
    ],
    ids=["samples", "targets", "table", "rate", "channel names", "unit"],
)
def test_other_content_has_another_fingerprint(changes: dict[str, Any]) -> None:
    """Each part of the content counts."""
    assert made().fingerprint != made(**changes).fingerprint


def test_fingerprint_is_stable() -> None:
    """A published fingerprint means the same data in years to come."""
    X = np.arange(80, dtype=np.float32).reshape(8, 2, 5)
    table = parts()["table"].rename(columns={"target": "score"})
    assert (
        made(X=X, table=table, target="score").fingerprint
        == "511d15cd0cc1cbfd5b3a6d76792af84d4f88596f9e7a297cd985aeb0e8c7b2af"
    )


@pytest.mark.parametrize("sfreq", [0.0, -100.0, float("nan"), float("inf")])
def test_impossible_rate_is_refused(sfreq: float) -> None:
    """Nothing could be said in seconds."""
    with pytest.raises(CohortError, match="a rate in Hz is above 0"):
        made(sfreq=sfreq)


def test_channel_named_twice_is_refused() -> None:
    """A name stands for one of them."""
    with pytest.raises(CohortError, match="channel 'Cz' of cohort 'made' stands twice"):
        made(ch_names=("Cz", "Cz"))


def test_windows_without_samples_are_refused() -> None:
    """They have neither a smallest nor a largest one."""
    with pytest.raises(CohortError, match="they hold no samples"):
        made(X=np.zeros((8, 2, 0), dtype=np.float32))

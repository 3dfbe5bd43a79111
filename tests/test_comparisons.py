"""How much skill a start adds, and what a source taught."""

from __future__ import annotations

import numpy as np
import pytest

from pfactor_bench.comparisons import compare_starts, measure_sources
from pfactor_bench.metrics import score
from pfactor_bench.types import Case, ModelSpec

SEEDS = np.array([1, 2])
MODEL = ModelSpec(name="EEGNet", args={"F1": 4})


def cases(*labels: str) -> list[Case]:
    """Return a case per label and seed; a label ends with its start."""
    return [
        Case(regime=label, model=MODEL, seed=int(seed), start=label.rpartition("/")[2])
        for label in labels
        for seed in SEEDS
    ]


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    """Return twelve people, guessed from scratch and half known to the probe."""
    rng = np.random.default_rng(0)
    y_true = rng.normal(size=12)
    scratch = rng.normal(size=(2, 12))
    return {
        "y_true": y_true,
        "y_base": np.full(12, 0.1),
        "from-scratch/seeds": SEEDS,
        "from-scratch/y_pred": scratch,
        "linear-probe/seeds": SEEDS,
        "linear-probe/y_pred": (y_true + scratch) / 2,
    }


@pytest.fixture
def measured(arrays: dict[str, np.ndarray]):
    """Return the measurements of the two by name."""
    return {one.name: one for one in compare_starts(cases("from-scratch", "linear-probe"), arrays)}


def test_difference_is_that_of_the_mean_skills(measured, arrays: dict[str, np.ndarray]) -> None:
    """The very skill that the report shows, averaged over seeds."""
    skills = {
        label: np.mean(
            [score(arrays["y_true"], y, arrays["y_base"])["skill"].value for y in predictions]
        )
        for label in ("from-scratch", "linear-probe")
        if len(predictions := arrays[f"{label}/y_pred"])
    }
    expected = skills["linear-probe"] - skills["from-scratch"]
    found = measured["linear-probe-vs-from-scratch/skill_difference"].value
    assert found == pytest.approx(expected)


def test_difference_of_one_seed_is_that_of_its_skills(measured, arrays) -> None:
    """Paired by seed."""
    by_label = [
        score(arrays["y_true"], arrays[f"{label}/y_pred"][1], arrays["y_base"])["skill"].value
        for label in ("linear-probe", "from-scratch")
    ]
    found = measured["linear-probe-vs-from-scratch/seed-2/skill_difference"].value
    assert found == pytest.approx(by_label[0] - by_label[1])


def test_interval_over_people_holds_the_difference(measured) -> None:
    """With how many people it rests on."""
    found = measured["linear-probe-vs-from-scratch/skill_difference"]
    assert found.ci.low < found.value < found.ci.high
    assert found.n_subjects == 12


def test_interval_over_seeds_says_so(measured) -> None:
    """It is of another kind."""
    found = measured["linear-probe-vs-from-scratch/seed_skill_difference"]
    assert found.ci.method == "Student's t over seeds"


def test_reference_is_not_compared_with_itself(arrays) -> None:
    """Nothing to say."""
    assert compare_starts(cases("from-scratch"), arrays) == ()


def test_model_is_compared_with_its_own_reference(arrays) -> None:
    """Another model's training from scratch is another question."""
    named = {key.replace("linear", "B/linear"): value for key, value in arrays.items()}
    other = Case(regime="B/linear-probe", model=ModelSpec(name="B"), seed=1, start="linear-probe")
    assert compare_starts([*cases("from-scratch"), other], named) == ()


def test_label_of_a_model_stands_once_in_the_name(arrays) -> None:
    """As ``EEGNet/linear-probe-vs-from-scratch``."""
    named = {f"EEGNet/{key}" if "/" in key else key: value for key, value in arrays.items()}
    both = cases("EEGNet/from-scratch", "EEGNet/linear-probe")
    first = compare_starts(both, named)[0]
    assert first.name == "EEGNet/linear-probe-vs-from-scratch/skill_difference"


def test_missing_prediction_is_said(arrays) -> None:
    """Instead of a number."""
    arrays["linear-probe/y_pred"][0, 0] = np.nan
    (found,) = compare_starts(cases("from-scratch", "linear-probe"), arrays)
    assert found.missing_because == "not every person has a finite prediction"


def test_auc_is_averaged_over_people() -> None:
    """Whatever fold they were held out in."""
    folds = [{"held_out_auc": {"a": 0.5, "b": 0.7}}, {"held_out_auc": {"c": 0.9}}]
    (found,) = measure_sources({"source": folds})
    assert (found.name, found.value, found.n_subjects) == ("source/auc", pytest.approx(0.7), 3)


def test_source_without_contrast_has_no_auc() -> None:
    """A score is no task."""
    assert measure_sources({"source": [{"people": []}]}) == ()

"""How much skill a start adds, and what a source taught."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from pfactor_bench.measurements import regime_comparison, sources
from pfactor_bench.statistics.comparisons import corrected_resampled_t
from pfactor_bench.statistics.metrics import evaluate
from pfactor_bench.types import Case, Fold, ModelSpec, Split

SEEDS = np.array([1, 2])
SUBJECTS = np.array([f"sub-{number:02d}" for number in range(12)])
ALL = np.arange(len(SUBJECTS))
MODEL = ModelSpec(name="EEGNet", args={"F1": 4})


def folds_of(*held_out: np.ndarray) -> Split:
    """Return folds of one window per subject, all other subjects trained on."""
    return Split(
        name="by hand",
        folds=tuple(
            Fold(name=f"fold-{number}", train=np.setdiff1d(ALL, test), test=test)
            for number, test in enumerate(held_out)
        ),
    )


def compare(chosen, arrays, split: Split | None = None):
    """Return the comparisons of cases, by default over three folds."""
    split = split or folds_of(*np.split(ALL, 3))
    run = SimpleNamespace(
        results=dict.fromkeys(chosen),
        regimes={case.regime for case in chosen},
        arrays=arrays,
        split=split,
        cohort=SimpleNamespace(subjects=SUBJECTS, table=pd.DataFrame({"subject": SUBJECTS})),
    )
    return tuple(regime_comparison.measure(run))


def source_measurements(*manifests):
    """Return what is measured of a start from encoders with these manifests."""
    encoders = {str(number): SimpleNamespace(manifest=one) for number, one in enumerate(manifests)}
    run = SimpleNamespace(encoders={cases("linear-probe")[0]: encoders})
    return tuple(sources.measure(run))


def cases(*labels: str) -> list[Case]:
    """Return a case per label and seed; a label ends with its start."""
    return [
        Case(regime=label, model=MODEL, seed=int(seed), start=label.rpartition("/")[2])
        for label in labels
        for seed in SEEDS
    ]


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    """Return twelve subjects, guessed from scratch and half known to the probe."""
    rng = np.random.default_rng(0)
    y_true = rng.normal(size=12)
    scratch = rng.normal(size=(2, 12))
    return {
        "subjects": SUBJECTS,
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
    return {one.name: one for one in compare(cases("from-scratch", "linear-probe"), arrays)}


def test_difference_is_that_of_the_mean_skills(measured, arrays: dict[str, np.ndarray]) -> None:
    """The very skill that the report shows, averaged over seeds."""
    skills = {
        label: np.mean(
            [evaluate(arrays["y_true"], y, arrays["y_base"])["skill"].value for y in predictions]
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
        evaluate(arrays["y_true"], arrays[f"{label}/y_pred"][1], arrays["y_base"])["skill"].value
        for label in ("linear-probe", "from-scratch")
    ]
    found = measured["linear-probe-vs-from-scratch/seed-2/skill_difference"].value
    assert found == pytest.approx(by_label[0] - by_label[1])


def test_interval_over_subjects_holds_the_difference(measured) -> None:
    """With how many subjects it rests on."""
    found = measured["linear-probe-vs-from-scratch/skill_difference"]
    assert found.ci.low < found.value < found.ci.high
    assert found.n_subjects == 12


def test_interval_over_seeds_says_so(measured) -> None:
    """It is of another kind."""
    found = measured["linear-probe-vs-from-scratch/seed_skill_difference"]
    assert found.ci.method == "Student's t over seeds"


def test_interval_over_folds_is_the_corrected_t(measured, arrays) -> None:
    """Of the folds' mean differences; every fold trains on 8 subjects and holds out 4."""
    errors = [
        ((arrays["y_true"] - arrays[f"{label}/y_pred"]) ** 2).mean(axis=0)
        for label in ("from-scratch", "linear-probe")
    ]
    base = np.mean((arrays["y_true"] - arrays["y_base"]) ** 2)
    by_fold = (errors[0] - errors[1]).reshape(3, 4).mean(axis=1) / base
    p, interval = corrected_resampled_t(by_fold, n_train=8, n_test=4)
    found = measured["linear-probe-vs-from-scratch/fold_skill_difference"]
    assert found.value == pytest.approx(by_fold.mean())
    assert (found.ci.low, found.ci.high) == pytest.approx((interval.low, interval.high))
    assert f"p = {p:.3g}" in found.note


def test_one_fold_is_not_compared_with_itself(arrays) -> None:
    """There is no spread over folds."""
    one = folds_of(ALL)
    names = {found.name for found in compare(cases("from-scratch", "linear-probe"), arrays, one)}
    assert "linear-probe-vs-from-scratch/fold_skill_difference" not in names
    assert "linear-probe-vs-from-scratch/skill_difference" in names


def test_a_subject_held_out_twice_has_no_fold_of_their_own(arrays) -> None:
    """Their predictions are kept as a mean, so a fold's difference is not known."""
    twice = folds_of(ALL[:8], ALL[4:])
    found = {one.name: one for one in compare(cases("from-scratch", "linear-probe"), arrays, twice)}
    missing = found["linear-probe-vs-from-scratch/fold_skill_difference"]
    assert missing.missing_because == "a subject is held out in more than one fold"


def test_reference_is_not_compared_with_itself(arrays) -> None:
    """Nothing to say."""
    assert compare(cases("from-scratch"), arrays) == ()


def test_model_is_compared_with_its_own_reference(arrays) -> None:
    """Another model's training from scratch is another question."""
    named = {key.replace("linear", "B/linear"): value for key, value in arrays.items()}
    other = Case(regime="B/linear-probe", model=ModelSpec(name="B"), seed=1, start="linear-probe")
    assert compare([*cases("from-scratch"), other], named) == ()


def test_label_of_a_model_stands_once_in_the_name(arrays) -> None:
    """As ``EEGNet/linear-probe-vs-from-scratch``."""
    named = {f"EEGNet/{key}" if "/" in key else key: value for key, value in arrays.items()}
    both = cases("EEGNet/from-scratch", "EEGNet/linear-probe")
    first = compare(both, named)[0]
    assert first.name == "EEGNet/linear-probe-vs-from-scratch/skill_difference"


def test_missing_prediction_is_said(arrays) -> None:
    """Instead of a number."""
    arrays["linear-probe/y_pred"][0, 0] = np.nan
    found = compare(cases("from-scratch", "linear-probe"), arrays)
    assert {one.missing_because for one in found} == {"not every subject has a finite prediction"}


def test_auc_is_averaged_over_subjects() -> None:
    """Whatever fold they were held out in."""
    folds = [{"held_out_auc": {"a": 0.5, "b": 0.7}}, {"held_out_auc": {"c": 0.9}}]
    (found,) = source_measurements(*folds)
    assert (found.name, found.value, found.n_subjects) == ("source/auc", pytest.approx(0.7), 3)


def test_source_without_contrast_has_no_auc() -> None:
    """A target is no task."""
    assert source_measurements({"subjects": []}) == ()

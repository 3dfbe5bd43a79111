"""Protocols: how subjects are divided, how often, and what is chosen without the held-out ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from regime_suites import REGIME_SUITE, suite_of

from pfactor_bench.checks import run_checks
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.errors import ConfigError
from pfactor_bench.pipeline.stages import Run
from pfactor_bench.splits.splitters import grouped_k_fold, make_split, repeated_grouped_k_fold
from pfactor_bench.training.case import run_case
from pfactor_bench.training.fold import Scale
from pfactor_bench.training.inner_choice import (
    best_candidate,
    candidates,
    choose_budget,
    inner_fold,
)
from pfactor_bench.types import Budget, Case, Ingredient, InnerValidation, ModelSpec

CPU = torch.device("cpu")
CASE = Case(regime="from-scratch", model=ModelSpec(name="EEGNet"), seed=1)
SUBJECTS = np.repeat([f"sub-{number:02d}" for number in range(8)], 3)
INNER = Budget(epochs=3, batch_size=8, inner=InnerValidation(learning_rates=(1e-3, 1e-2)))
LEAVE = Ingredient(kind="leave-group-out", args={"column": "release"})


@pytest.fixture(scope="module")
def cohort():
    """Return eight subjects with three windows each."""
    return synthetic(n_subjects=8, n_windows=3)


def table(releases: list[str]) -> pd.DataFrame:
    """Return a cohort's table with a release per window."""
    return pd.DataFrame({"subject": SUBJECTS, "release": releases})


def test_repeated_folds_hold_all_subjects_out_equally_often() -> None:
    """Once in each repetition."""
    split = repeated_grouped_k_fold(n_folds=2, n_repeats=3)(SUBJECTS)
    counts = np.bincount(np.concatenate([fold.test for fold in split.folds]))
    assert set(counts) == {3}


def test_repetitions_differ() -> None:
    """Otherwise repeating would teach nothing."""
    folds = repeated_grouped_k_fold(n_folds=2, n_repeats=2)(SUBJECTS).folds
    assert not np.array_equal(folds[0].test, folds[2].test)


def test_first_repetition_is_the_plain_split() -> None:
    """With the same seed."""
    plain = grouped_k_fold(n_folds=2, seed=4)(SUBJECTS).folds
    repeated = repeated_grouped_k_fold(n_folds=2, n_repeats=2, seed=4)(SUBJECTS).folds
    assert all(map(np.array_equal, [f.test for f in plain], [f.test for f in repeated]))


def test_no_repetition_is_refused() -> None:
    """There would be no fold."""
    with pytest.raises(ConfigError, match="n_repeats is 0: at least 1"):
        repeated_grouped_k_fold(n_repeats=0)


def test_no_check_takes_repetition_for_a_leak(cohort) -> None:
    """Nor does one break off."""
    split = repeated_grouped_k_fold(n_folds=2, n_repeats=2)(cohort.subjects)
    predictions = run_case(CASE, cohort, split, Budget(epochs=1), device=CPU).predictions
    findings = run_checks({"cohort": cohort, "split": split, "predictions": predictions})
    assert [f.explanation for f in findings if f.status in {"fail", "error"}] == []


def test_each_release_is_left_out_once() -> None:
    """In alphabetical order."""
    split = make_split(LEAVE, table(["R1"] * 12 + ["R2"] * 6 + ["R3"] * 6))
    assert [12, 6, 6] == [len(fold.test) for fold in split.folds]


def test_missing_column_is_refused_with_those_there_are() -> None:
    """A typo in the column's name."""
    recipe = Ingredient(kind="leave-group-out", args={"column": "site"})
    with pytest.raises(ConfigError, match=r"no column 'site' .*'subject', 'release'"):
        make_split(recipe, table(["R1"] * 24))


def test_single_group_is_refused() -> None:
    """Nobody would be left to train on."""
    with pytest.raises(ConfigError, match="leaving a group out needs two"):
        make_split(LEAVE, table(["R1"] * 24))


@pytest.mark.parametrize("blank", ["n/a", "", None, float("nan")])
def test_subject_without_a_group_is_refused(blank: object) -> None:
    """Subjects of unknown release are no release of their own."""
    with pytest.raises(ConfigError, match="'sub-00' has no release"):
        make_split(LEAVE, table([blank] * 2 + ["R1"] * 10 + ["R2"] * 12))


def test_subject_in_two_groups_is_refused() -> None:
    """They would be trained on and held out."""
    with pytest.raises(ConfigError, match=r"subject 'sub-00' has release \['R1', 'R2'\]"):
        make_split(LEAVE, table(["R1", "R2"] * 12))


def test_count_of_seeds_starts_where_the_case_study_does(tmp_path) -> None:
    """Three seeds are 42, 43 and 44."""
    suite = suite_of(tmp_path, REGIME_SUITE.replace("seeds: [1, 2]", "seeds: 3"))
    assert [42, 43, 44] == [case.seed for case in suite.cases[:3]]


def test_models_label_their_regimes(tmp_path) -> None:
    """So that every measurement has one owner."""
    text = REGIME_SUITE.replace(
        "model:\n  name: EEGNet", "models: [{name: EEGNet}, {name: a.b:make, label: mine}]"
    )
    labels = [case.regime for case in suite_of(tmp_path, text).cases[::2]]
    expected = [f"{m}/{r}" for m in ("EEGNet", "mine") for r in ("from-scratch", "linear-probe")]
    assert expected == labels


def test_regime_may_have_label_and_learning_rate(tmp_path) -> None:
    """Full fine-tuning often wants a smaller step."""
    entry = "{start: full-finetune, label: gentle, learning_rate: 0.0001}"
    suite = suite_of(tmp_path, REGIME_SUITE.replace("linear-probe]", f"{entry}]"))
    last = suite.cases[-1]
    assert ("gentle", "full-finetune", 1e-4) == (last.regime, last.start, last.learning_rate)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seeds: [1, 2]", "seeds: 0", "seeds is 0: it is a list, or a count above 0"),
        ("model:", "models: [{name: EEGNet}]\nmodel:", "both 'model' and 'models': keep one"),
        ("model:\n  name: EEGNet", "models: [EEGNet]", "'EEGNet' in 'models' is no section"),
        ("model:\n  name: EEGNet", "models: []", "'models' is empty"),
        (
            "model:\n  name: EEGNet",
            "models: [{name: EEGNet}, {name: EEGNet}]",
            "model 'EEGNet' stands twice: give each its own 'label'",
        ),
        ("[from-scratch, linear", "[linear-probe, linear", "'linear-probe' stands twice"),
        ("[from-scratch, linear", "[{start: scratch}, linear", "unknown regime 'scratch'"),
        (
            "[from-scratch, linear",
            "[{start: last-block, learning_rate: 0}, linear",
            "learning_rate is 0.0: it must be above 0",
        ),
        ("regimes: [from-scratch, linear-probe]", "regimes: [from-scratch]", "leave 'source' out"),
        ("kind: target", "kind: targets", "unknown source 'targets': did you mean 'target'"),
        ("kind: target", "kind: target\n  subjects: some", "it is 'all' or 'outside-fold'"),
        ("kind: target", "kind: tasks\n  tasks: [a, a]", "'a' stands twice in 'tasks': keep one"),
        ("kind: target", "kind: target\n  freeze: 1", "unknown key 'freeze' in source"),
        ("{epochs: 1}\nregimes", "{epochs: 1, inner: {}}\nregimes", "has no 'inner' validation"),
        ("seeds: [1, 2]\nbudget: {epochs: 1", "seeds: 1\nbudget: {targets: z, epochs: 1", "'raw'"),
        (
            "[from-scratch, linear-probe]\nseeds: [1, 2]\nbudget: {epochs: 1",
            (
                "[{start: from-scratch, learning_rate: 0.1}, linear-probe]\nseeds: 1\n"
                "budget: {epochs: 1, inner: {learning_rates: [0.2]}"
            ),
            "regime 'from-scratch' has learning_rate 0.1, and 'inner' chooses among 0.2: keep one",
        ),
    ],
)
def test_mistake_in_suite_is_refused(tmp_path, old: str, new: str, message: str) -> None:
    """Before anything is loaded."""
    assert old in REGIME_SUITE
    with pytest.raises(ConfigError, match=message):
        suite_of(tmp_path, REGIME_SUITE.replace(old, new))


def test_pretrained_regime_without_source_is_refused(tmp_path) -> None:
    """With the section that is missing."""
    start, end = REGIME_SUITE.index("source:"), REGIME_SUITE.index("regimes:")
    with pytest.raises(ConfigError, match="'linear-probe' starts from an encoder: add a section"):
        suite_of(tmp_path, REGIME_SUITE[:start] + REGIME_SUITE[end:])


def test_choice_within_the_budget_is_used(cohort) -> None:
    """Epochs and learning rate, in every fold."""
    split = grouped_k_fold(n_folds=2)(cohort.subjects)
    result = run_case(CASE, cohort, split, INNER, device=CPU)
    assert all(1 <= b.epochs <= 3 and b.learning_rate in (1e-3, 1e-2) for b in result.budgets)


def test_epoch_that_diverged_hides_none_before_it() -> None:
    """The best epoch is still the best of its candidate, and the candidate still of all."""
    low, high = candidates(INNER)
    errors = [np.array([0.9, 0.8, 0.7]), np.array([0.9, 0.5, np.nan])]
    best = best_candidate(INNER, (low, high), errors)
    assert (best.learning_rate, best.epochs) == (1e-2, 2)


def test_budget_stays_where_everything_diverged() -> None:
    """There is nothing to choose."""
    tried = candidates(INNER)
    assert INNER == best_candidate(INNER, tried, [np.full(3, np.nan)] * 2)


def test_curves_of_shorter_training_are_as_long(cohort) -> None:
    """They stay where they ended, so that folds can be averaged."""
    split = grouped_k_fold(n_folds=2)(cohort.subjects)
    result = run_case(CASE, cohort, split, INNER, device=CPU)
    assert [3, 3] == [len(curves.val_mse) for curves in result.curves]


def test_choice_does_not_depend_on_held_out_subjects(cohort) -> None:
    """Neither on their targets nor on their signal."""
    fold = grouped_k_fold(n_folds=2)(cohort.subjects).folds[0]
    X, y = cohort.X.copy(), cohort.y.copy()
    X[fold.test], y[fold.test] = 5.0, 1000.0
    changed = replace(cohort, X=X, y=y)
    choices = [choose_budget(CASE, one, fold, INNER, device=CPU) for one in (cohort, changed)]
    assert choices[0] == choices[1]


def test_inner_subjects_are_disjoint_and_all_trained_on() -> None:
    """The outer fold's training subjects, divided in two."""
    fold = grouped_k_fold(n_folds=2)(SUBJECTS).folds[0]
    inner = inner_fold(SUBJECTS, fold, InnerValidation(fraction=0.5))
    sides = [set(SUBJECTS[side]) for side in (inner.train, inner.test)]
    assert sides[0] | sides[1] == set(SUBJECTS[fold.train])
    assert not sides[0] & sides[1]


def test_too_few_subjects_to_choose_on_is_refused() -> None:
    """Three subjects cannot be divided into two and two."""
    few = SUBJECTS[:12]
    fold = grouped_k_fold(n_folds=4)(few).folds[0]
    with pytest.raises(ConfigError, match="fold-0 trains on 3 subjects, too few"):
        inner_fold(few, fold, InnerValidation())


def test_suite_with_too_few_subjects_to_choose_on_is_refused(tmp_path) -> None:
    """When it is made ready, not when each case is trained."""
    text = REGIME_SUITE.replace("n_subjects: 8", "n_subjects: 6").replace(
        "seeds: [1, 2]\nbudget: {epochs: 1}", "seeds: 1\nbudget: {epochs: 1, inner: {}}"
    )
    with pytest.raises(ConfigError, match="fold-0 trains on 3 subjects, too few to choose"):
        Run(suite_of(tmp_path, text), device="cpu", out=tmp_path).prepare()


def test_standardized_targets_predict_in_the_targets_own_unit(cohort) -> None:
    """Moved by a thousand, they are predicted a thousand higher."""
    split = grouped_k_fold(n_folds=2)(cohort.subjects)
    budget = Budget(epochs=1, targets="standardized")
    plain, moved = (
        run_case(CASE, one, split, budget, device=CPU).predictions["y_pred"].dropna()
        for one in (cohort, replace(cohort, y=cohort.y + 1000))
    )
    assert (moved - plain).to_numpy() == pytest.approx(1000, abs=1e-3)


def test_scale_is_fixed_by_training_windows() -> None:
    """Their mean and standard deviation."""
    scale = Scale.of(np.array([1.0, 3.0]), Budget(epochs=1, targets="standardized"))
    assert (2.0, 1.0) == (scale.mean, scale.sd)


def test_equal_training_targets_are_not_divided_by_zero() -> None:
    """They are only moved."""
    scale = Scale.of(np.array([2.0, 2.0]), Budget(epochs=1, targets="standardized"))
    assert [0.0, 0.0] == scale.to_model(np.array([2.0, 2.0])).tolist()

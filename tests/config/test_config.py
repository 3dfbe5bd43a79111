"""Suites: what they may say, and what an error in one looks like."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pfactor_bench.config import load_suite
from pfactor_bench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pfactor_bench.config import Suite

SUITES = sorted(
    path
    for path in (Path(__file__).parents[2] / "suites").glob("*.yaml")
    if path.name != "expected_failures.yaml"
)

VALID = """\
name: tiny
title: A tiny suite
question: Does it load?
cohort:
  kind: synthetic
  n_subjects: 6
split:
  kind: last-subjects
model:
  name: EEGConformer
regimes: [from-scratch]
seeds: [1, 2]
budget:
  epochs: 1
claims:
  - id: skill
    text: It has skill.
    measurement: from-scratch/skill
    above: 0
"""


@pytest.fixture
def load(tmp_path: Path) -> Callable[[str], Suite]:
    """Return a function that loads a suite with the given text."""

    def load_text(text: str) -> Suite:
        path = tmp_path / "suite.yaml"
        path.write_text(text, encoding="utf-8")
        return load_suite(path)

    return load_text


@pytest.mark.parametrize("path", SUITES, ids=lambda path: path.stem)
def test_every_published_suite_loads(path: Path) -> None:
    """And declares something to run."""
    assert load_suite(path).cases


def test_cases_are_every_regime_with_every_seed(load) -> None:
    """In the file's order."""
    assert [case.id for case in load(VALID).cases] == ["from-scratch/seed-1", "from-scratch/seed-2"]


def test_budget_has_the_case_studys_defaults(load) -> None:
    """Only the epochs have to be said."""
    budget = load(VALID).budget
    assert (budget.batch_size, budget.learning_rate, budget.weight_decay) == (32, 1e-3, 1e-3)


@pytest.mark.parametrize(
    ("written", "threads"), [("", 1), ("threads: 3", 3), ("threads: all", None)]
)
def test_threads_are_the_suites(load, written: str, threads: int | None) -> None:
    """One unless it says otherwise, however many cores there are."""
    assert load(VALID.replace("budget:", f"{written}\nbudget:")).threads == threads


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: tiny", "name: ../evil", r":1: name '\.\./evil' is also a folder's"),
        ("title:", "titel:", r":2: unknown key 'titel' in the suite: did you mean 'title'"),
        ("kind: synthetic", "kind: syntetic", r":5: unknown cohort 'syntetic': did you mean"),
        ("n_subjects", "n_subject", r":6: unknown key 'n_subject' in cohort: did you mean"),
        ("last-subjects", "first-subjects", r":8: unknown split 'first-subjects'"),
        ("[from-scratch]", "[finetune]", r":11: unknown regime 'finetune'"),
        ("[from-scratch]", "[]", r":11: 'regimes' is empty"),
        ("[1, 2]", "[1, 1]", r":12: 1 stands twice in 'seeds'"),
        ("[1, 2]", "[one]", r":12: 'one' in 'seeds' is not int"),
        ("[1, 2]", "[-1]", r":12: seed -1 is out of range"),
        ("[1, 2]", f"[{2**32}]", r":12: seed 4294967296 is out of range"),
        ("[1, 2]", "20250101", r":12: seeds is 20250101: .* a single seed is a list, \[20250101\]"),
        ("[from-scratch]", "[{start: from-scratch, label: ''}]", r":11: regime label '' has"),
        ("[from-scratch]", '[{start: from-scratch, label: "a\\nb"}]', r":11: regime label 'a\\nb'"),
        (
            "[from-scratch]",
            "[{start: from-scratch, label: train-mean}]",
            r":11: regime label 'train-mean' is a simple predictor's name",
        ),
        (
            "[from-scratch]",
            "[{start: from-scratch, label: train-median}]",
            r":11: regime label 'train-median' is a simple predictor's name",
        ),
        ("n_subjects: ", "n_subjects: many #", r":6: 'n_subjects' in cohort is 'many': expected a"),
        ("n_subjects: ", "n_subjects: 2.5 #", r":6: 'n_subjects' in cohort is 2.5: expected a"),
        ("n_subjects: ", "amplitude: .nan #", r":6: 'amplitude' in cohort is nan: .* finite"),
        ("n_subjects: ", "target: [a] #", r":6: 'target' in cohort is \['a'\]: expected text"),
        ("epochs: 1", "epochs: 1\n  learning_rate: .nan", r":15: 'learning_rate' .* finite"),
        (
            "epochs: 1",
            "epochs: 1\n  learning_rate: 1e-3",
            r":15: 'learning_rate' in budget is '1e-3': .* YAML takes this for text, write 0.001",
        ),
        (
            "epochs: 1",
            "epochs: 1\n  inner: {learning_rates: [.inf]}",
            r":15: inf in 'learning_rates' is not a finite number",
        ),
        (
            "epochs: 1",
            "epochs: 1\n  inner:\n    learning_rates: [0.1, 0.10]",
            r":16: 0.1 stands twice in 'learning_rates': keep one",
        ),
        ("epochs: 1", "epochs: 0", r":14: epochs is 0: it must be above 0"),
        (
            "epochs: 1",
            "epochs: 1\nengine: fasst",
            r":15: unknown engine 'fasst': did you mean 'fast'",
        ),
        ("epochs: 1", "epochs: 1\nengine: {kind: fasst}", r":15: .* did you mean 'fast'"),
        ("epochs: 1", "epochs: 1\nengine: 3", r":15: 'engine' in the suite is 3: expected text"),
        (
            "epochs: 1",
            "epochs: 1\nengine: {kind: fast, precision: bf16}",
            r":15: the engine's option 'precision' was removed: write 'engine: fast'",
        ),
        (
            "epochs: 1",
            "epochs: 1\nthreads: 0",
            r":15: threads is 0: it is a count above 0, or 'all'",
        ),
        ("epochs: 1", "epochs: 1\nthreads: many", r":15: threads is 'many'"),
        ("epochs: 1", "epochs: 1\nthreads: ", r":15: threads is None"),
        ("epochs: 1", "epochs: 1\nthreads: 1.5", r":15: 'threads' in the suite is 1.5: expected"),
        ("epochs: 1", "epochs: 1\nclaim: []", r":15: unknown key 'claim' in the suite: did you"),
        ("title: A tiny suite", "title: 2026-11-30", r":2: 'title' cannot be '2026-11-30'"),
        ("[1, 2]", "x", r":12: 'seeds' in the suite is 'x': expected a whole number or a list"),
        ("[from-scratch]", "[3]", r":11: 3 in 'regimes' is not str and no section"),
        (
            "[from-scratch]",
            "\n  - start: from-scratch\n    learnin_rate: 1",
            r":13: unknown key 'learnin_rate' in an entry of regimes: did you mean 'learning_rate'",
        ),
        ("epochs: 1", "epoch: 1", r":14: unknown key 'epoch' in budget: did you mean 'epochs'"),
        ("above: 0", "above: 0\n    below: 1", r":16: claim 'skill' sets above and below"),
        ("skill\n    above", "window_skill\n    above", r":16: claim 'skill'"),
        ("above: 0", "level: gat\n    above: 0", r":19: level is 'gat'"),
        ("budget:\n  epochs: 1", "", r"the suite has no 'budget': add it"),
        ("model:\n  name: EEGConformer", "model: EEGConformer", r"expected a section of keys"),
        (
            "name: EEGConformer",
            "name: EEGConfromer",
            r":10: unknown model 'EEGConfromer': did you mean 'EEGConformer'",
        ),
    ],
)
def test_mistake_is_refused_with_its_line(load, old: str, new: str, message: str) -> None:
    """Before anything is loaded or trained."""
    assert VALID.count(old) == 1
    with pytest.raises(ConfigError, match=message):
        load(VALID.replace(old, new))


def test_null_is_nothing_said(load) -> None:
    """For keys that may be left out altogether."""
    suite = load(VALID.replace("regimes:", "models: null\nsource: null\nregimes:"))
    assert suite.source is None


def test_saliency_choice_is_checked(load) -> None:
    """A typo would otherwise fail after training."""
    with pytest.raises(ConfigError, match="unknown choice of saliency windows 'smallest'"):
        load(VALID + "saliency: [smallest]\n")


def test_claims_have_unique_ids(load) -> None:
    """A verdict names its claim by id."""
    claims = VALID[VALID.index("  - id") :]
    with pytest.raises(ConfigError, match="claim 'skill' stands twice"):
        load(VALID + claims)


def test_whole_learning_rates_are_numbers(load) -> None:
    """As they are elsewhere in a suite."""
    suite = load(VALID.replace("epochs: 1", "epochs: 1\n  inner: {learning_rates: [1, 0.5]}"))
    assert suite.budget.inner.learning_rates == (1.0, 0.5)


def test_labels_that_name_two_cases_alike_are_refused(load) -> None:
    """Model a/b in regime c and model a in regime b/c are both a/b/c."""
    one, other = "{name: EEGConformer, label: a/b}", "{name: EEGConformer, label: a}"
    text = VALID.replace("model:\n  name: EEGConformer", f"models: [{one}, {other}]")
    regimes = "[{start: from-scratch, label: c}, {start: from-scratch, label: b/c}]"
    with pytest.raises(ConfigError, match="two cases are called 'a/b/c/seed-1'"):
        load(text.replace("[from-scratch]", regimes))


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("{kind: arrays, dataset: a, target: b, sfreq: 100, channels: Cz}", "'channels' in cohort"),
        ("{kind: bids, dataset: a, target: b, exclude: sub-00}", "'exclude' in cohort is 'sub-00'"),
        ("{kind: bids, dataset: a, target: b, channels: [1]}", "1 in 'channels' is not str"),
        ("{kind: hbn, download: maybe}", "'download' in cohort is 'maybe': expected true or false"),
        ("{kind: hbn, releases: [1]}", "1 in 'releases' is not str"),
        ("{kind: bids, dataset: a, target: b, sfreq: null}", "'sfreq' in cohort is None"),
    ],
)
def test_kinds_of_a_cohort_s_values_are_checked(load, section: str, message: str) -> None:
    """With the line, not by a traceback while data are loaded."""
    text = VALID.replace("cohort:\n  kind: synthetic\n  n_subjects: ", f"cohort: {section} #")
    assert text != VALID
    with pytest.raises(ConfigError, match=rf":4: .*{message}"):
        load(text)


def test_an_open_side_of_the_band_is_null(load) -> None:
    """Null is a value where a cohort says so."""
    section = "{kind: bids, dataset: a, target: b, l_freq: null}"
    text = VALID.replace("cohort:\n  kind: synthetic\n  n_subjects: ", f"cohort: {section} #")
    assert load(text).cohort.args["l_freq"] is None

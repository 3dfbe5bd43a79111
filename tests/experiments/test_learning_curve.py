"""Learning curves over training subjects: who is left out, what is scored, what is written."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from regime_suites import REGIME_SUITE, suite_of

from pfactor_bench.cli.main import main
from pfactor_bench.errors import ConfigError, UnknownNameError
from pfactor_bench.experiments.learning_curve.run import (
    default_sizes,
    fewer_subjects,
    skill_by_subjects,
)
from pfactor_bench.measurements.held_out import held_out
from pfactor_bench.models.baselines import BASELINES
from pfactor_bench.pipeline.stages import Run
from pfactor_bench.statistics.metrics import evaluate, subject_means
from pfactor_bench.training import engine as engines
from pfactor_bench.types import InnerValidation

if TYPE_CHECKING:
    from pathlib import Path

SUITE = """\
name: curve
title: A learning curve
question: Do more subjects help?
cohort: {kind: synthetic, n_subjects: 16, n_windows: 3}
split: {kind: grouped-k-fold, n_folds: 2}
model: {name: EEGNet}
regimes: [from-scratch]
seeds: [1]
budget: {epochs: 1}
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a suite of two folds that train on eight subjects each."""
    folder = tmp_path_factory.mktemp("curve")
    return Run(suite_of(folder, SUITE), device="cpu", out=folder / "out").prepare()


def test_held_out_subjects_stay_the_same(prepared: Run) -> None:
    """Only who is learnt from changes."""
    fewer = fewer_subjects(prepared.cohort, prepared.split, 3, seed=0)
    pairs = zip(prepared.split.folds, fewer.folds, strict=True)
    assert all(np.array_equal(one.test, other.test) for one, other in pairs)


def test_as_many_subjects_are_trained_on_as_asked_for(prepared: Run) -> None:
    """With all of their windows, in every fold, from that fold's training subjects."""
    fewer = fewer_subjects(prepared.cohort, prepared.split, 3, seed=0)
    subjects = prepared.cohort.subjects
    for one, other in zip(prepared.split.folds, fewer.folds, strict=True):
        names, counts = np.unique(subjects[other.train], return_counts=True)
        assert (3, {3}, True) == (
            len(names),
            set(counts),
            set(other.train) <= set(one.train),
        )


def test_other_seed_draws_other_subjects(prepared: Run) -> None:
    """Otherwise repetitions would tell nothing."""
    drawn = {
        tuple(fewer_subjects(prepared.cohort, prepared.split, 3, seed=seed).folds[0].train)
        for seed in range(5)
    }
    assert len(drawn) > 1


@pytest.mark.parametrize("n_subjects", [0, 9])
def test_subjects_that_a_fold_lacks_are_refused(prepared: Run, n_subjects: int) -> None:
    """The error says how many there are."""
    with pytest.raises(ConfigError, match="ask for 1 to 8"):
        fewer_subjects(prepared.cohort, prepared.split, n_subjects, seed=0)


def test_default_sizes_end_with_all_subjects(prepared: Run) -> None:
    """And are enough for a fit."""
    sizes = default_sizes(prepared.cohort, prepared.split)
    assert (8, True) == (sizes[-1], len(sizes) >= 4)


def test_skill_with_all_subjects_is_the_baseline_comparisons(prepared: Run) -> None:
    """The curve ends where the report stands."""
    cohort, split = prepared.cohort, prepared.split
    rows = held_out(cohort, split)
    y_pred = np.concatenate([BASELINES["ridge-band-power"](cohort, f) for f in split.folds])
    expected = evaluate(
        *(subject_means(rows.subjects, v)[1] for v in (rows.y_true, y_pred, rows.y_base))
    )
    found = skill_by_subjects(prepared, "ridge-band-power", [8], n_repetitions=1)
    assert expected["skill"].value == pytest.approx(found[0, 0])


def test_more_subjects_teach_a_sound_method_more(prepared: Run) -> None:
    """The matched filter's slope is learnt, and better from eight subjects than from three."""
    found = skill_by_subjects(prepared, "matched-filter", [3, 8], n_repetitions=6)
    assert found[1].mean() > found[0].mean()


def test_regime_is_trained_once(prepared: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that was killed goes on where it stopped."""
    first = skill_by_subjects(prepared, "from-scratch", [3, 8], n_repetitions=2)
    monkeypatch.setattr(engines, "run_group", None)
    again = skill_by_subjects(prepared, "from-scratch", [3, 8], n_repetitions=2)
    assert first.tolist() == again.tolist()


def test_subjects_too_few_to_choose_on_are_refused_before_training(
    prepared: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The smallest size comes last here."""
    monkeypatch.setattr(engines, "run_group", None)
    budget = replace(prepared.suite.budget, inner=InnerValidation())
    choosing = prepared.but(suite=replace(prepared.suite, budget=budget))
    with pytest.raises(ConfigError, match="trains on 3 subjects, too few to choose"):
        skill_by_subjects(choosing, "from-scratch", [8, 3], n_repetitions=1)


def test_unknown_predictor_names_the_closest(prepared: Run) -> None:
    """Regimes and baselines alike."""
    with pytest.raises(UnknownNameError, match="ridge-band-power"):
        skill_by_subjects(prepared, "ridge-band-pover", [3], n_repetitions=1)


def test_pretrained_regime_is_refused(tmp_path: Path) -> None:
    """Its encoder has seen subjects that the curve does not count."""
    suite = suite_of(tmp_path, REGIME_SUITE)
    ready = Run(suite, device="cpu", out=tmp_path / "out")
    with pytest.raises(ConfigError, match="has seen other subjects"):
        skill_by_subjects(ready, "linear-probe", [3], n_repetitions=1)


def written(folder: Path) -> str:
    """Return the suite's file."""
    path = folder / "curve.yaml"
    path.write_text(SUITE, encoding="utf-8")
    return str(path)


def test_command_writes_numbers_and_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Measured and extended, with the spread over draws."""
    out = tmp_path / "out"
    arguments = ["--predictor", "ridge-band-power", "--at", "100", "--out", str(out)]
    assert main(["learning-curve", written(tmp_path), *arguments]) == 0
    facts = json.loads((out / "learning-curve.json").read_text(encoding="utf-8"))
    ((low, high),) = facts["curve"]["spreads"]
    suffixes = {path.suffix for path in out.glob("learning-curve.*")}
    assert ({".json", ".svg", ".png"}, [100]) == (suffixes, facts["curve"]["subjects"])
    assert low <= facts["curve"]["targets"][0] <= high
    assert "subjects trained on" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--subjects", "3", "4"], "a curve needs 4 at least"),
        (["--repetitions", "1"], "a spread needs 2 at least"),
        (["--at", "0"], "give numbers of subjects above 0"),
        (["--subjects", "3", "4", "5", "90"], "ask for 1 to 8"),
    ],
)
def test_command_refuses_before_it_trains(
    tmp_path: Path,
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What could not be fitted afterwards, or trained at all."""
    monkeypatch.setattr(engines, "run_group", None)
    code = main(["learning-curve", written(tmp_path), *arguments, "--out", str(tmp_path / "out")])
    assert (2, True) == (code, message in capsys.readouterr().err)

"""Finished cases: a killed run goes on, and nothing stale is ever taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from regime_suites import REGIME_SUITE, suite_of

from pfactor_bench.execution.cases import compute
from pfactor_bench.execution.results import case_path, is_finished, read_case, write_case
from pfactor_bench.pipeline.run import run
from pfactor_bench.pipeline.stages import Run
from pfactor_bench.training import engine as engines
from pfactor_bench.types import Case, CaseResult, Curves, ModelSpec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the id of every case that is really trained."""
    ids: list[str] = []
    original: Callable = engines.run_group

    def counted(engine, group, *args, **kwargs):
        ids.extend(case.id for case in group)
        return original(engine, group, *args, **kwargs)

    monkeypatch.setattr(engines, "run_group", counted)
    return ids


def run_tiny(
    folder: Path, text: str = REGIME_SUITE, on_case: Callable = lambda _case: None
) -> None:
    """Run every case of a suite; its report is written elsewhere."""
    suite = suite_of(folder, text)
    prepared = Run(suite, device="cpu", out=folder / "out").prepare()
    for case in suite.cases:
        on_case(case)
        compute(prepared, case)


def test_second_run_trains_nothing(tmp_path: Path, trained: list[str]) -> None:
    """All cases are finished."""
    run_tiny(tmp_path)
    trained.clear()
    run_tiny(tmp_path)
    assert trained == []


def test_killed_run_keeps_finished_cases(tmp_path: Path, trained: list[str]) -> None:
    """The next run goes on with the case that was under way."""

    def killed(case: Case) -> None:
        if case.id == "linear-probe/seed-1":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_tiny(tmp_path, on_case=killed)
    trained.clear()
    run_tiny(tmp_path)
    assert ["linear-probe/seed-1", "linear-probe/seed-2"] == trained


def test_resumed_run_writes_the_same_bytes(tmp_path: Path) -> None:
    """Nothing is lost between memory and disk."""
    names = ("predictions.parquet", "arrays.npz", "figure.svg")

    def written() -> list[bytes]:
        run(suite_of(tmp_path), out=tmp_path / "out", data_dir=None, device="cpu")
        return [(tmp_path / "out" / name).read_bytes() for name in names]

    assert written() == written()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("n_subjects: 8", "n_subjects: 9"),
        ("n_folds: 2", "n_folds: 2, seed: 1"),
        ("  name: EEGNet", "  name: EEGNet\n  args: {F1: 4}"),
        ("seeds: [1, 2]\nbudget: {epochs: 1}", "seeds: [1, 2]\nbudget: {epochs: 2}"),
        ("seeds: [1, 2]", "seeds: [1, 2]\nengine: plain"),
        ("seeds: [1, 2]", "seeds: [1, 2]\nsaliency: [smallest-error]"),
    ],
)
def test_changed_input_is_trained_again(
    tmp_path: Path, trained: list[str], old: str, new: str
) -> None:
    """Cohort, split, model, budget, engine and what is asked for."""
    run_tiny(tmp_path)
    trained.clear()
    assert old in REGIME_SUITE
    run_tiny(tmp_path, REGIME_SUITE.replace(old, new))
    assert len(trained) == 4


def test_changed_source_trains_only_what_starts_from_it(tmp_path: Path, trained: list[str]) -> None:
    """Training from scratch does not depend on it."""
    run_tiny(tmp_path)
    trained.clear()
    run_tiny(tmp_path, REGIME_SUITE.replace("seed: 7", "seed: 8"))
    assert ["linear-probe/seed-1", "linear-probe/seed-2"] == trained


def test_changed_code_is_trained_again(
    tmp_path: Path, trained: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A result of yesterday's loop is no result of today's."""
    run_tiny(tmp_path)
    trained.clear()
    monkeypatch.setattr("pfactor_bench.execution.results.code_versions", lambda: {"code": "other"})
    run_tiny(tmp_path)
    assert len(trained) == 4


def test_changed_model_file_is_trained_again(tmp_path: Path, trained: list[str]) -> None:
    """Its name is the same, its code is not."""
    code = (
        "from braindecode.models import EEGNet\n\ndef build(**given):\n    return EEGNet(**given)"
    )
    (tmp_path / "mine.py").write_text(code, encoding="utf-8")
    text = REGIME_SUITE.replace("name: EEGNet", "name: mine.py:build")
    run_tiny(tmp_path, text)
    trained.clear()
    (tmp_path / "mine.py").write_text(f"{code}  # changed", encoding="utf-8")
    run_tiny(tmp_path, text)
    assert len(trained) == 4


def test_broken_file_is_trained_again(tmp_path: Path, trained: list[str]) -> None:
    """As if it were not there."""
    run_tiny(tmp_path)
    for path in (tmp_path / "out" / "cases").glob("*.npz"):
        path.write_bytes(path.read_bytes()[:100])
    trained.clear()
    run_tiny(tmp_path)
    assert len(trained) == 4


def test_no_flipped_byte_stops_a_run(tmp_path: Path) -> None:
    """Wherever it is: in what tells a reader how to read, too."""
    curves = Curves(train_mse=np.zeros(1), val_mse=np.zeros(1), val_r=np.zeros(1))
    table = pd.DataFrame({name: ["one"] for name in ("sample_id", "subject", "fold", "role")})
    result = CaseResult(
        predictions=table.assign(y_pred=0.5),
        curves=(curves,),
        saliency=(),
        n_parameters=0,
        n_trainable=0,
        n_frozen=0,
        budgets=(),
        timings=(),
    )
    path = tmp_path / "case.npz"
    write_case(path, "key", result)
    whole = path.read_bytes()
    for position in range(len(whole)):
        flipped = bytearray(whole)
        flipped[position] ^= 0xFF
        path.write_bytes(flipped)
        found = read_case(path, "key")
        assert is_finished(path, "key") == (found is not None)
        assert found is None or found.predictions["y_pred"].tolist() == [0.5]


def test_stored_case_holds_no_pickle(tmp_path: Path) -> None:
    """Every array reads without it."""
    run_tiny(tmp_path)
    for path in (tmp_path / "out" / "cases").glob("*.npz"):
        with np.load(path, allow_pickle=False) as stored:
            assert all(stored[name].dtype != object for name in stored.files)


def test_labels_that_differ_in_odd_characters_have_two_files(tmp_path: Path) -> None:
    """A label may hold what a file's name may not."""
    model = ModelSpec(name="EEGNet")
    paths = {
        case_path(tmp_path, Case(regime=label, model=model, seed=1), "key")
        for label in ("a/b", "a_b")
    }
    assert len(paths) == 2

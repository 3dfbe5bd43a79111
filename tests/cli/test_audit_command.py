"""``pfactor-bench audit`` as it is typed: where the cohort's data come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from pfactor_bench.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

_SUITE = """\
name: mine
title: Mine
question: Whose?
cohort: {kind: arrays, dataset: mine.npz, target: target, sfreq: 100, channels: [Cz, Pz]}
split: {kind: last-subjects}
model: {name: EEGNet}
regimes: [from-scratch]
seeds: [1]
budget: {epochs: 1}
"""


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of data that no environment variable names."""
    for variable in ("PFACTOR_BENCH_DATA", "PFACTOR_BENCH_STORE", "PFACTOR_BENCH_FETCH"):
        monkeypatch.setenv(variable, "")
        monkeypatch.delenv(variable)
    folder = tmp_path / "data"
    folder.mkdir()
    subjects = np.repeat([f"sub-{number}" for number in range(8)], 3)
    np.savez(
        folder / "mine.npz",
        allow_pickle=False,
        X=np.random.default_rng(0).standard_normal((24, 2, 50)).astype(np.float32),
        y=np.repeat(np.arange(8.0), 3),
        subjects=subjects,
    )
    return folder


def test_data_folder_is_an_option(data_folder: Path, tmp_path: Path, capsys) -> None:
    """What the error about a missing folder tells to type is what the command takes."""
    from pfactor_bench.cohorts.arrays import arrays

    cohort = arrays(
        dataset="mine.npz",
        target="target",
        sfreq=100,
        channels=["Cz", "Pz"],
        data_dir=data_folder,
    )
    suite, predictions = tmp_path / "mine.yaml", tmp_path / "predictions.csv"
    suite.write_text(_SUITE, encoding="utf-8")
    pd.DataFrame(
        {"sample_id": cohort.table["sample_id"], "y_pred": 0.0, "fold": "all", "role": "test"}
    ).to_csv(predictions, index=False)
    arguments = ["audit", str(predictions), "--cohort", str(suite), "--only", "LK003"]
    without = main(arguments)
    said = capsys.readouterr().err
    with_folder = main([*arguments, "--data", str(data_folder)])
    assert (without, "--data DIR" in said, with_folder) == (2, True, 0), capsys.readouterr().err


def test_cohort_by_name_is_looked_for_in_the_data_folder(data_folder: Path, capsys) -> None:
    """A cohort that needs nothing said of it needs its folder nevertheless."""
    target = "benchmarks.detection.honest:plain_ridge"
    main(["audit", target, "--cohort", "hbn", "--only", "LK003", "--data", str(data_folder)])
    assert str(data_folder) in capsys.readouterr().err


def test_callable_with_another_signature_is_a_usage_error(tmp_path: Path, capsys) -> None:
    """Exit code 2, with a study to copy; it is no error of the harness, and no verdict."""
    path = tmp_path / "theirs.py"
    path.write_text("def train(X, y):\n    return X\n", encoding="utf-8")
    assert main(["audit", f"{path}:train"]) == 2
    said = capsys.readouterr().err
    assert "'train' cannot be called as study(cohort, seed=0)" in said
    assert "    def study(cohort, *, seed):\n" in said


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("EEGConfromer", "unknown model 'EEGConfromer': did you mean 'EEGConformer'?"),
        ("predictions.xlsx", "ends in '.xlsx', which is not read"),
    ],
)
def test_what_a_name_tells_is_refused_before_a_cohort_is_loaded(
    name: str, message: str, capsys
) -> None:
    """The one here does not even exist."""
    assert main(["audit", name, "--cohort", "no-such-suite.yaml"]) == 2
    assert message in capsys.readouterr().err


def test_nothing_but_the_answer_is_printed_where_nobody_watches(capsys) -> None:
    """A log gets no bar and no line for every check."""
    main(["audit", "benchmarks.detection.honest:plain_ridge", "--quick", "--only", "LK100"])
    assert capsys.readouterr().err == ""

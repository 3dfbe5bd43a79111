"""Terminals that are not UTF-8, and users without a home."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pfactor_bench.cohorts.data_folder import data_folder
from pfactor_bench.cohorts.hbn.cohort import hbn
from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from pathlib import Path

COHORT = """
cohort: {kind: arrays, dataset: mine.npz, target: "Wert µ×", sfreq: 100, channels: ["Čz"]}
name: tiny
title: T
question: q?
split: {kind: grouped-k-fold, n_folds: 3, seed: 0}
model: {name: ShallowFBCSPNet}
regimes: [from-scratch]
seeds: [1]
budget: {epochs: 1}
claims: []
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a cohort whose names no old terminal can show, and its suite."""
    np.savez(
        tmp_path / "mine.npz",
        X=np.random.default_rng(0).normal(size=(12, 1, 50)).astype("f4"),
        y=np.repeat([1.0, 2, 3, 4], 3),
        subjects=np.repeat(["Ä", "β", "c", "d"], 3),
    )
    (tmp_path / "tiny.yaml").write_text(COHORT, encoding="utf-8")
    return tmp_path


def run(folder: Path, *arguments: str, **environment: str) -> tuple[int, bytes]:
    """Run the command line and return its exit code and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "pfactor_bench", *arguments, "--data", str(folder)],
        capture_output=True,
        cwd=folder,
        env={**os.environ, **environment},
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "cp1252"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=str,
)
def test_what_a_terminal_cannot_show_is_replaced(folder: Path, environment: dict[str, str]) -> None:
    """The command has done its work, and says so."""
    code, printed = run(folder, "cohort", "tiny.yaml", **environment)

    assert code == 0, printed
    assert b"channels" in printed


def test_error_is_told_on_such_a_terminal(folder: Path) -> None:
    """With the exit code of an error, not of a crash."""
    code, printed = run(
        folder, "cohort", "tiny.yaml", "--set", "target=µ", PYTHONIOENCODING="ascii"
    )

    assert code in {0, 2}, printed
    assert b"Traceback" not in printed


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away the user's home and name, as ``docker run -u 12345`` does."""
    import pwd

    def nobody(_: int) -> object:
        raise KeyError("uid not found")

    for name in ("HOME", "XDG_CACHE_HOME", "LOGNAME", "USER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)


@pytest.mark.usefixtures("homeless")
def test_path_below_a_home_that_is_unknown_is_refused() -> None:
    """Nobody can say where it is."""
    with pytest.raises(CohortError, match=r"'~/data' needs a home directory.* set HOME"):
        data_folder("~/data")


@pytest.mark.usefixtures("homeless")
def test_store_below_a_home_that_is_unknown_is_refused(tmp_path: Path) -> None:
    """HBN's windows are kept there where nothing else is named."""
    from hbn_for_tests import write_dataset

    write_dataset(tmp_path, seconds=4, events=())
    with pytest.raises(CohortError, match=r"'~/.cache' needs a home directory.* set HOME"):
        hbn(releases="R1", data_dir=tmp_path)

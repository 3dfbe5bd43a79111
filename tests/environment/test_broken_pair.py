"""Where torchaudio does not load beside torch, every command that needs it says so: exit code 2."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from suites_for_tests import TINY_SUITE

ROOT = Path(__file__).parents[2]

PROBLEM = "libtorchaudio.so: undefined symbol: torch_exception_get_what_without_backtrace"

STUDY = """\
{before}
def study(cohort, *, seed):
    {inside}
"""


#: In the order of a chain: each of the real ones imports those before it, too.
NEEDS = {"mne": "torchaudio", "braindecode": "torchaudio", "eegdash": "braindecode"}


def break_packages(folder: Path, *broken: str) -> None:
    """Put packages before the installed ones: those that are `broken`, and what imports them."""
    content = {name: f"import {needed}" for name, needed in NEEDS.items()}
    content |= dict.fromkeys(broken, f"raise OSError({PROBLEM!r})")
    for name, lines in content.items():
        (folder / "packages" / name).mkdir(parents=True)
        (folder / "packages" / name / "__init__.py").write_text(lines)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a suite and two studies."""
    (tmp_path / "tiny.yaml").write_text(TINY_SUITE)
    (tmp_path / "first.py").write_text(STUDY.format(before="import braindecode", inside="pass"))
    (tmp_path / "late.py").write_text(STUDY.format(before="", inside="import braindecode"))
    return tmp_path


def told_by(folder: Path, *command: str, exit_code: int) -> str:
    """Return what a program says in that environment, seen to end with an exit code."""
    path = os.pathsep.join([str(folder / "packages"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env={**os.environ, "PYTHONPATH": path},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == exit_code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_doctor_names_the_pair(folder: Path) -> None:
    """And what is wrong with it."""
    break_packages(folder, "torchaudio")
    told = told_by(folder, "pfactor_bench", "doctor", exit_code=1)
    assert f"cannot be imported: OSError: {PROBLEM}" in told
    assert "torchaudio was built for another torch" in told


@pytest.mark.slow
def test_run_names_the_pair(folder: Path) -> None:
    """With the real torch, and workers that are warmed beside it."""
    break_packages(folder, "torchaudio")
    seeds = TINY_SUITE.replace("seeds: [1]", "seeds: [1, 2]")
    (folder / "tiny.yaml").write_text(seeds)
    told = told_by(folder, "pfactor_bench", "run", "tiny.yaml", exit_code=2)
    assert "pfactor-bench: error: torchaudio " in told
    assert "torchaudio was built for another torch" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    "command",
    [
        ["run", "tiny.yaml"],
        ["plan", "tiny.yaml"],
        ["audit", "EEGConformer"],
        ["audit", "first.py:study"],
        ["audit", "late.py:study"],
        ["permute", "tiny.yaml"],
        ["learning-curve", "tiny.yaml"],
    ],
    ids=" ".join,
)
def test_command_that_needs_it_says_so(folder: Path, command: list[str]) -> None:
    """In a few lines, whichever process found out."""
    break_packages(folder, "torch", "torchaudio")
    assert_told(told_by(folder, "pfactor_bench", *command, exit_code=2))


def test_cohort_that_needs_it_says_so(folder: Path, tiny_bids: Path) -> None:
    """Recordings are read with MNE, in processes of their own."""
    break_packages(folder, "mne")
    cohort = "cohort: {kind: bids, dataset: tiny, task: rest, target: target}"
    suite = TINY_SUITE.replace("cohort: {kind: synthetic, n_subjects: 9, n_windows: 4}", cohort)
    (folder / "tiny.yaml").write_text(suite)
    command = ["cohort", "tiny.yaml", "--data", str(tiny_bids.parent)]
    assert_told(told_by(folder, "pfactor_bench", *command, exit_code=2))


def test_suites_say_so_before_any_test_runs(folder: Path) -> None:
    """It is usage: no test has failed."""
    break_packages(folder, "torch", "torchaudio")
    suites = str(ROOT / "suites")
    assert_told(told_by(folder, "pytest", suites, "--suite", "tiny.yaml", exit_code=4))


def test_command_that_does_without_is_not_disturbed(folder: Path) -> None:
    """Looking things up, say."""
    break_packages(folder, "torch", "torchaudio")
    assert "LK102" in told_by(folder, "pfactor_bench", "checks", "LK102", exit_code=0)


def assert_told(told: str) -> None:
    """See that what is broken is named, with what mends it and without a traceback."""
    assert f"cannot be imported: OSError: {PROBLEM}" in told
    assert "pip install" in told
    assert "Traceback" not in told

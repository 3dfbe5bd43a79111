"""``pytest suites``: what it runs, what it writes, and when it fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from suites_for_tests import TINY_SUITE

SUITES = Path(__file__).parents[1] / "suites"

CLEAN = "{kind: last-subjects}"
LEAKY = "{kind: random-windows, n_folds: 2}"


def pytest_suites(folder: Path, *, split: str, equals: str = "0") -> subprocess.CompletedProcess:
    """Run ``pytest suites`` on one tiny suite in a process of its own."""
    suite = folder / "tiny.yaml"
    text = TINY_SUITE.replace(CLEAN, split).replace("equals: 0", f"equals: {equals}")
    suite.write_text(text, encoding="utf-8")
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", str(SUITES), "-k", "not timing"),
            *("--suite", str(suite), "--suite-out", str(folder), "-p", "no:cacheprovider"),
        ],
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def clean_run(tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess]:
    """Run a suite with nothing wrong in it, once for all tests."""
    folder = tmp_path_factory.mktemp("clean")
    return folder, pytest_suites(folder, split=CLEAN)


def test_clean_suite_passes(clean_run) -> None:
    """Exit code 0."""
    _, process = clean_run
    assert process.returncode == 0, process.stdout


def test_report_is_written_and_its_path_printed(clean_run) -> None:
    """At the end, where one looks."""
    folder, process = clean_run
    assert f"tiny: report in {folder / 'tiny' / 'report.md'}" in process.stdout
    assert {"report.md", "figure.svg", "figure.png", "record.json"} <= {
        path.name for path in (folder / "tiny").iterdir()
    }


def test_ids_are_readable(clean_run) -> None:
    """What was skipped is named by suite and check."""
    folder, _ = clean_run
    listed = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", str(SUITES), "--collect-only", "-q"),
            *("--suite", str(folder / "tiny.yaml"), "-p", "no:cacheprovider"),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "test_baselines.py::test_claim[tiny/error]" in listed
    assert "test_leakage.py::test_check[tiny/LK003]" in listed
    assert "test_timing.py::test_training_epoch[tiny/from-scratch/seed-1/cpu]" in listed


def test_leak_fails_the_run(tmp_path: Path) -> None:
    """A split of windows puts every person on both sides."""
    process = pytest_suites(tmp_path, split=LEAKY)
    assert process.returncode == 1
    assert "test_check[tiny/LK003]" in process.stdout


def test_failing_gate_fails_the_run(tmp_path: Path) -> None:
    """A reference value that the run does not reproduce."""
    process = pytest_suites(tmp_path, split=CLEAN, equals="1000000")
    assert process.returncode == 1
    assert "test_claim[tiny/error]" in process.stdout


def test_broken_suite_is_a_usage_error(tmp_path: Path) -> None:
    """With file and line, and without a traceback."""
    process = pytest_suites(tmp_path, split="{kind: last-subject}")
    assert process.returncode == 4
    assert "tiny.yaml:5: unknown split 'last-subject'" in process.stderr + process.stdout

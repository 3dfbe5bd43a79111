"""``pytest suites``: what it runs, what it writes, and when it fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from suites_for_tests import TINY_SUITE

SUITES = Path(__file__).parents[2] / "suites"

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
            f"--junitxml={folder / 'junit.xml'}",
        ],
        check=False,
        env={**os.environ, "GITHUB_STEP_SUMMARY": str(folder / "summary.md")},
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


def test_junit_holds_the_numbers_of_every_claim(clean_run) -> None:
    """Value, requirement and verdict, where a CI server keeps them."""
    cases = ET.parse(clean_run[0] / "junit.xml").getroot().iter("testcase")  # noqa: S314
    by_name = {
        case.attrib["name"]: {
            one.attrib["name"]: one.attrib["value"] for one in case.iter("property")
        }
        for case in cases
    }
    claim = by_name["test_claim[tiny/error]"]
    assert claim["verdict"] == "holds"
    assert claim["required"] == "= 0 ± 100"
    assert 0 < float(claim["value"]) < 100
    assert by_name["test_check[tiny/LK003]"]["status"] == "pass"


def test_step_summary_has_the_verdict(clean_run) -> None:
    """Where GitHub shows it."""
    written = (clean_run[0] / "summary.md").read_text()
    assert written.startswith("## A tiny suite\n")
    assert "Is there a leak?" in written


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

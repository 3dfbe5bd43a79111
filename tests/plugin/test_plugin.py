"""``pytest suites``: what it runs, what it writes, and when it fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from regime_suites import suite_of
from suites_for_tests import TINY_SUITE
from tiny_cases import tiny_suite

from pfactor_bench.pipeline.checkable import INPUTS, checkable
from pfactor_bench.pipeline.run import run
from pfactor_bench.plugin.collect import has_suite_shape
from pfactor_bench.records.record import read_record

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


def test_no_test_waits_for_what_a_suite_cannot_have(clean_run) -> None:
    """Whatever was skipped is named with its reason, and nothing is."""
    assert "SKIPPED" not in clean_run[1].stdout
    assert "not available" not in clean_run[1].stdout


def test_report_and_junit_hold_what_the_audit_found(clean_run) -> None:
    """Of the regime that was audited."""
    folder, _ = clean_run
    report = (folder / "tiny" / "report.md").read_text(encoding="utf-8")
    record = read_record(folder / "tiny")
    found = {one.code: one.status for one in record.findings if one.regime == "from-scratch"}
    assert {found[code] for code in ("LK101", "LK102", "LK103", "LK104")} == {"pass"}
    assert "| LK101 (from-scratch) |" in report
    cases = ET.parse(folder / "junit.xml").getroot().iter("testcase")  # noqa: S314
    (audit,) = (case for case in cases if case.attrib["name"].startswith("test_audit"))
    properties = {one.attrib["name"]: one.attrib["value"] for one in audit.iter("property")}
    assert (properties["verdict"], properties["LK101"]) == ("clean", "pass")


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


def collect(*arguments: str) -> subprocess.CompletedProcess:
    """Collect tests in a process of its own."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"),
            *arguments,
        ],
        check=False,
        capture_output=True,
        text=True,
    )


def test_suite_file_is_a_file_of_tests_anywhere(tmp_path: Path) -> None:
    """Leaks, audit, claims and times, without any file of tests beside it."""
    (tmp_path / "mine.yaml").write_text(TINY_SUITE, encoding="utf-8")
    listed = collect(str(tmp_path / "mine.yaml")).stdout
    expected = ("test_check[tiny/LK003]", "test_audit[tiny/from-scratch/audit]")
    expected += ("test_claim[tiny/error]", "test_training_epoch[tiny/from-scratch/seed-1/cpu]")
    assert [one for one in expected if f"mine.yaml::{one}" not in listed] == []
    assert "LK200" not in listed  # nobody questions a network here
    assert "LK009" not in listed  # a simulated cohort has no sites


def test_broken_suite_file_is_told_with_its_line(tmp_path: Path) -> None:
    """And without a traceback, as a syntax error in a file of tests."""
    path = tmp_path / "mine.yaml"
    path.write_text(TINY_SUITE.replace("last-subjects", "last-subject"), encoding="utf-8")
    process = collect(str(path))
    assert process.returncode == 2
    assert "mine.yaml:5: unknown split 'last-subject'" in process.stdout
    assert "hooks.py" not in process.stdout


def test_yaml_of_others_is_left_alone(tmp_path: Path) -> None:
    """In a folder a suite is not collected either: who wants it names it."""
    (tmp_path / "suite.yaml").write_text(TINY_SUITE, encoding="utf-8")
    (tmp_path / "compose.yaml").write_text("name: x\nservices: {}\n", encoding="utf-8")
    assert collect(str(tmp_path)).returncode == 5
    assert "pfactor" not in collect(str(tmp_path / "compose.yaml")).stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TINY_SUITE, True),
        (TINY_SUITE.replace("cohort: {", "cohort: ["), True),
        ("name: x\ntitle: y\njobs: {}\n", False),
        ("- 1\n", False),
        ("\udcff", False),
    ],
    ids=["a suite", "a broken suite", "a workflow", "a list", "no text"],
)
def test_suite_is_known_by_its_shape(tmp_path: Path, text: str, expected: bool) -> None:  # noqa: FBT001
    """Though it is broken: then it is told what is wrong."""
    path = tmp_path / "a.yaml"
    path.write_bytes(text.encode(errors="surrogateescape"))
    assert has_suite_shape(path) == expected


def test_checks_are_told_what_tests_are_made_for(tmp_path: Path, monkeypatch) -> None:
    """A check whose input no run has gets no test, and one whose input it has gets one."""
    from pfactor_bench.pipeline import conclude

    given: dict[str, object] = {}
    monkeypatch.setattr(conclude, "run_checks", lambda available: given.update(available) or ())
    run(tiny_suite(tmp_path, seeds=1), out=tmp_path / "out", data_dir=None, device="cpu")
    assert {name for name, value in given.items() if value is not None} == INPUTS


def test_source_is_checked_where_there_is_one(tmp_path: Path) -> None:
    """LK022 asks whom an encoder has seen."""
    assert "LK022" in {entry.code for entry in checkable(suite_of(tmp_path))}
    assert "LK022" not in {entry.code for entry in checkable(tiny_suite(tmp_path))}


def test_leak_fails_the_run(tmp_path: Path) -> None:
    """A split of windows puts every subject in train and test."""
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

"""What GitHub reads of the repository: how to cite it, and the action that runs suites."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from suites_for_tests import TINY_SUITE

from pfactor_bench._version import __version__

ROOT = Path(__file__).parents[1]
ACTION = ROOT / ".github" / "actions" / "suites" / "action.yml"


@pytest.mark.parametrize(
    ("schema", "path"),
    [("citation-file-format", ROOT / "CITATION.cff"), ("github-actions", ACTION)],
)
def test_file_obeys_its_published_schema(schema: str, path: Path) -> None:
    """As the publishers of the formats distribute it."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    done = subprocess.run([*command, str(path)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_citation_names_the_present_version() -> None:
    """A release changes both."""
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == __version__


def steps() -> list[dict[str, object]]:
    """Return the action's steps."""
    return yaml.safe_load(ACTION.read_text(encoding="utf-8"))["runs"]["steps"]


def test_no_input_is_pasted_into_a_script() -> None:
    """What a caller passes is data; in a script it would be commands."""
    assert [step["name"] for step in steps() if "${{" in str(step["run"])] == []


def test_action_runs_a_suite_and_leaves_what_ci_shows(tmp_path: Path) -> None:
    """Its own script, with a caller's inputs: report, JUnit, SARIF, summary."""
    (tmp_path / "tiny.yaml").write_text(TINY_SUITE)
    (script,) = (str(step["run"]) for step in steps() if step.get("id") == "run")
    out = tmp_path / "out"
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "SUITES": str(tmp_path / "tiny.yaml"),
        "TESTS": str(ROOT / "suites" / "test_baselines.py"),
        "DATA": "",
        "OUT": str(out),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
    }
    done = subprocess.run(
        ["/bin/bash", "-c", script],
        check=False,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {"junit.xml", "tiny.sarif", "tiny"} <= {path.name for path in out.iterdir()}
    assert (tmp_path / "output").read_text() == f"reports={out}\n"
    assert "A tiny suite" in (tmp_path / "summary.md").read_text()

"""What GitHub reads of the repository: how to cite it, its workflows, and the action for suites."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from suites_for_tests import TINY_SUITE

from pfactor_bench._version import __version__

ROOT = Path(__file__).parents[1]
ACTION = ROOT / ".github" / "actions" / "suites" / "action.yml"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ("citation-file-format", ROOT / "CITATION.cff"),
        ("github-actions", ACTION),
        *(("github-workflows", path) for path in WORKFLOWS),
    ],
    ids=str,
)
def test_file_obeys_its_published_schema(schema: str, path: Path) -> None:
    """As the publishers of the formats distribute it."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}"]
    done = subprocess.run([*command, str(path)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_citation_names_the_present_version() -> None:
    """A release changes both."""
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == __version__


def read(path: Path) -> dict:
    """Return what a file of GitHub's says."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps() -> list[dict]:
    """Return the action's steps."""
    return read(ACTION)["runs"]["steps"]


def jobs() -> list[dict]:
    """Return the jobs of all workflows."""
    return [job for path in WORKFLOWS for job in read(path)["jobs"].values()]


def test_no_input_is_pasted_into_a_script() -> None:
    """What a caller passes is data; in a script it would be commands."""
    all_steps = [*steps(), *(step for job in jobs() for step in job["steps"])]
    assert [step for step in all_steps if "${{" in str(step.get("run", ""))] == []


def test_workflows_test_every_python_that_is_supported() -> None:
    """As the classifiers promise it to whoever installs the package."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    supported = re.findall(r"Python :: (3\.\d+)", " ".join(project["classifiers"]))
    matrices = [job["strategy"]["matrix"]["python"] for job in jobs() if "strategy" in job]
    assert [supported] * 2 == matrices


def test_workflows_run_environments_that_exist() -> None:
    """Of tox, so that whoever has no runner can run the same."""
    ini = configparser.ConfigParser(interpolation=None)
    ini.read(ROOT / "tox.ini", encoding="utf-8")
    known = {section.partition(":")[2] for section in ini.sections()}
    typed = " ".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    named = re.findall(r"(?:tox -e |env: )\[?([a-z,]+)", typed)
    assert {env for names in named for env in names.split(",")} <= known


def run_step(name: str, folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run a step of the action in a folder, with a caller's inputs."""
    (script,) = (str(step["run"]) for step in steps() if step.get("id") == name)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        **inputs,
    }
    return subprocess.run(
        ["/bin/bash", "-c", script],
        check=False,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("version", "installed"), [("", str(ROOT)), ("pfactor-bench==9.9", "pfactor-bench==9.9")]
)
def test_action_installs_itself_or_what_it_is_told(
    version: str, installed: str, tmp_path: Path
) -> None:
    """A caller's repository need not hold the package."""
    stub = tmp_path / "python"
    stub.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {tmp_path}/typed\n')
    stub.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = run_step("install", tmp_path, VERSION=version, HERE=str(ROOT), PATH=path)
    assert done.returncode == 0, done.stdout + done.stderr
    last = (tmp_path / "typed").read_text().splitlines()[-1]
    assert last == f"-m uv pip install --quiet --python {stub} -- {installed}"


def test_action_runs_a_suite_and_leaves_what_ci_shows(tmp_path: Path) -> None:
    """In a repository with a suite and nothing else: report, JUnit, SARIF, summary."""
    (tmp_path / "tiny.yaml").write_text(TINY_SUITE)
    done = run_step("run", tmp_path, SUITES="tiny.yaml", DATA="", OUT="out")
    assert done.returncode == 0, done.stdout + done.stderr
    out = tmp_path / "out"
    assert {"junit.xml", "tiny.sarif", "tiny"} <= {path.name for path in out.iterdir()}
    assert (tmp_path / "output").read_text() == "reports=out\n"
    assert "A tiny suite" in (tmp_path / "summary.md").read_text()

"""``pytest suites`` leaves a checkout as it was: what it writes, git ignores."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from suites_for_tests import TINY_SUITE

CHECKOUT = Path(__file__).parents[2]


def _git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    return subprocess.run(
        ["git", *identity, *arguments],  # noqa: S607 - git is looked up as the user would
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_running_suites_changes_nothing_that_git_keeps(tmp_path: Path) -> None:
    """Reports, caches and stored times lie where .gitignore says."""
    for name in (".gitignore", "pyproject.toml"):
        shutil.copy(CHECKOUT / name, tmp_path)
    (tmp_path / "suites").mkdir()
    for path in (CHECKOUT / "suites").glob("test_*.py"):
        shutil.copy(path, tmp_path / "suites")
    (tmp_path / "suites" / "tiny.yaml").write_text(f"{TINY_SUITE}quick: true\n", encoding="utf-8")
    _git(tmp_path, "init", "--quiet")
    _git(tmp_path, "add", "--all")
    _git(tmp_path, "commit", "--quiet", "--message", "as it was")
    process = subprocess.run(
        [sys.executable, "-m", "pytest", "suites", "-q", "--benchmark-save=mine"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stdout
    assert (tmp_path / "pfactor-bench-reports" / "tiny" / "report.md").is_file()
    assert _git(tmp_path, "status", "--porcelain") == ""

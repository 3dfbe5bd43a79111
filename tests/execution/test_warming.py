"""Workers' imports begin before the command's own."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tiny_cases import tiny_suite

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """\
import sys
import joblib
joblib.cpu_count = lambda: {cores}
from pfactor_bench.cli import run as run_cli
from pfactor_bench.execution import processes
processes.begin_warming = lambda: print("warming", "torch" in sys.modules)
def stop(*_ignored): sys.exit(0)
run_cli._run = stop
from pfactor_bench.cli.main import main
main(sys.argv[1:])
"""


def printed(folder: Path, *options: str, cores: int = 2, seeds: int = 6) -> str:
    """Return what a run says that stops before it prepares anything."""
    tiny_suite(folder, seeds=seeds)
    command = ["run", folder / "suite.yaml", "--out", folder / "out", *options]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(cores=cores), *command],
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout


def test_run_warms_workers_before_it_imports_torch(tmp_path: Path) -> None:
    """So that both import at the same time."""
    assert printed(tmp_path) == "warming False\n"


@pytest.mark.parametrize(
    "options", [["--workers", "1"], ["--cluster", "tcp://127.0.0.1:1"], ["--device", "cuda"]]
)
def test_run_that_needs_no_processes_warms_none(tmp_path: Path, options: list[str]) -> None:
    """They would import for nothing."""
    assert printed(tmp_path, *options) == ""


@pytest.mark.parametrize("only", [{"cores": 1}, {"seeds": 1}])
def test_one_core_or_one_case_warms_none(tmp_path: Path, only: dict[str, int]) -> None:
    """There is nothing to share out."""
    assert printed(tmp_path, **only) == ""

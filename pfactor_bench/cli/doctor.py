"""Whether the installed packages work together, and what to do if they do not."""

from __future__ import annotations

import argparse
import platform
from importlib import import_module

from pfactor_bench.environment.packages import PACKAGES, fix_for, version_of

GROUP = "installation"
HELP = "say whether the installed packages work together"


def diagnose() -> tuple[str, bool]:
    """Import every package that the benchmark stands on.

    Returns
    -------
    report : str
        A line per package and, where something is wrong, the fix.
    healthy : bool
        Whether all could be imported.
    """
    problems = {package: _problem_with(package) for package in PACKAGES}
    broken = [(package, problem) for package, problem in problems.items() if problem]
    lines = [f"python       {platform.python_version()}"]
    for package, problem in problems.items():
        outcome = f"cannot be imported: {problem}" if problem else "ok"
        lines.append(f"{package:<12} {version_of(package)}  {outcome}")
    lines.append(f"device       {_device()}")
    # What the first package lacks, those after it lack, too.
    lines.append(fix_for(*broken[0]) if broken else "everything needed is there")
    return "\n".join(lines), not broken


def _problem_with(package: str) -> str | None:
    try:
        import_module(package)
    except Exception as error:  # noqa: BLE001 - a broken binary may raise anything
        return f"{type(error).__name__}: {error}"
    return None


def _device() -> str:
    try:
        import torch

        if torch.cuda.is_available():
            return f"cuda: {torch.cuda.get_device_name(0)}"
    except Exception as error:  # noqa: BLE001 - reported, not raised: that is what a doctor does
        return f"unknown: {error}"
    return "cpu: torch finds no CUDA device"


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """Declare what ``pfactor-bench doctor`` takes: nothing."""


def run(_options: argparse.Namespace) -> int:
    """Say whether the installed packages work together; the exit code is 1 where not."""
    report, healthy = diagnose()
    print(report)  # noqa: T201
    return 0 if healthy else 1

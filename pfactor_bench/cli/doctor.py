"""Whether the installed packages work together, and what to do if they do not."""

from __future__ import annotations

import platform
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["GROUP", "HELP", "add_arguments", "run"]

GROUP = "installation"
HELP = "say whether the installed packages work together"


_PACKAGES = ("torch", "torchaudio", "mne", "braindecode", "eegdash")
_FIX = 'python -m pip install "torch==2.11.*" "torchaudio==2.11.*" braindecode eegdash'


def diagnose() -> tuple[str, bool]:
    """Import every package that the benchmark stands on.

    Returns
    -------
    report : str
        A line per package and, where something is wrong, the fix.
    healthy : bool
        Whether all could be imported.
    """
    lines, healthy = [f"python       {platform.python_version()}"], True
    for package in _PACKAGES:
        problem = _problem_with(package)
        healthy &= problem is None
        lines.append(f"{package:<12} {_version_of(package)}  {problem or 'ok'}")
    lines.append(f"device       {_device()}")
    if healthy:
        lines.append("everything needed is there")
    else:
        lines.append(
            "braindecode needs torchaudio, whose last release is 2.11, and that refuses any other "
            f"torch; install the pair that works:\n  {_FIX}"
        )
    return "\n".join(lines), healthy


def _problem_with(package: str) -> str | None:
    try:
        import_module(package)
    except Exception as error:  # noqa: BLE001 - a broken binary may raise anything
        return f"cannot be imported: {error}"
    return None


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


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

"""What a number rests on besides the data: code, packages, machine."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pfactor_bench._version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

__all__ = ["PACKAGES", "collect_code", "collect_provenance"]

#: Packages whose version may change a number.
PACKAGES = ("torch", "torchaudio", "braindecode", "eegdash", "mne", "numpy", "scipy", "pandas")


def collect_provenance(*, device: torch.device, threads: int, command: str) -> Mapping[str, Any]:
    """Return the facts that a reader needs to repeat a run, as plain JSON values.

    Parameters
    ----------
    device
        Where the models were trained.
    threads
        How many of torch's trained each.
    command
        What to type to run it again.
    """
    import torch

    code = collect_code()
    return {
        "version": code["version"],
        "commit": code["commit"],
        "dirty": code["dirty"],
        "command": command,
        "date": code["date"],
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "cpu": _cpu_name(),
        "n_cpus": os.cpu_count(),
        "threads": threads,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "device": _device_name(device),
        "packages": {name: _version_of(name) for name in PACKAGES},
    }


def collect_code() -> Mapping[str, Any]:
    """Return which code runs, and when."""
    commit, dirty = _git_state()
    return {
        "version": __version__,
        "commit": commit,
        "dirty": dirty,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _git_state() -> tuple[str | None, bool | None]:
    """Return the commit of the code that ran and whether it was edited since; None outside git."""
    here = Path(__file__).parents[1]
    try:
        commit = _git(here, "rev-parse", "HEAD")
        tracked = _git(here, "ls-files", "--error-unmatch", "__init__.py")
    except (OSError, subprocess.CalledProcessError):
        return None, None
    # Reports are written by the run itself; the code is what must be unedited.
    return commit, bool(_git(here, "status", "--porcelain", "--", ".")) if tracked else None


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(  # noqa: S603 - fixed arguments
        ["git", *arguments],  # noqa: S607 - git is looked up as the user would
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def _device_name(device: torch.device) -> str:
    import torch

    # A cluster's GPUs have no name where the run is led from a machine without any.
    is_here = device.type == "cuda" and torch.cuda.is_available()
    return torch.cuda.get_device_name(device) if is_here else str(device)


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _version_of(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None

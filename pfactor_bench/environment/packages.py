"""Packages that must load together: which one does not, and what to do about it.

A release of torchaudio loads beside some releases of torch only, and pip does not know which. Such
an environment installs without complaint and breaks when braindecode is imported.
"""

from __future__ import annotations

import re
import sys
import traceback
import warnings
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from pfactor_bench.errors import EnvironmentProblemError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PACKAGES", "fix_for", "packages_needed", "require_braindecode", "version_of"]

#: Each stands after those that it imports.
PACKAGES = ("torch", "torchaudio", "mne", "braindecode", "eegdash")

_INSTALL = 'python -m pip install --upgrade "torch>=2.13" "torchaudio>=2.11.1" braindecode eegdash'
_SAME_PLACE = "python -m pip install --force-reinstall torch torchaudio"

#: A library of CUDA that a torch built without it does not bring, such as ``libc10_cuda.so``.
_CUDA_LIBRARY = re.compile(r"lib\w*cud\w*\.so")

#: What torchaudio says beside a torch that it was not built for.
_OTHER_TORCH = re.compile(r"undefined symbol|different CUDA version")

#: An import may fail because memory is short, and no installation helps then.
_SHORT_OF_MEMORY = re.compile(r"map segment|allocate memory", re.IGNORECASE)


@contextmanager
def packages_needed() -> Iterator[None]:
    """Turn the failed import of one of `PACKAGES` into an error that says how to mend it.

    Raises
    ------
    EnvironmentProblemError
        In place of any error that such an import led to. All others pass as they are.
    """
    try:
        yield
    except Exception as error:
        for one in _with_causes(error):
            if package := _unimportable(one):
                problem = f"{type(one).__name__}: {one}"
                raise EnvironmentProblemError(
                    f"{package} {version_of(package)} cannot be imported: {problem}\n"
                    f"{fix_for(package, problem)}\n"
                    f"`pfactor-bench doctor` says whether that has helped"
                ) from error
        raise


def require_braindecode() -> None:
    """Import what every suite stands on.

    Raises
    ------
    EnvironmentProblemError
        If it cannot be imported.
    """
    with packages_needed(), warnings.catch_warnings():
        # A test runner may turn warnings into errors; these are about packages, not about tests.
        warnings.simplefilter("ignore")
        import braindecode.models  # noqa: F401


def fix_for(package: str, problem: str) -> str:
    """Return what makes packages load together again.

    Parameters
    ----------
    package
        The first of `PACKAGES` that cannot be imported.
    problem
        What importing it said.
    """
    if package == "torchaudio" and _CUDA_LIBRARY.search(problem):
        return (
            "torchaudio was built for CUDA and torch was not; install both from the same place (to "
            f"stay without CUDA, from the index that torch came from):\n  {_SAME_PLACE}"
        )
    if package == "torchaudio" and _OTHER_TORCH.search(problem):
        return (
            "torchaudio was built for another torch, though pip took the two for compatible; "
            f"install a pair that works:\n  {_INSTALL}"
        )
    return f"install it, and what it stands on:\n  {_INSTALL}"


def version_of(package: str) -> str:
    """Return the version that is installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    """Return an error and those that it was raised for or while handling, the last first."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _unimportable(error: BaseException) -> str | None:
    """Return the package whose import an error ended; None where it ended none."""
    if isinstance(error, Warning | MemoryError) or _SHORT_OF_MEMORY.search(str(error)):
        return None
    if isinstance(error, ModuleNotFoundError) and error.name in PACKAGES:
        return error.name
    running = (
        str(frame.f_globals.get("__name__")).partition(".")[0]
        for frame, _ in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_name == "<module>"
    )
    # A package that was imported as a whole is not broken, whatever a part of it needs.
    failed = [name for name in running if name in PACKAGES and name not in sys.modules]
    return failed[-1] if failed else None

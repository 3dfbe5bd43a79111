"""Files that are written whole or not at all, and where reports go that are given no folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from pfactor_bench.errors import OutputError

__all__ = ["REPORTS", "ensure_writable", "report_folder", "write_atomically"]

#: Not ``reports``, which a repository may keep: a run on someone's machine is no publication.
REPORTS = Path("pfactor-bench-reports")


def report_folder(suite: str) -> Path:
    """Return the folder that a suite of this name reports to where nobody says otherwise."""
    return REPORTS / suite


def ensure_writable(folder: Path, *, option: str = "--out") -> None:
    """Create `folder` and prove that a file can be written there, before any work starts.

    Raises
    ------
    OutputError
        If it cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(
            f"cannot write to the output folder {str(folder)!r} ({error.strerror}): choose another "
            f"with {option}"
        ) from error


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes files that only their owner can read; a report is for all to read.
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise

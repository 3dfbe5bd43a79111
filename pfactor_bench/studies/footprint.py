"""What a run leaves behind on disk, so that no later run finds it.

A file that one run writes and the next one reads carries knowledge from one cohort to another: a
cache that ignores the targets, remembered targets. So the files that a run creates are noted as
they are opened, and removed before the next run. Writers that bypass Python's own ``open``, such as
those of HDF5 and of torch's archives, are not seen.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Footprint", "leaving_nothing"]

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
#: Streams, devices and compiled modules carry no knowledge from run to run.
_NEUTRAL = ("/dev/", "/proc/", "/sys/")


class Footprint:
    """The files that this process creates, from here to its end.

    Parameters
    ----------
    scratch
        A folder of its own that is removed at its end: what is created there is not counted.
    """

    def __init__(self, scratch: str) -> None:
        self._scratch = os.path.join(os.path.abspath(scratch), "")  # noqa: PTH100, PTH118 - a name
        self._created: dict[str, None] = {}
        # It cannot be taken away again; a run's process ends soon.
        sys.addaudithook(self._notice)

    @property
    def created(self) -> list[str]:
        """Files that were not there before and are now."""
        return [path for path in self._created if os.path.isfile(path)]  # noqa: PTH113 - a name

    def _notice(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            writes = isinstance(flags, int) and bool(flags & _WRITING)
        elif event == "os.rename":
            path, writes = arguments[1], True
        else:
            return
        # A descriptor has no name, and whatever goes wrong here must not reach the study.
        with contextlib.suppress(Exception):
            name = os.path.abspath(os.fsdecode(path))  # type: ignore[arg-type]  # noqa: PTH100
            if (
                name.startswith((*_NEUTRAL, self._scratch))
                or name.endswith(".pyc")
                or "__pycache__" in name
            ):
                return
            if writes and not os.path.lexists(name):
                self._created.setdefault(name)


@contextlib.contextmanager
def leaving_nothing() -> Iterator[Footprint]:
    """Remove, at the end, what this process creates from here on, temporary files included."""
    with tempfile.TemporaryDirectory(prefix="pfactor-bench-") as scratch:
        footprint = Footprint(scratch)
        os.environ["TMPDIR"] = tempfile.tempdir = scratch
        try:
            yield footprint
        finally:
            for path in footprint.created:
                with contextlib.suppress(OSError):
                    Path(path).unlink()

"""One run at a time in an output folder.

The lock is the operating system's: it is gone when its process is, however that ended, so a crash
leaves nothing behind that has to be cleared away by hand.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from pfactor_bench.errors import OutputError
from pfactor_bench.files import write_atomically

LOCK_FILE = ".lock"
_OWNER_FILE = ".lock-owner.json"


@contextmanager
def only_run_in(folder: Path, *, patience: float = 0.0) -> Iterator[None]:
    """Hold the lock of an output folder.

    Parameters
    ----------
    folder
        Is there already.
    patience
        Seconds to wait for another run that holds it.

    Raises
    ------
    OutputError
        If another run holds it, naming that run's host and process.
    """
    lock = FileLock(folder / LOCK_FILE, timeout=patience)
    try:
        lock.acquire()
    except Timeout:
        raise OutputError(
            f"another run is writing to {str(folder)!r}: {_owner(folder)}. Wait for it, stop it, "
            f"or choose another folder with --out"
        ) from None
    except NotImplementedError:
        # A file system without locks. Finished cases are written atomically under names that say
        # what they were made from, so the worst that two runs do to each other is double work.
        yield
        return
    try:
        mine = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        write_atomically(folder / _OWNER_FILE, json.dumps(mine).encode())
        yield
    finally:
        (folder / _OWNER_FILE).unlink(missing_ok=True)
        lock.release()


def is_locked(folder: Path) -> bool:
    """Whether a run holds the lock of `folder` now."""
    if not (folder / LOCK_FILE).exists():
        return False
    lock = FileLock(folder / LOCK_FILE, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    except (OSError, NotImplementedError):
        return False
    lock.release()
    return False


def _owner(folder: Path) -> str:
    try:
        owner = json.loads((folder / _OWNER_FILE).read_text(encoding="utf-8"))
        return f"process {owner['pid']} on {owner['host']}, since {owner['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "it has not said yet which process it is"

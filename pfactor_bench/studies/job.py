"""A job's own side of the sandbox: it runs in a fresh fork, from which only bytes come back."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import resource
import sys
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from pfactor_bench.environment.packages import packages_needed
from pfactor_bench.errors import EnvironmentProblemError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

__all__ = ["BROKEN_ENVIRONMENT", "do_job"]

#: A job's exit status whose answer says what is wrong with the installed packages; in sysexits.h a
#: mistake in configuration.
BROKEN_ENVIRONMENT = 78


def do_job(job: Callable[[], bytes], memory: int, answer: int, printed: int) -> NoReturn:
    """Run a job and leave without running anything of the parent's: no handlers, no buffers.

    Parameters
    ----------
    job
        Returns what is answered.
    memory
        Bytes of address space that it may use beyond what is mapped already.
    answer, printed
        File descriptors that get the answer, and what the job prints.
    """
    status = 1
    try:
        faulthandler.disable()  # a job's crash is reported by the caller, in one line
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(printed, 1)
        os.dup2(printed, 2)
        # A test runner may have put objects of its own here.
        sys.stdout = os.fdopen(1, "w", buffering=1, errors="replace", closefd=False)
        sys.stderr = os.fdopen(2, "w", buffering=1, errors="replace", closefd=False)
        # The caller may turn warnings into errors; what a job does is not judged by that.
        warnings.simplefilter("ignore")
        _limit_memory(memory)
        _one_thread()
        with packages_needed():
            content = job()
        _reply(answer, content)
        status = 0
    except EnvironmentProblemError as error:
        _reply(answer, str(error).encode())
        status = BROKEN_ENVIRONMENT
    except SystemExit as left:
        _tell(f"it called sys.exit({left.code!r})")
    except BaseException as error:  # noqa: BLE001 - there is nobody above to handle it
        _tell(traceback.format_exc())
        _tell(f"{type(error).__name__}: {error}")
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        os._exit(status)


def _reply(answer: int, content: bytes) -> None:
    with os.fdopen(answer, "wb") as stream:
        stream.write(content)


def _tell(text: str) -> None:
    with contextlib.suppress(Exception):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def _limit_memory(extra: int) -> None:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:  # only Linux tells; elsewhere the time limit has to do
        return
    limit = pages * resource.getpagesize() + extra
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _one_thread() -> None:
    """Use one thread: jobs already run side by side, and OpenMP's threads do not survive a fork."""
    os.environ["OMP_NUM_THREADS"] = "1"
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    threadpool_limits(1)

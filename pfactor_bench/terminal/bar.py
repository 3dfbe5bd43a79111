"""One line of progress, in a terminal or a notebook; nothing where nobody watches."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tqdm import tqdm

__all__ = ["is_watched", "progress_bar"]


def progress_bar(
    steps: Iterable[Any] | None = None,
    *,
    unit: str,
    total: int | None = None,
    desc: str = "",
    wanted: bool = True,
) -> tqdm[Any]:
    """Return a progress bar, to iterate over or to update; it draws nothing where nobody watches.

    Parameters
    ----------
    steps
        What it iterates over; without it, call ``update``.
    unit, total, desc
        As tqdm has them.
    wanted
        Whether the caller wants one at all.
    """
    from tqdm import auto

    hidden = not (wanted and is_watched())
    bar: tqdm[Any] = auto.tqdm(steps, total=total, unit=unit, desc=desc, disable=hidden)
    return bar


def is_watched() -> bool:
    """Say whether standard error is seen as it is written; a CI log is read later, if ever."""
    if os.environ.get("CI"):
        return False
    return _is_notebook() or bool(sys.stderr and sys.stderr.isatty())


def _is_notebook() -> bool:
    """Say whether this is the kernel of a notebook, whose standard error is no terminal."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython and ipython.get_ipython()
    return bool(shell) and "IPKernelApp" in shell.config

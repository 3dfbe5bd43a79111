"""Going through windows that need not fit in memory."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["blocks", "is_mapped", "release"]

#: What is looked at in one step.
_BLOCK_BYTES = 32 * 2**20


def blocks(X: NDArray[np.float32]) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Go through windows a few megabytes at a time.

    Parameters
    ----------
    X
        Shape ``(n_windows, ...)``, an array or a memory map. What was gone through of a memory map
        is let go of.

    Yields
    ------
    first : int
        Position of the block's first window.
    block : ndarray
        Its windows.
    """
    step = max(1, _BLOCK_BYTES // max(1, X[:1].nbytes))
    for first in range(0, len(X), step):
        yield first, X[first : first + step]
        release(X)


def is_mapped(X: NDArray[np.float32]) -> bool:
    """Return whether windows lie on disk and come into memory as they are looked at."""
    return _map_of(X) is not None


def release(X: NDArray[np.float32]) -> None:
    """Let go of the part of a memory map that has come into memory; other arrays stay.

    The kernel counts such pages as this process's memory until somebody needs the room.
    """
    mapped = _map_of(X)
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def _map_of(X: NDArray[np.float32]) -> mmap.mmap | None:
    base: object = X
    while isinstance(base, np.ndarray):
        base = base.base
    return base if isinstance(base, mmap.mmap) else None

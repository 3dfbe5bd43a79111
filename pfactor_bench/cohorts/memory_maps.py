"""Going through windows that need not fit in memory."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["blocks", "is_mapped", "read_rows", "release"]

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

    The kernel counts such pages as this process's memory until someone needs the room.
    """
    mapped = _map_of(X)
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def read_rows(X: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return some windows of a memory map, read from its file.

    Looking at a window through the map may bring megabytes around it into memory; reading it from
    the file brings the window.
    """
    base: object = X
    while isinstance(base, np.ndarray) and not isinstance(base.base, mmap.mmap):
        base = base.base
    file = getattr(base, "filename", None)
    if file is None or not X[:1].flags.c_contiguous:
        return X[rows]
    begin = base.offset + X.ctypes.data - base.ctypes.data  # type: ignore[attr-defined]
    windows = np.empty((len(rows), *X.shape[1:]), dtype=X.dtype)
    with open(file, "rb", buffering=0) as stream:  # noqa: PTH123 - numpy gives what it was given
        for window, row in zip(windows, rows.tolist(), strict=True):
            stream.seek(begin + row * X.strides[0])
            if stream.readinto(window.data.cast("B")) != window.nbytes:
                raise OSError(f"{str(file)!r} is shorter than when it was opened")
    return windows


def _map_of(X: NDArray[np.float32]) -> mmap.mmap | None:
    base: object = X
    while isinstance(base, np.ndarray):
        base = base.base
    return base if isinstance(base, mmap.mmap) else None

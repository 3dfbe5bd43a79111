"""Windows that training takes: in memory where the cohort is, else read batch by batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from pfactor_bench.cohorts.memory_maps import is_mapped, read_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import torch
    from numpy.typing import NDArray

    #: A tensor, or what behaves like one as far as training goes.
    Windows: TypeAlias = "torch.Tensor | MappedWindows"


class MappedWindows:
    """Windows on disk that come into memory, and onto a device, as they are asked for.

    Parameters
    ----------
    X
        A memory map, float32, shape ``(n_all, n_chans, n_times)``.
    positions
        Which of its windows these are.
    device
        Where they are wanted.
    """

    def __init__(
        self, X: NDArray[np.float32], positions: NDArray[np.int64], device: torch.device
    ) -> None:
        self._X = X
        self._positions = positions
        self.device = device
        self.shape = (len(positions), *X.shape[1:])

    def __len__(self) -> int:
        return len(self._positions)

    def __getitem__(self, index: torch.Tensor) -> torch.Tensor:
        """Return the windows at `index`, int64, in its order."""
        return self._load(self._positions[index.cpu().numpy()])

    def split(self, size: int) -> Iterator[torch.Tensor]:
        """Go through all windows, `size` at a time."""
        for first in range(0, len(self), size):
            yield self._load(self._positions[first : first + size])

    def at(self, positions: NDArray[np.int64]) -> MappedWindows:
        """Return some of these windows, on disk still."""
        return MappedWindows(self._X, self._positions[positions], self.device)

    def _load(self, rows: NDArray[np.int64]) -> torch.Tensor:
        import torch

        return torch.from_numpy(read_rows(self._X, rows)).to(self.device)


def windows_at(
    X: NDArray[np.float32], positions: NDArray[np.int64], device: torch.device
) -> Windows:
    """Return windows for training: copied to `device`, or left on disk if `X` is a memory map."""
    import torch

    if is_mapped(X):
        return MappedWindows(X, positions, device)
    return torch.from_numpy(X[positions]).to(device)


def take(windows: Windows, positions: NDArray[np.int64]) -> Windows:
    """Return some of `windows`, without reading those that are on disk."""
    import torch

    if isinstance(windows, MappedWindows):
        return windows.at(positions)
    return windows[torch.from_numpy(positions).to(windows.device)]

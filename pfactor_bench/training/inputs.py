"""What models see: normalised windows, or features of them, by position in the cohort."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pfactor_bench.cohorts.memory_maps import is_mapped
from pfactor_bench.training.loop import normalize_windows
from pfactor_bench.training.windows import MappedWindows

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

    from pfactor_bench.types import Cohort

#: Windows that are normalised at once.
_BATCH = 4096

#: A memory map up to this size is read once and kept, normalised, by each process that trains.
_KEPT_BYTES = 512 * 2**20


class Inputs(Protocol):
    """What a forward pass takes, for models side by side."""

    @property
    def device(self) -> torch.device:
        """Where they are."""
        ...

    def rows(self, first: int, last: int, positions: torch.Tensor) -> torch.Tensor:
        """Return what models `first` to `last` see at `positions`, ``(n_models, n_windows, …)``."""
        ...


class NormalisedWindows(Inputs, Protocol):
    """Windows that are the same for every model."""

    def first(self, n: int) -> torch.Tensor:
        """Return the first `n` windows."""
        ...

    def parts(self, size: int) -> Iterator[torch.Tensor]:
        """Go through all windows, `size` at a time."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class WindowsInMemory:
    """All windows of a cohort, normalised once instead of in every batch.

    Parameters
    ----------
    X
        Shape ``(n_windows, n_chans, n_times)``.
    """

    X: torch.Tensor

    @property
    def device(self) -> torch.device:
        """Where they are."""
        return self.X.device

    def first(self, n: int) -> torch.Tensor:
        """Return the first `n` windows."""
        return self.X[:n]

    def parts(self, size: int) -> Iterator[torch.Tensor]:
        """Go through all windows, `size` at a time."""
        yield from self.X.split(size)

    def rows(self, first: int, last: int, positions: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        """Return the windows at `positions`."""
        return self.X[positions]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class WindowsOnDisk:
    """Windows of a cohort that does not fit, read and normalised batch by batch."""

    windows: MappedWindows

    @property
    def device(self) -> torch.device:
        """Where they come to."""
        return self.windows.device

    def first(self, n: int) -> torch.Tensor:
        """Return the first `n` windows."""
        return next(self.parts(n))

    def parts(self, size: int) -> Iterator[torch.Tensor]:
        """Go through all windows, `size` at a time."""
        return (normalize_windows(part) for part in self.windows.split(size))

    def rows(self, first: int, last: int, positions: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        """Return the windows at `positions`."""
        read = normalize_windows(self.windows[positions.flatten()])
        return read.view(*positions.shape, *read.shape[1:])


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Features:
    """What reaches the heads of models with frozen encoders.

    Parameters
    ----------
    X
        Features for each encoder, shape ``(n_encoders, n_windows, …)``.
    encoder
        Which encoder each model has, int64, shape ``(n_models, 1)``.
    """

    X: torch.Tensor
    encoder: torch.Tensor

    @property
    def device(self) -> torch.device:
        """Where they are."""
        return self.X.device

    def rows(self, first: int, last: int, positions: torch.Tensor) -> torch.Tensor:
        """Return what models `first` to `last` see at `positions`."""
        return self.X[self.encoder[first:last], positions]


def inputs_of(cohort: Cohort, device: torch.device) -> NormalisedWindows:
    """Return a cohort's windows as models see them, in memory where they fit well."""
    import torch

    if is_mapped(cohort.X) and cohort.X.nbytes > _KEPT_BYTES:
        return WindowsOnDisk(windows=MappedWindows(cohort.X, np.arange(len(cohort.X)), device))
    X = torch.empty(cohort.X.shape, device=device)
    for begin in range(0, len(X), _BATCH):
        part = np.array(cohort.X[begin : begin + _BATCH])
        X[begin : begin + len(part)] = normalize_windows(torch.from_numpy(part).to(device))
    return WindowsInMemory(X=X)

"""Dropout masks from a random stream for each model, so that none depends on its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from pfactor_bench.seeds import seed_for

#: Masks are drawn with 16 bits each, so a probability is exact to 1 in 131,072.
_LEVELS = 2**16


@dataclass(frozen=True, kw_only=True, slots=True)
class DropoutSite:
    """One call of a dropout layer.

    Parameters
    ----------
    p
        The probability of 0.
    n
        How many numbers it drops from.
    """

    p: float
    n: int


def keep_probability(p: float) -> float:
    """Return with what probability a number is really kept where `p` is to be dropped."""
    return round((1 - p) * _LEVELS) / _LEVELS


class MaskStreams:
    """The dropout masks of several models, each from a stream of its own.

    Parameters
    ----------
    seeds
        One per model.
    device
        Where the masks are needed.
    """

    def __init__(self, seeds: Sequence[int], device: torch.device) -> None:

        names = [seed_for("dropout", seed) for seed in seeds]
        self._device = device
        # Four masks from each 64 bits: several times cheaper than torch's stream on a CPU.
        self._bits = [np.random.SFC64(name) for name in names]
        self._generators = [
            torch.Generator(device).manual_seed(name) for name in names if device.type != "cpu"
        ]

    def draw(self, sites: Sequence[DropoutSite], first: int, last: int) -> torch.Tensor:
        """Return the masks of models `first` to `last` (excluded) for one step.

        Returns
        -------
        torch.Tensor
            0 or 1 / (1 − p), float32, shape ``(n_models, n_numbers)``, the sites side by side.
        """
        highest, scale = _highest_and_scale(tuple(sites))
        if not self._generators:
            kept = np.empty((last - first, len(highest)), np.float32)
            # numpy compares these many times as fast as torch does.
            for row, bits in zip(kept, self._bits[first:last], strict=True):
                row[:] = _uint16(bits, len(highest)) <= highest
            return torch.from_numpy(kept).mul_(torch.from_numpy(scale))
        rows = [
            torch.randint(_LEVELS, (len(highest),), generator=one, device=self._device)
            for one in self._generators[first:last]
        ]
        kept_there = torch.stack(rows) <= torch.from_numpy(highest.astype(np.int64)).to(
            self._device
        )
        return kept_there * torch.from_numpy(scale).to(self._device)


@lru_cache(maxsize=8)
def _highest_and_scale(
    sites: tuple[DropoutSite, ...],
) -> tuple[NDArray[np.uint16], NDArray[np.float32]]:
    """Return up to which draw a number is kept, and what the kept ones are multiplied by."""
    counts = [site.n for site in sites]
    keep = np.array([keep_probability(site.p) for site in sites])
    with np.errstate(divide="ignore"):
        scale = np.where(keep > 0, 1 / keep, 0)
    # Where nothing is kept, a draw of 0 would be: the scale sees to that.
    highest = np.repeat((keep * _LEVELS - 1).clip(0).astype(np.uint16), counts)
    return highest, np.repeat(scale.astype(np.float32), counts)


def _uint16(bits: np.random.SFC64, n: int) -> NDArray[np.uint16]:
    words: NDArray[np.uint64] = bits.random_raw(-(-n // 4))
    return words.view(np.uint16)[:n]

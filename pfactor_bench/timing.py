"""Work to be timed: made ready beforehand, finished when it returns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pfactor_bench.training.case import prepare_fold
from pfactor_bench.training.device import peak_memory, seeded, synchronize
from pfactor_bench.training.loop import fit

if TYPE_CHECKING:
    import torch

    from pfactor_bench.pipeline import Prepared
    from pfactor_bench.types import Case

__all__ = ["TrainingEpoch"]


class TrainingEpoch:
    """One epoch of one case on its first fold, evaluation included.

    Calling it trains one epoch and waits for the device, so a clock around the call measures the
    work and not its queueing. Model and windows are on the device before the first call.

    Parameters
    ----------
    prepared
        The suite.
    case
        The case to time.
    device
        Where.
    """

    def __init__(self, prepared: Prepared, case: Case, device: torch.device) -> None:
        self.device = device
        self._budget = prepared.suite.budget
        self._seed = case.seed
        with seeded(case.seed, device):
            self._model, self._X, self._y, self._X_held_out = prepare_fold(
                case, prepared.cohort, prepared.split.folds[0], device
            )

    @property
    def n_windows(self) -> int:
        """Training windows of the epoch."""
        return len(self._X)

    @property
    def peak_bytes(self) -> int:
        """Peak memory so far, as `pfactor_bench.training.device.peak_memory` counts it."""
        return peak_memory(self.device)

    def __call__(self) -> None:
        """Train one epoch and wait until it is done."""
        with seeded(self._seed, self.device):
            fit(
                self._model,
                X=self._X,
                y=self._y,
                X_held_out=self._X_held_out,
                budget=replace(self._budget, epochs=1),
            )
        synchronize(self.device)

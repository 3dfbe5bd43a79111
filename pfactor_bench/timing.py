"""Work to be timed: made ready beforehand, finished when it returns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pfactor_bench.preparation import encoders_of
from pfactor_bench.training.case import case_budget
from pfactor_bench.training.device import peak_memory, seeded, synchronize
from pfactor_bench.training.fold import prepare_fold
from pfactor_bench.training.loop import fit

if TYPE_CHECKING:
    import torch

    from pfactor_bench.preparation import Prepared
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
        self._budget = replace(case_budget(case, prepared.suite.budget), epochs=1)
        self._seed = case.seed
        fold = prepared.split.folds[0]
        encoder = encoders_of(prepared, case).get(fold.name)
        with seeded(case.seed, device):
            self._ready = prepare_fold(
                case,
                prepared.cohort,
                fold,
                self._budget,
                device=device,
                encoder=None if encoder is None else encoder.tensors,
            )

    @property
    def n_windows(self) -> int:
        """Training windows of the epoch."""
        return len(self._ready.X)

    @property
    def peak_bytes(self) -> int:
        """Peak memory so far, as `pfactor_bench.training.device.peak_memory` counts it."""
        return peak_memory(self.device)

    def __call__(self) -> None:
        """Train one epoch and wait until it is done."""
        with seeded(self._seed, self.device):
            fit(
                self._ready.start.model,
                X=self._ready.X,
                y=self._ready.y,
                X_held_out=self._ready.X_held_out,
                budget=self._budget,
                trained=self._ready.start.trained,
            )
        synchronize(self.device)

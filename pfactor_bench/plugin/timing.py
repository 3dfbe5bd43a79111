"""Work to be timed: made ready beforehand, finished when it returns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pfactor_bench.execution.preparation import encoders_of
from pfactor_bench.training.case import case_budget
from pfactor_bench.training.device import peak_memory, seeded, synchronize, torch_threads
from pfactor_bench.training.fold import prepare_fold
from pfactor_bench.training.loop import predict
from pfactor_bench.types import Split

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from pfactor_bench.pipeline.stages import Run
    from pfactor_bench.types import Case, CaseResult, TrainedBy


class TrainingEpoch:
    """One epoch of one case on its first fold by the suite's engine, evaluation included.

    Calling it trains one epoch and waits for the device, so a clock around the call measures the
    work and not its queueing. What the engine does before the first step is part of it.

    Parameters
    ----------
    run
        The suite.
    case
        The case to time.
    device
        Where.
    """

    name = "one epoch"

    def __init__(self, run: Run, case: Case, device: torch.device) -> None:
        self.device = device
        self._case = case
        budget = replace(case_budget(case, run.suite.budget), epochs=1, inner=None)
        self._training = replace(run.training, budget=budget, saliency=(), device=device)
        self._cohort = run.cohort
        self._split = Split(name=run.split.name, folds=run.split.folds[:1])
        self._results: Mapping[Case, CaseResult] = {}
        encoders = {fold: one.tensors for fold, one in encoders_of(run, case).items()}
        self._encoders = {case: encoders} if encoders else None

    @property
    def n_windows(self) -> int:
        """Training windows of the epoch."""
        return len(self._split.folds[0].train)

    @property
    def n_steps(self) -> int:
        """Steps of the epoch."""
        return -(-self.n_windows // self._training.budget.batch_size)

    @property
    def trained_by(self) -> TrainedBy | None:
        """What trained the last epoch: the engine that is asked for may leave it to another."""
        return self._results[self._case].trained_by if self._results else None

    @property
    def peak_bytes(self) -> int:
        """Peak memory so far, as `pfactor_bench.training.device.peak_memory` counts it."""
        return peak_memory(self.device)

    def __call__(self) -> None:
        """Train one epoch and wait until it is done."""
        self._results = self._training.run([self._case], self._cohort, self._split, self._encoders)
        synchronize(self.device)


class Prediction:
    """One forward pass of one case's untrained model in evaluation mode.

    Parameters
    ----------
    run, case, device
        As for `TrainingEpoch`.
    n_windows
        How many windows are predicted at once.
    """

    n_steps = 1

    def __init__(self, run: Run, case: Case, device: torch.device, n_windows: int) -> None:
        import torch

        self.device = device
        self.n_windows = n_windows
        self._threads = run.suite.threads
        encoder = encoders_of(run, case).get(run.split.folds[0].name)
        with seeded(case.seed, device):
            ready = prepare_fold(
                case,
                run.cohort,
                run.split.folds[0],
                run.suite.budget,
                device=device,
                encoder=None if encoder is None else encoder.tensors,
            )
        self._model = ready.start.model
        self._X = ready.X[torch.arange(n_windows) % len(ready.X)]

    @property
    def name(self) -> str:
        """What is timed."""
        return f"prediction of {self.n_windows}"

    @property
    def peak_bytes(self) -> int:
        """Peak memory so far, as `pfactor_bench.training.device.peak_memory` counts it."""
        return peak_memory(self.device)

    def __call__(self) -> None:
        """Predict, and wait until it is done."""
        with torch_threads(self._threads):
            predict(self._model, self._X)
            synchronize(self.device)

"""What benchmarks/speed.py times, each as a function of no arguments."""

from __future__ import annotations

import logging
import warnings
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from pfactor_bench.config import load_suite
from pfactor_bench.models.build import build_model
from pfactor_bench.pipeline.stages import Run
from pfactor_bench.training.device import seeded
from pfactor_bench.training.engine import group_cases, run_group
from pfactor_bench.training.fast.ensemble import fit_together
from pfactor_bench.training.fast.members import begin_member
from pfactor_bench.training.inputs import inputs_of
from pfactor_bench.training.loop import fit, normalize_windows
from pfactor_bench.types import EngineChoice, Fold

if TYPE_CHECKING:
    from pfactor_bench.types import Case

SUITE = Path(__file__).parents[1] / "suites" / "case_study.yaml"

#: Passes over the training windows wherever one model is timed: the case study's.
EPOCHS = 4


@cache
def prepared() -> Run:
    """Return the case study, ready; a worker does this once."""
    torch.set_num_threads(1)
    return Run(load_suite(SUITE), device="cpu").prepare()


def cases(n: int, first: int = 100) -> list[Case]:
    """Return the case study's case from `n` seeds."""
    return [replace(prepared().suite.cases[0], seed=first + seed) for seed in range(n)]


def train(engine: str, n: int, first: int = 100) -> list[float]:
    """Train `n` models as the case study does; return each one's last held-out error."""
    it = prepared()
    chosen, choice = cases(n, first), EngineChoice(kind=engine)
    errors = []
    for group in group_cases(choice, chosen):
        results = run_group(choice, group, it.cohort, it.split, it.suite.budget, device=it.device)
        errors += [float(result.curves[0].val_mse[-1]) for result in results.values()]
    return errors


def steps() -> int:
    """Return how many steps a timed run of one model takes."""
    return EPOCHS * -(-len(_fold().train) // _budget().batch_size)


def plain_steps() -> None:
    """Train one model with the plain loop and watch nothing."""
    it, fold = prepared(), _fold()
    with seeded(0, it.device):
        model = build_model(it.suite.cases[0].model, it.cohort)
        X = torch.from_numpy(it.cohort.X[fold.train])
        y = torch.from_numpy(it.cohort.y[fold.train].astype(np.float32))
        fit(model, X=X, y=y, X_held_out=X[:0], budget=_budget())


def fast_steps(n: int) -> None:
    """Do the same for `n` models with the fast engine."""
    it = prepared()
    members = [
        begin_member(case, it.cohort, _fold(), _budget(), device=it.device, encoder=None)
        for case in cases(n)
    ]
    fit_together(members, inputs_of(it.cohort, it.device))


def skorch_steps() -> None:
    """Train one model with braindecode's `EEGRegressor`."""
    from braindecode import EEGRegressor

    it, fold = prepared(), _fold()
    X = normalize_windows(torch.from_numpy(it.cohort.X[fold.train])).numpy()
    y = it.cohort.y[fold.train].astype(np.float32)[:, np.newaxis]
    budget = _budget()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        EEGRegressor(
            build_model(it.suite.cases[0].model, it.cohort),
            criterion=torch.nn.MSELoss,
            optimizer=torch.optim.AdamW,
            optimizer__lr=budget.learning_rate,
            optimizer__weight_decay=budget.weight_decay,
            batch_size=budget.batch_size,
            max_epochs=budget.epochs,
            train_split=None,
            verbose=0,
        ).fit(X, y)


def lightning_steps() -> None:
    """Train one model with a Lightning trainer that does nothing besides."""
    import lightning
    from torch.utils.data import DataLoader, TensorDataset

    it, fold, budget = prepared(), _fold(), _budget()
    X = normalize_windows(torch.from_numpy(it.cohort.X[fold.train]))
    y = torch.from_numpy(it.cohort.y[fold.train].astype(np.float32))
    model = build_model(it.suite.cases[0].model, it.cohort)

    class Module(lightning.LightningModule):
        """The case study's step."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def training_step(self, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
            """Return the loss of a batch."""
            windows, targets = batch
            return torch.nn.functional.mse_loss(self.model(windows).reshape(-1), targets)

        def configure_optimizers(self) -> torch.optim.Optimizer:
            """Return the case study's optimiser."""
            return torch.optim.AdamW(
                self.parameters(), lr=budget.learning_rate, weight_decay=budget.weight_decay
            )

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(
            max_epochs=budget.epochs,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        loader = DataLoader(TensorDataset(X, y), batch_size=budget.batch_size, shuffle=True)
        trainer.fit(Module(), loader)


def _fold() -> Fold:
    """Return the case study's training windows, with nobody to watch."""
    whole = prepared().split.folds[0]
    return Fold(name=whole.name, train=whole.train, test=whole.test[:0])


def _budget():
    return replace(prepared().suite.budget, epochs=EPOCHS)

"""One case from start to end: every fold of one model, regime and seed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pfactor_bench.metrics import pearson_r
from pfactor_bench.models import build_model
from pfactor_bench.regimes import REGIMES
from pfactor_bench.saliency import saliency_map
from pfactor_bench.training.device import peak_memory, seeded, synchronize
from pfactor_bench.training.loop import Trajectory, fit
from pfactor_bench.types import CaseResult, Curves, Saliency, Timing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch
    from numpy.typing import NDArray
    from torch import nn

    from pfactor_bench.types import Budget, Case, Cohort, Fold, Split

__all__ = ["prepare_fold", "run_case"]


def run_case(
    case: Case,
    cohort: Cohort,
    split: Split,
    budget: Budget,
    *,
    device: torch.device,
    saliency: Sequence[str] = (),
    on_epoch: Callable[[], object] = lambda: None,
) -> CaseResult:
    """Train and evaluate one case on every fold.

    Parameters
    ----------
    case, cohort, split, budget
        What to do.
    device
        Where to do it.
    saliency
        Ways of choosing saliency windows, names in `pfactor_bench.saliency.WINDOW_CHOICES`.
    on_epoch
        Called after each epoch, for progress.

    Returns
    -------
    CaseResult
    """
    tables, curves, maps, timings = [], [], [], []
    for fold in split.folds:
        with seeded(case.seed, device):
            model, X, y, X_held_out = prepare_fold(case, cohort, fold, device)
            synchronize(device)
            began = time.perf_counter()
            trajectory = fit(
                model, X=X, y=y, X_held_out=X_held_out, budget=budget, on_epoch=on_epoch
            )
            synchronize(device)
            seconds = time.perf_counter() - began
        timings.append(
            Timing(
                name=f"{case.id}/{fold.name}/train",
                device=str(device),
                seconds=seconds,
                windows=len(X) * budget.epochs,
                peak_bytes=peak_memory(device),
            )
        )
        truth = cohort.y[fold.test]
        tables.append(_fold_table(cohort, fold, trajectory.held_out[-1]))
        curves.append(_curves(trajectory, truth))
        maps.append([saliency_map(model, X_held_out, truth, chosen_by=way) for way in saliency])
    return CaseResult(
        predictions=pd.concat(tables, ignore_index=True),
        curves=tuple(curves),
        saliency=tuple(_mean_map(same_way) for same_way in zip(*maps, strict=True)),
        n_parameters=sum(parameter.numel() for parameter in model.parameters()),
        n_trainable=sum(p.numel() for p in model.parameters() if p.requires_grad),
        timings=tuple(timings),
    )


def prepare_fold(
    case: Case, cohort: Cohort, fold: Fold, device: torch.device
) -> tuple[nn.Module, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the starting model, training windows, their scores, and the held-out windows."""
    import torch

    model = REGIMES[case.regime](lambda: build_model(case.model, cohort)).to(device)
    X = torch.from_numpy(cohort.X[fold.train]).to(device)
    y = torch.from_numpy(cohort.y[fold.train].astype(np.float32)).to(device)
    return model, X, y, torch.from_numpy(cohort.X[fold.test]).to(device)


def _fold_table(cohort: Cohort, fold: Fold, held_out: NDArray[np.float64]) -> pd.DataFrame:
    """Return the study contract's rows of one fold; training windows have no prediction."""
    positions = np.concatenate([fold.test, fold.train])
    return pd.DataFrame(
        {
            "sample_id": cohort.table["sample_id"].to_numpy()[positions],
            "subject": cohort.subjects[positions],
            "fold": fold.name,
            "role": np.repeat(["test", "train"], [len(fold.test), len(fold.train)]),
            "y_pred": np.concatenate([held_out, np.full(len(fold.train), np.nan)]),
        }
    )


def _curves(trajectory: Trajectory, truth: NDArray[np.float64]) -> Curves:
    return Curves(
        train_mse=trajectory.train_mse,
        val_mse=((trajectory.held_out - truth) ** 2).mean(axis=1),
        # As in the case study, a correlation that does not exist is drawn at 0.
        val_r=np.array([pearson_r(truth, epoch).value or 0.0 for epoch in trajectory.held_out]),
    )


def _mean_map(maps: Sequence[Saliency]) -> Saliency:
    return Saliency(
        chosen_by=maps[0].chosen_by,
        circular=maps[0].circular,
        map=np.mean([saliency.map for saliency in maps], axis=0),
    )

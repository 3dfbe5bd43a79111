"""The plain training loop: the reference that every faster one is measured against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch
    from numpy.typing import NDArray
    from torch import nn

    from pfactor_bench.training.windows import Windows
    from pfactor_bench.types import Budget

    Loss: TypeAlias = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

#: Windows per forward pass where no gradient is kept.
_EVAL_BATCH = 1024


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Trajectory:
    """What training leaves behind, besides the trained model.

    Parameters
    ----------
    train_mse
        Mean loss of each epoch, shape ``(n_epochs,)``.
    held_out
        Predictions for the held-out windows after each epoch, shape ``(n_epochs, n_held_out)``.
    """

    train_mse: NDArray[np.float64]
    held_out: NDArray[np.float64]


def normalize_windows(windows: torch.Tensor) -> torch.Tensor:
    """Return windows with mean 0 and standard deviation 1 in each channel.

    Only the window itself is used, so nothing can pass from one subject to another.

    Parameters
    ----------
    windows
        Shape ``(n_windows, n_chans, n_times)``, in a unit in which 1e-6 is negligible.
    """
    centred = windows - windows.mean(dim=2, keepdim=True)
    return centred / (windows.std(dim=2, keepdim=True) + 1e-6)


def fit(
    model: nn.Module,
    *,
    X: Windows,
    y: torch.Tensor,
    X_held_out: Windows,
    budget: Budget,
    trained: Sequence[nn.Module] = (),
    loss: Loss | None = None,
    on_epoch: Callable[[], object] = lambda: None,
) -> Trajectory:
    """Train `model` with AdamW, and watch it on held-out windows.

    The held-out targets are not among the arguments: whatever is computed from them happens after
    training, so no choice made here can depend on them.

    Parameters
    ----------
    model
        Trained in place; parameters that do not require a gradient are left alone.
    X, y
        Training windows ``(n_windows, n_chans, n_times)`` and targets ``(n_windows,)``, float32, on
        the model's device.
    X_held_out
        Held-out windows, on the same device.
    budget
        Epochs, batch size, learning rate, weight decay.
    trained
        The parts of the model that train; all others stay in evaluation mode. Empty is the model.
    loss
        Of predictions and targets, both of shape ``(batch_size,)``; None is the mean squared error.
    on_epoch
        Called after each epoch, for progress.

    Returns
    -------
    Trajectory
    """
    import torch
    from torch.nn.functional import mse_loss

    loss = loss or mse_loss
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(
        trainable, lr=budget.learning_rate, weight_decay=budget.weight_decay
    )
    train_mse = np.zeros(budget.epochs)
    held_out = np.zeros((budget.epochs, len(X_held_out)))
    for epoch in range(budget.epochs):
        model.eval()
        for part in trained or (model,):
            part.train()
        # On the CPU, as the case study does: the order is then the same on every device.
        for batch in torch.randperm(len(X)).split(budget.batch_size):
            selected = batch.to(X.device)
            optimizer.zero_grad()
            prediction = model(normalize_windows(X[selected])).reshape(-1)
            error = loss(prediction, y[selected])
            error.backward()
            optimizer.step()
            train_mse[epoch] += error.item() * len(selected) / len(X)
        held_out[epoch] = predict(model, X_held_out)
        on_epoch()
    return Trajectory(train_mse=train_mse, held_out=held_out)


def predict(model: nn.Module, X: Windows) -> NDArray[np.float64]:
    """Return the model's target for each window, float64, shape ``(n_windows,)``."""
    import torch

    model.eval()
    if not len(X):
        return np.zeros(0)
    with torch.no_grad():
        parts = [model(normalize_windows(part)).reshape(-1) for part in X.split(_EVAL_BATCH)]
    predictions: NDArray[np.float64] = torch.cat(parts).cpu().numpy().astype(np.float64)
    return predictions

"""Where a model looks: the gradient of its prediction with respect to the input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.registry import Registry
from pfactor_bench.training.loop import normalize_windows, predict
from pfactor_bench.types import Saliency

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from numpy.typing import NDArray
    from torch import nn

__all__ = ["CIRCULAR_CHOICES", "WINDOW_CHOICES", "saliency_map"]

#: Ways to choose windows: (prediction, truth) → positions. The first registered is the default.
WINDOW_CHOICES: Registry[
    Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.int64]]
] = Registry("choice of saliency windows")

#: Choices that look at the true score explain only what the model already got right.
CIRCULAR_CHOICES = frozenset({"smallest-error"})

_BATCH = 256


@WINDOW_CHOICES.register("all-held-out")
def _all_held_out(
    prediction: NDArray[np.float64],
    truth: NDArray[np.float64],  # noqa: ARG001 - the honest choice does not look
) -> NDArray[np.int64]:
    return np.arange(len(prediction))


@WINDOW_CHOICES.register("smallest-error")
def _smallest_error(
    prediction: NDArray[np.float64], truth: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Take the better-predicted half, as the case study does."""
    n_kept = max(1, round(0.5 * len(prediction)))
    return np.argsort((prediction - truth) ** 2, kind="stable")[:n_kept]


def saliency_map(
    model: nn.Module, X: torch.Tensor, truth: NDArray[np.float64], *, chosen_by: str
) -> Saliency:
    """Average |gradient of the prediction with respect to the input| over chosen windows.

    Parameters
    ----------
    model
        Trained model; it is put into evaluation mode.
    X
        Held-out windows, shape ``(n_windows, n_chans, n_times)``, on the model's device.
    truth
        Their scores, shape ``(n_windows,)``. Used only by choices that are marked circular.
    chosen_by
        A name in `WINDOW_CHOICES`.

    Returns
    -------
    Saliency
        With a map of shape ``(n_chans, n_times)``.

    References
    ----------
    Simonyan, Vedaldi & Zisserman 2014, arXiv:1312.6034; Schirrmeister et al. 2017,
    doi:10.1002/hbm.23730.
    """
    import torch

    chosen = WINDOW_CHOICES[chosen_by](predict(model, X), truth)
    total = torch.zeros(X.shape[1:], dtype=torch.float64)
    for part in X[torch.from_numpy(chosen).to(X.device)].split(_BATCH):
        windows = part.clone().requires_grad_(requires_grad=True)
        (gradient,) = torch.autograd.grad(model(normalize_windows(windows)).sum(), windows)
        total += gradient.abs().sum(dim=0).double().cpu()
    return Saliency(
        chosen_by=chosen_by,
        circular=chosen_by in CIRCULAR_CHOICES,
        map=(total / len(chosen)).numpy(),
    )

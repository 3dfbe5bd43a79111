"""Saliency of a model: the gradient of its prediction with respect to the input."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import spearmanr

from pfactor_bench.registry import Registry
from pfactor_bench.training.loop import normalize_windows, predict
from pfactor_bench.training.windows import take
from pfactor_bench.types import Saliency, SubjectSaliency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import torch
    from numpy.typing import NDArray
    from torch import nn

    from pfactor_bench.training.windows import Windows

#: Ways to choose windows: (prediction, truth) → positions. The first registered is the default.
WINDOW_CHOICES: Registry[
    Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.int64]]
] = Registry("choice of saliency windows")

#: Choices that look at the true target explain only what the model already got right.
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
    model: nn.Module,
    X: Windows,
    truth: NDArray[np.float64],
    *,
    subjects: NDArray[np.str_],
    chosen_by: str,
) -> Saliency:
    """Average |gradient of the prediction with respect to the input| over chosen windows.

    Parameters
    ----------
    model
        Trained model; it is put into evaluation mode.
    X
        Held-out windows, shape ``(n_windows, n_chans, n_times)``, on the model's device.
    truth
        Their targets, shape ``(n_windows,)``. Used only by choices that are marked circular.
    subjects
        Whose windows they are, shape ``(n_windows,)``.
    chosen_by
        A name in `WINDOW_CHOICES`.

    Returns
    -------
    Saliency
        With a map of shape ``(n_chans, n_times)``, its shares subject by subject, and what is left
        of it in a model of randomised weights.

    References
    ----------
    Simonyan, Vedaldi & Zisserman 2014, arXiv:1312.6034; Schirrmeister et al. 2017,
    doi:10.1002/hbm.23730; Adebayo et al. 2018, arXiv:1810.03292, on randomised weights.
    """
    import torch

    chosen = WINDOW_CHOICES[chosen_by](predict(model, X), truth)
    shown = take(X, chosen)
    total = torch.zeros(X.shape[1:], dtype=torch.float64)
    by_channel, by_frequency = [], []
    for gradient in _gradients(model, shown):
        total += gradient.abs().sum(dim=0).double().cpu()
        by_channel.append(gradient.abs().mean(dim=2).double().cpu())
        # Without frequency 0: normalisation takes a window's mean away.
        spectrum = torch.fft.rfft(gradient, dim=2)[:, :, 1:].abs().square().sum(dim=1)
        by_frequency.append(spectrum.double().cpu())
    mean = (total / len(chosen)).numpy()
    return Saliency(
        chosen_by=chosen_by,
        circular=chosen_by in CIRCULAR_CHOICES,
        map=mean,
        by_subject=_by_subject(
            subjects[chosen], torch.cat(by_channel).numpy(), torch.cat(by_frequency).numpy()
        ),
        randomised_similarity=_rank_correlation(mean, _randomised_map(model, shown)),
    )


def pool_subjects(parts: Sequence[SubjectSaliency]) -> SubjectSaliency:
    """Return one row per subject, averaged over folds or seeds in which it has several."""
    subjects = np.concatenate([part.subjects for part in parts])
    names, _ = _means(subjects, np.zeros((len(subjects), 1)))
    return SubjectSaliency(
        subjects=names,
        channel_share=_means(subjects, np.concatenate([part.channel_share for part in parts]))[1],
        spectral_share=_means(subjects, np.concatenate([part.spectral_share for part in parts]))[1],
    )


@contextmanager
def randomised_weights(model: nn.Module) -> Iterator[None]:
    """Permute the entries of every parameter, and put them back at the end.

    The global random stream is not touched: it decides what comes after.
    """
    import torch

    generator = torch.Generator().manual_seed(0)
    # In place: a copy of a model is not always to be had.
    kept = [(parameter, parameter.detach().clone()) for parameter in model.parameters()]
    try:
        with torch.no_grad():
            for parameter, before in kept:
                order = torch.randperm(before.numel(), generator=generator).to(before.device)
                parameter.copy_(before.flatten()[order].reshape(before.shape))
        yield
    finally:
        with torch.no_grad():
            for parameter, before in kept:
                parameter.copy_(before)


def _gradients(model: nn.Module, X: Windows) -> Iterator[torch.Tensor]:
    """Yield the gradients of the predictions with respect to the windows, some at a time."""
    import torch

    for part in X.split(_BATCH):
        windows = part.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(model(normalize_windows(windows)).sum(), windows)
        yield gradient


def _randomised_map(model: nn.Module, X: Windows) -> NDArray[np.float64]:
    with randomised_weights(model):
        parts = [gradient.abs().sum(dim=0).double().cpu() for gradient in _gradients(model, X)]
    total: NDArray[np.float64] = sum(parts[1:], start=parts[0]).numpy()
    return total


def _rank_correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float | None:
    """Return Spearman's correlation of two maps, None where one of them has no ranks."""
    for values in (one, other):
        if not np.isfinite(values).all() or np.ptp(values) == 0:
            return None
    return float(spearmanr(one.ravel(), other.ravel()).statistic)


def _by_subject(
    subjects: NDArray[np.str_], by_channel: NDArray[np.float64], by_frequency: NDArray[np.float64]
) -> SubjectSaliency:
    names, channels = _means(subjects, by_channel)
    return SubjectSaliency(
        subjects=names,
        channel_share=_shares(channels),
        spectral_share=_shares(_means(subjects, by_frequency)[1]),
    )


def _means(
    subjects: NDArray[np.str_], values: NDArray[np.float64]
) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """Return the subjects and the mean of each one's rows of `values`."""
    names, owner, counts = np.unique(subjects, return_inverse=True, return_counts=True)
    sums = np.zeros((len(names), values.shape[1]))
    np.add.at(sums, owner, values)
    means: NDArray[np.float64] = sums / counts[:, np.newaxis]
    return names, means


def _shares(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    totals = rows.sum(axis=1, keepdims=True)
    shares: NDArray[np.float64] = np.divide(rows, totals, out=np.zeros_like(rows), where=totals > 0)
    return shares

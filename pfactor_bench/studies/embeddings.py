"""Whose window is it? A linear probe of what a network makes of windows before its head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.errors import ModelError
from pfactor_bench.models.heads import find_head
from pfactor_bench.splits.splitters import last_subjects
from pfactor_bench.studies.adapters import build_network
from pfactor_bench.studies.harness import to_json
from pfactor_bench.types import Budget

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from numpy.typing import NDArray
    from torch import nn

    from pfactor_bench.types import Cohort

__all__ = ["probe_identity", "tell_subjects_apart"]

#: What the network is trained with before it is probed again: the case study's budget.
_BUDGET = Budget(epochs=4)
#: Of the embeddings' total variance; keeps a probe of many dimensions and few windows stable.
_PENALTY = 0.01


def probe_identity(load: Callable[[], Callable[..., nn.Module]], cohort: Cohort) -> bytes:
    """Train a network, and probe it before and after for who its training subjects are.

    Parameters
    ----------
    load
        Returns the factory, ``factory(n_chans, n_outputs, n_times, sfreq)``.
    cohort
        Its last fifth of subjects is held out of training and of the probe.

    Returns
    -------
    bytes
        JSON: ``untrained`` and ``trained`` are shares of windows whose subject is recognised,
        ``chance`` what guessing gets, ``n_windows`` how many were tried; or ``missing``, why there
        is nothing to probe.
    """
    import torch

    from pfactor_bench.training.device import seeded
    from pfactor_bench.training.loop import fit

    (fold,) = last_subjects()(cohort.subjects).folds
    X = torch.tensor(cohort.X[fold.train])
    y = torch.tensor(cohort.y[fold.train], dtype=torch.float32)
    subjects = cohort.subjects[fold.train]
    if min(np.unique(subjects, return_counts=True)[1]) < 2:  # noqa: PLR2004 - one to learn, one to try
        return to_json({"missing": "a subject has a single window, and a probe needs two"})
    with seeded(0, torch.device("cpu")):
        model = build_network(load(), cohort)
        try:
            head = find_head(model)
        except ModelError as error:
            return to_json({"missing": str(error)})
        untrained = tell_subjects_apart(_embeddings(model, head, X), subjects)
        fit(model, X=X, y=y, X_held_out=X[:0], budget=_BUDGET)
        trained = tell_subjects_apart(_embeddings(model, head, X), subjects)
    answers: dict[str, Any] = {
        "untrained": untrained,
        "trained": trained,
        "chance": 1 / len(np.unique(subjects)),
        "n_windows": int(_is_tried(subjects).sum()),
    }
    return to_json(answers)


def tell_subjects_apart(embeddings: NDArray[np.float64], subjects: NDArray[np.str_]) -> float:
    """Return the share of windows whose subject a linear probe recognises.

    Parameters
    ----------
    embeddings
        Shape ``(n_windows, n_features)``.
    subjects
        Whose windows they are. Every second window of each subject is learnt from, the others are
        tried.

    Returns
    -------
    float
        Between 0 and 1.

    References
    ----------
    Alain & Bengio 2016, arXiv:1610.01644.
    """
    tried = _is_tried(subjects)
    centred = embeddings - embeddings[~tried].mean(axis=0)
    spread = centred[~tried].std(axis=0)
    scaled = centred[:, spread > 0] / spread[spread > 0]
    names, owner = np.unique(subjects, return_inverse=True)
    # Ridge regression on one-hot names, solved between windows: there are fewer of them.
    learnt = scaled[~tried]
    likeness = learnt @ learnt.T
    penalty = (_PENALTY * np.trace(likeness) or 1.0) * np.eye(len(learnt))
    weights = np.linalg.solve(likeness + penalty, np.eye(len(names))[owner[~tried]])
    guessed = (scaled[tried] @ learnt.T @ weights).argmax(axis=1)
    return float((guessed == owner[tried]).mean())


def _embeddings(model: nn.Module, head: str, X: torch.Tensor) -> NDArray[np.float64]:
    """Return what reaches the head for each window, flattened."""
    from pfactor_bench.training.loop import predict

    seen: list[torch.Tensor] = []
    handle = model.get_submodule(head).register_forward_pre_hook(
        lambda _, arguments: seen.append(arguments[0].detach().flatten(1))
    )
    try:
        predict(model, X)
    finally:
        handle.remove()
    return np.concatenate([part.double().numpy() for part in seen])


def _is_tried(subjects: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Return which windows the probe is tried on: every second one of each subject."""
    tried = np.zeros(len(subjects), dtype=bool)
    for name in np.unique(subjects):
        tried[np.flatnonzero(subjects == name)[1::2]] = True
    return tried

"""Training many models at once: what `pfactor_bench.training.loop.fit` does, for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from pfactor_bench.training.device import full_precision
from pfactor_bench.training.fast.rewrite import rewritten
from pfactor_bench.training.fast.stacked import StackedModels
from pfactor_bench.training.loop import Trajectory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from pfactor_bench.training.fast.members import Member
    from pfactor_bench.training.inputs import Inputs

#: Windows per forward pass over all models where no gradient is kept.
_EVAL_BATCH = 1024


def fit_together(
    members: Sequence[Member], inputs: Inputs, *, on_epoch: Callable[[], object] = lambda: None
) -> list[Trajectory]:
    """Train models of one architecture at once, and watch each on its held-out windows.

    As in the plain loop, held-out targets are not among the arguments.

    Parameters
    ----------
    members
        The models, trained in place, with one batch size. Number of windows, epochs and learning
        rate may differ; neighbours with the same number of windows are the quickest.
    inputs
        What they see.
    on_epoch
        Called after each epoch of each model.

    Returns
    -------
    list of Trajectory
        In the order of `members`.
    """
    run = _Run(members, inputs)
    epochs = np.array([member.budget.epochs for member in members])
    losses = torch.zeros(len(members), epochs.max(), dtype=torch.float64, device=inputs.device)
    held_out = [np.zeros((n, len(one.fold.test))) for n, one in zip(epochs, members, strict=True)]
    with rewritten(run.stacked.model, run.stacked.masks), full_precision():
        for epoch in range(epochs.max()):
            active = epoch < epochs
            run.train(active, losses[:, epoch])
            for number, predicted in run.watch(active):
                held_out[number][epoch] = predicted
                on_epoch()
    run.stacked.write_back()
    return [
        Trajectory(train_mse=loss[:n], held_out=predicted)
        for loss, n, predicted in zip(losses.cpu().numpy(), epochs, held_out, strict=True)
    ]


class _Run:
    """The models of one call of `fit_together`, and where they find their windows."""

    def __init__(self, members: Sequence[Member], inputs: Inputs) -> None:

        self.stacked = StackedModels(
            [member.start for member in members],
            [member.budget for member in members],
            [member.case.seed for member in members],
        )
        self._members = members
        self._inputs = inputs
        self._n_train = np.array([len(member.fold.train) for member in members])
        self._n_test = np.array([len(member.fold.test) for member in members])
        self._batch_size = members[0].budget.batch_size
        # In evaluation mode a window's prediction is its own, so short rows may be filled up.
        self._test = _matrix([torch.from_numpy(member.fold.test) for member in members]).to(
            inputs.device
        )

    def train(self, active: NDArray[np.bool_], losses: torch.Tensor) -> None:
        """Train the active models for an epoch and add their mean losses to `losses`."""
        self.stacked.set_training()
        positions, y = self._permuted(active)
        for begin in range(0, int(self._n_train[active].max()), self._batch_size):
            left = np.where(active, self._n_train - begin, 0).clip(0, self._batch_size)
            for first, last, size in _runs(left):
                rows, columns = slice(first, last), slice(begin, begin + size)
                X = self._inputs.rows(first, last, positions[rows, columns])
                errors = self.stacked.step(first, last, X, y[rows, columns])
                share = size / self._n_train[rows]
                losses[rows] += errors * errors.new_tensor(share)

    def watch(self, active: NDArray[np.bool_]) -> Iterator[tuple[int, NDArray[np.float64]]]:
        """Yield each active model's number and predictions for its held-out windows."""
        self.stacked.model.eval()
        for first, last, _ in _runs(active.astype(int)):
            rows = slice(first, last)
            size = max(1, _EVAL_BATCH // (last - first))
            parts = [
                self.stacked.predict(first, last, self._inputs.rows(first, last, part))
                for part in self._test[rows].split(size, dim=1)
                if part.shape[1]
            ]
            joined = torch.cat(parts, dim=1) if parts else torch.zeros(last - first, 0)
            predicted = joined.double().cpu().numpy()
            for number in range(first, last):
                yield number, predicted[number - first, : self._n_test[number]]

    def _permuted(self, active: NDArray[np.bool_]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return where each model's windows and targets are in this epoch, a row per model."""
        device = self._inputs.device
        orders = [
            torch.randperm(len(member.y), generator=member.order)
            if is_active
            else torch.zeros(0, dtype=torch.int64)
            for member, is_active in zip(self._members, active, strict=True)
        ]
        positions = [
            torch.from_numpy(member.fold.train)[order]
            for member, order in zip(self._members, orders, strict=True)
        ]
        y = [
            member.y[order.to(device)] for member, order in zip(self._members, orders, strict=True)
        ]
        return _matrix(positions).to(device), _matrix(y)


def _runs(sizes: NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """Yield ``(first, last, size)`` for each range of neighbours with the same size above 0."""
    edges = np.flatnonzero(np.diff(sizes)) + 1
    for first, last in zip([0, *edges], [*edges, len(sizes)], strict=True):
        if sizes[first] > 0:
            yield int(first), int(last), int(sizes[first])


def _matrix(rows: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return rows of different lengths side by side, the short ones filled up with zeros."""
    return pad_sequence(list(rows), batch_first=True)

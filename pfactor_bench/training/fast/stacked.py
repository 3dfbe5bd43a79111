"""The state of several models of one architecture, side by side in one piece of memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from pfactor_bench.errors import ModelError
from pfactor_bench.training.fast.noise import MaskStreams
from pfactor_bench.training.fast.rewrite import Masks
from pfactor_bench.training.fast.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pfactor_bench.models.regimes import Start
    from pfactor_bench.training.fast.noise import DropoutSite
    from pfactor_bench.types import Budget


class StackedModels:
    """Several models that are trained at once, each on its own windows from its own random stream.

    What trains lies in one matrix with a row per model; what does not is stacked beside it. A pass
    covers a range of neighbouring models: `torch.vmap` makes it one pass of wider operations, and a
    range of one model needs no `torch.vmap`.

    Use it inside `pfactor_bench.training.fast.rewrite.rewritten`, with its `model` and its `masks`.

    Parameters
    ----------
    starts
        The models, alike but for their numbers. They are read here and written by `write_back`.
    budgets
        Of each; only learning rate and weight decay are used.
    seeds
        Of each one's dropout.
    """

    def __init__(
        self, starts: Sequence[Start], budgets: Sequence[Budget], seeds: Sequence[int]
    ) -> None:

        self.model = starts[0].model
        self.masks = Masks()
        self._slots = Slots(self.model)
        self._starts = starts
        trained = {n: p.shape for n, p in self.model.named_parameters() if p.requires_grad}
        self._theta = torch.stack([_row(start.model, trained) for start in starts])
        self._gradient = torch.zeros_like(self._theta)
        self._shapes = trained
        self._fixed = _stack_others(starts, trained)
        self._streams = MaskStreams(seeds, self._theta.device)
        self._sites: dict[int, list[DropoutSite]] = {}
        self._leaves: dict[tuple[int, int], dict[str, torch.Tensor]] = {}
        self._rows = list(self._theta)
        groups = [
            {"params": [row], "lr": budget.learning_rate, "weight_decay": budget.weight_decay}
            for row, budget in zip(self._rows, budgets, strict=True)
        ]
        self._optimizer = torch.optim.AdamW(_joined(groups), fused=True)

    def step(self, first: int, last: int, X: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Train models `first` to `last` (excluded) on a batch each; return their losses before it.

        Parameters
        ----------
        first, last
            Which models.
        X, y
            Shapes ``(n_models, batch_size, …)`` and ``(n_models, batch_size)``.
        """
        leaves = self._slice(first, last)
        masks = self._draw_masks(first, last, X)
        predicted = self._forward(leaves, self._others(first, last), X, masks)
        errors = (predicted - y).square().mean(1)
        gradients = torch.autograd.grad(errors.sum(), list(leaves.values()), allow_unused=True)
        # A parameter that takes no part has a gradient of 0.
        flat = [
            (torch.zeros_like(leaf) if gradient is None else gradient).reshape(last - first, -1)
            for leaf, gradient in zip(leaves.values(), gradients, strict=True)
        ]
        torch.cat(flat, dim=1, out=self._gradient[first:last])
        for number, row in enumerate(self._rows):
            row.grad = self._gradient[number] if first <= number < last else None
        self._optimizer.step()
        return errors.detach()

    def predict(self, first: int, last: int, X: torch.Tensor) -> torch.Tensor:
        """Return the predictions of models `first` to `last`, ``(n_models, n_windows)``.

        Parameters
        ----------
        first, last
            Which models.
        X
            Their windows, ``(n_models, n_windows, …)``.
        """
        with torch.no_grad():
            return self._forward(self._slice(first, last), self._others(first, last), X, None)

    def set_training(self) -> None:
        """Put the parts that train into training mode, and nothing else."""
        self._starts[0].set_training()

    def write_back(self) -> None:
        """Give every model the numbers that it has learnt."""
        with torch.no_grad():
            for number, start in enumerate(self._starts):
                here = {**self._slice(number, number + 1), **self._others(number, number + 1)}
                for name, tensor in (*start.model.named_parameters(), *start.model.named_buffers()):
                    tensor.copy_(here[name])

    def _forward(
        self,
        trained: Mapping[str, torch.Tensor],
        others: Mapping[str, torch.Tensor],
        X: torch.Tensor,
        masks: torch.Tensor | None,
    ) -> torch.Tensor:
        """Return one prediction for each model and window."""
        if len(X) == 1:
            return self._one(trained, others, X[0], None if masks is None else masks[0])[None]
        in_dims = (0, 0, 0, None if masks is None else 0)
        result: torch.Tensor = torch.vmap(self._one, in_dims=in_dims)(trained, others, X, masks)
        return result

    def _one(
        self,
        trained: Mapping[str, torch.Tensor],
        fixed: Mapping[str, torch.Tensor],
        X: torch.Tensor,
        masks: torch.Tensor | None,
    ) -> torch.Tensor:
        """Return the predictions of one model."""
        self.masks.begin(masks)
        with self._slots.holding({**trained, **fixed}):
            output: torch.Tensor = self.model(X)
        return output.reshape(-1)

    def _draw_masks(self, first: int, last: int, X: torch.Tensor) -> torch.Tensor | None:
        size = X.shape[1]
        if size not in self._sites:
            self._sites[size] = self._rehearse(first, X[0])
        sites = self._sites[size]
        return self._streams.draw(sites, first, last) if sites else None

    def _rehearse(self, number: int, X: torch.Tensor) -> list[DropoutSite]:
        """Return where a model drops how much, from a pass that leaves no trace.

        Raises
        ------
        ModelError
            If it draws random numbers anywhere else.
        """
        fixed = {name: one.clone() for name, one in self._others(number, number + 1).items()}
        before = _random_state(X.device)
        with torch.no_grad():
            self._one(self._slice(number, number + 1), fixed, X, None)
        if not torch.equal(before, _random_state(X.device)):
            raise ModelError(
                f"model {type(self.model).__name__!r} draws random numbers outside its dropout "
                f"layers, which only the plain engine can repeat: set 'engine: plain'"
            )
        return self.masks.sites

    def _slice(self, first: int, last: int) -> dict[str, torch.Tensor]:
        """Return the trained parameters of a range of models, as leaves of the gradient's graph."""
        if (first, last) not in self._leaves:
            leaves, begin = {}, 0
            for name, shape in self._shapes.items():
                end = begin + shape.numel()
                whole = shape if last - first == 1 else (last - first, *shape)
                leaf = self._theta[first:last, begin:end].view(whole).detach()
                leaf.requires_grad_()
                leaves[name], begin = leaf, end
            self._leaves[first, last] = leaves
        return self._leaves[first, last]

    def _others(self, first: int, last: int) -> dict[str, torch.Tensor]:
        if last - first == 1:
            return {name: stacked[first] for name, stacked in self._fixed.items()}
        return {name: stacked[first:last] for name, stacked in self._fixed.items()}


def _row(model: nn.Module, trained: Mapping[str, torch.Size]) -> torch.Tensor:
    """Return all that trains in one row."""
    named = dict(model.named_parameters())
    return torch.cat([named[name].detach().reshape(-1) for name in trained])


def _stack_others(
    starts: Sequence[Start], trained: Mapping[str, torch.Size]
) -> dict[str, torch.Tensor]:
    """Return buffers and frozen parameters, stacked over models."""
    named = [
        dict((*start.model.named_parameters(), *start.model.named_buffers())) for start in starts
    ]
    return {
        name: torch.stack([one[name].detach() for one in named])
        for name in named[0]
        if name not in trained
    }


def _joined(groups: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """Return the optimiser's groups with those joined that differ in their rows only."""
    joined: dict[tuple[object, object], dict[str, object]] = {}
    for group in groups:
        same = joined.setdefault((group["lr"], group["weight_decay"]), {**group, "params": []})
        same["params"] = [*same["params"], *group["params"]]  # type: ignore[misc]
    return list(joined.values())


def _random_state(device: torch.device) -> torch.Tensor:

    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()

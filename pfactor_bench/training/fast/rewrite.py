"""The same mathematics in fewer passes, for layers that are recognised by their structure.

Nothing of a model is replaced: for a while some of its layers compute what they compute in another
way, from the same parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from braindecode.modules import MultiHeadAttention
from braindecode.modules.parametrization import MaxNormParametrize
from torch import nn

from pfactor_bench.training.fast.noise import DropoutSite
from pfactor_bench.training.fast.stem import read_stem


class Masks:
    """Hands one step's dropout masks to the layers, in the order in which they ask.

    Attributes
    ----------
    values
        What is handed out, shape ``(n_numbers,)``; None hands out nothing, and the layers' requests
        are written down in `sites`.
    """

    def __init__(self) -> None:
        self.values: torch.Tensor | None = None
        self.sites: list[DropoutSite] = []
        self._used = 0

    def begin(self, values: torch.Tensor | None) -> None:
        """Start a step."""
        self.values, self._used, self.sites = values, 0, []

    def drop(self, x: torch.Tensor, p: float) -> torch.Tensor:
        """Return `x` times the next mask."""
        if self.values is None:
            self.sites.append(DropoutSite(p=p, n=x.numel()))
            return x
        first = self._used
        self._used += x.numel()
        return x * self.values.narrow(0, first, x.numel()).view(x.shape)


@contextmanager
def rewritten(model: nn.Module, masks: Masks) -> Iterator[None]:
    """Let `model` compute its stem in one pass and take its dropout masks from `masks`.

    Layers with hooks, and a stem with one, are left alone: a hook would see something else.
    """
    forwards = _stem_forwards(model) | _layer_forwards(model, masks)
    parts = dict(model.named_modules())
    free = {name: forward for name, forward in forwards.items() if not _has_hooks(parts[name])}
    for name, forward in free.items():
        # On the instance: it hides the method of the class, and deleting it brings that back.
        parts[name].__dict__["forward"] = forward
    try:
        yield
    finally:
        for name in free:
            del parts[name].__dict__["forward"]


def _stem_forwards(model: nn.Module) -> dict[str, Callable[..., Any]]:
    """Return what the layers of every stem compute: the first one all of it, the others nothing."""
    forwards: dict[str, Callable[..., Any]] = {}
    for place, part in model.named_modules():
        if not isinstance(part, nn.Sequential):
            continue
        prefix = f"{place}." if place else ""
        layers = list(part.named_children())
        stem = read_stem([layer for _, layer in layers])
        if stem is None:
            continue
        children = layers[stem.first : stem.last]
        if any(_has_hooks(layer) for _, child in children for layer in child.modules()):
            continue
        names = [f"{prefix}{name}" for name, _ in children]
        forwards |= dict.fromkeys(names, _unchanged)
        forwards[names[0]] = stem.forward
    return forwards


def _unchanged(x: torch.Tensor) -> torch.Tensor:
    return x


def _layer_forwards(model: nn.Module, masks: Masks) -> dict[str, Callable[..., Any]]:

    forwards: dict[str, Callable[..., Any]] = {}
    for name, part in model.named_modules():
        if type(part) is nn.Dropout:
            forwards[name] = _masked_dropout(part, masks)
        elif type(part) is MultiHeadAttention:
            forwards[name] = _masked_attention(part, masks)
        elif type(part) is MaxNormParametrize:
            forwards[name] = _max_norm(part)
    return forwards


def _masked_dropout(layer: nn.Dropout, masks: Masks) -> Callable[..., Any]:
    def forward(x: torch.Tensor) -> torch.Tensor:
        return masks.drop(x, layer.p) if layer.training and layer.p else x

    return forward


def _masked_attention(layer: Any, masks: Masks) -> Callable[..., Any]:  # noqa: ANN401 - untyped
    """Return scaled dot-product attention as two products and a softmax.

    The sequences are so short that torch's fused kernel costs more than it saves, and its dropout
    draws from the global stream.
    """

    def forward(x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        n_windows, n_tokens, size = x.shape
        heads = (n_windows, n_tokens, layer.num_heads, layer.head_dim)
        queries = layer.queries(x).view(heads).transpose(1, 2)
        keys = layer.keys(x).view(heads).permute(0, 2, 3, 1)
        values = layer.values(x).view(heads).transpose(1, 2)
        weights = (queries * layer.head_dim**-0.5) @ keys
        if mask is not None:
            weights = weights + mask
        weights = weights.softmax(-1)
        if layer.training and layer.att_drop:
            weights = masks.drop(weights, layer.att_drop)
        mixed = (weights @ values).transpose(1, 2).reshape(n_windows, n_tokens, size)
        projected: torch.Tensor = layer.projection(mixed)
        return projected

    return forward


def _max_norm(layer: Any) -> Callable[..., Any]:  # noqa: ANN401 - untyped
    """Return what keeps the norm of each filter below a maximum, which torch cannot do for many."""

    def forward(weight: torch.Tensor) -> torch.Tensor:
        norm = torch.linalg.vector_norm(weight.flatten(1), dim=1)
        # As torch.renorm does it.
        scale = torch.where(norm > layer.max_norm, layer.max_norm / (norm + 1e-7), 1.0)
        return weight * scale.view(-1, *[1] * (weight.ndim - 1))

    return forward


def _has_hooks(layer: nn.Module) -> bool:
    return bool(layer._forward_hooks or layer._forward_pre_hooks)  # noqa: SLF001 - no public way

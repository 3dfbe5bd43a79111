"""Running a model with other numbers than its own, at the cost of a few assignments."""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import torch
    from torch import nn

    #: A layer's table of tensors, and a name in it.
    Slot: TypeAlias = tuple[dict[str, Any], str]


class Slots:
    """Where a model keeps its parameters and buffers.

    `torch.func.functional_call` finds that out again in each call, which on small models takes as
    long as a tenth of a training step.

    Parameters
    ----------
    model
        A number that several of its layers share is one number, with the first of its names.
    """

    def __init__(self, model: nn.Module) -> None:
        found: dict[int, list[Slot]] = defaultdict(list)
        for layer in model.modules():
            for table in (layer._parameters, layer._buffers):  # noqa: SLF001 - as functional_call
                for name, own in table.items():
                    if own is not None:
                        found[id(own)].append((table, name))
        named = (*model.named_parameters(), *model.named_buffers())
        self._slots = {name: found[id(own)] for name, own in named}

    @contextmanager
    def holding(self, tensors: Mapping[str, torch.Tensor]) -> Iterator[None]:
        """Let the model compute with `tensors`, by name, for a while."""
        own = [(table, key, table[key]) for name in tensors for table, key in self._slots[name]]
        try:
            for name, tensor in tensors.items():
                for table, key in self._slots[name]:
                    table[key] = tensor
            yield
        finally:
            for table, key, before in own:
                table[key] = before

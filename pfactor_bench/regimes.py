"""Regimes: where a model starts and which of its parameters train. All else is equal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

__all__ = ["REGIMES", "from_scratch"]

#: A regime turns a builder of fresh models into the model that training starts from.
REGIMES: Registry[Callable[[Callable[[], nn.Module]], nn.Module]] = Registry("regime")


@REGIMES.register("from-scratch")
def from_scratch(build: Callable[[], nn.Module]) -> nn.Module:
    """Start from random weights and train all of them."""
    return build()

"""A model can compute with other numbers than its own, and gets its own back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn
from torch.func import functional_call

from pfactor_bench.training.fast.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Callable


class Tied(nn.Module):
    """Two layers with one weight, and a layer with buffers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.second = nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 4)
        self.second.weight = self.first.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the second layer's output."""
        result: torch.Tensor = self.second(self.norm(self.first(x)))
        return result


def _others(model: nn.Module) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    named = (*model.named_parameters(), *model.named_buffers())
    return {
        name: torch.rand_like(own) if own.is_floating_point() else own.clone()
        for name, own in named
    }


@pytest.mark.parametrize("mode", [nn.Module.train, nn.Module.eval])
def test_model_computes_what_functional_call_computes(
    mode: Callable[[nn.Module], nn.Module],
) -> None:
    """Shared weights and buffers included, and buffers are written where they were given."""
    model, x = mode(Tied()), torch.randn(8, 4)
    one, other = _others(model), _others(model)
    expected = functional_call(model, one, (x,))
    with Slots(model).holding(other):
        assert torch.equal(model(x), expected)
    for name in one:
        assert torch.equal(one[name], other[name])


def test_model_gets_its_numbers_back_after_an_error() -> None:
    """The very same tensors, each in its place."""
    model = Tied()
    before = [(name, id(own)) for name, own in model.named_parameters(remove_duplicate=False)]
    with pytest.raises(RuntimeError), Slots(model).holding(_others(model)):
        model(torch.zeros(2, 3))
    after = [(name, id(own)) for name, own in model.named_parameters(remove_duplicate=False)]
    assert after == before
    assert isinstance(model.second.weight, nn.Parameter)


def test_parametrised_layer_takes_its_numbers_from_outside() -> None:
    """As braindecode's layers with a maximum norm have them."""
    from torch.nn.utils.parametrizations import weight_norm

    model, x = nn.Sequential(weight_norm(nn.Linear(4, 4))), torch.randn(8, 4)
    others = _others(model)
    with Slots(model).holding(others):
        assert torch.equal(model(x), functional_call(model, others, (x,)))

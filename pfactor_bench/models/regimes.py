"""Regimes: where a model starts and which of its parts train. All else is equal.

To add one, write a function from a model and its declared head to the parts that train, and
register it with `regime`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pfactor_bench.errors import ModelError
from pfactor_bench.models.heads import find_head, has_weights
from pfactor_bench.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch
    from torch import nn

    #: From a model and its declared head, None where there is none, to the parts that train.
    Trains: TypeAlias = Callable[[nn.Module, str | None], tuple[nn.Module, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Regime:
    """A way to start and to train.

    Parameters
    ----------
    pretrained
        Whether the encoder is loaded from a source task; the head is new in any case.
    trains
        Which parts train.
    """

    pretrained: bool
    trains: Trains


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Start:
    """A model as training finds it.

    Parameters
    ----------
    model
        With gradients switched off for whatever is frozen.
    trained
        The parts that train. All others stay in evaluation mode, so that neither dropout nor the
        statistics of a normalisation layer move in what is said to be frozen.
    """

    model: nn.Module
    trained: tuple[nn.Module, ...]

    def set_training(self) -> None:
        """Put the parts that train into training mode, and nothing else."""
        self.model.eval()
        for part in self.trained:
            part.train()

    @property
    def n_parameters(self) -> int:
        """All parameters."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    @property
    def n_trainable(self) -> int:
        """Parameters that the optimiser is given."""
        return sum(p.numel() for p in self.model.parameters() if p.requires_grad)

    @property
    def n_frozen(self) -> int:
        """Parameters outside the trained parts, and those that a model never trains."""
        inside = {id(p) for part in self.trained for p in part.parameters() if p.requires_grad}
        return sum(p.numel() for p in self.model.parameters() if id(p) not in inside)


REGIMES: Registry[Regime] = Registry("regime")


def regime(name: str, *, pretrained: bool) -> Callable[[Trains], Trains]:
    """Return a decorator that registers what a regime trains."""

    def store(trains: Trains) -> Trains:
        REGIMES.register(name)(Regime(pretrained=pretrained, trains=trains))
        return trains

    return store


@regime("from-scratch", pretrained=False)
def from_scratch(model: nn.Module, head: str | None) -> tuple[nn.Module, ...]:  # noqa: ARG001
    """Start from random weights and train all of them."""
    return (model,)


@regime("full-finetune", pretrained=True)
def full_finetune(model: nn.Module, head: str | None) -> tuple[nn.Module, ...]:  # noqa: ARG001
    """Start from the encoder and a new head and train all of it."""
    return (model,)


@regime("linear-probe", pretrained=True)
def linear_probe(model: nn.Module, head: str | None) -> tuple[nn.Module, ...]:
    """Start from the encoder and train a new head only."""
    return (model.get_submodule(find_head(model, head)),)


@regime("last-block", pretrained=True)
def last_block(model: nn.Module, head: str | None) -> tuple[nn.Module, ...]:
    """Start from the encoder and train a new head and the encoder's last block.

    The last block is the last of the model's top-level parts that holds a weight matrix, with
    whatever stands between it and the head. In a model of one block that is all of it.
    """
    name = find_head(model, head)
    parts = [part for key, part in model.named_children() if key != name.partition(".")[0]]
    weighted = [number for number, part in enumerate(parts) if has_weights(part)]
    if not weighted:
        raise ModelError(
            f"model {type(model).__name__!r} has no block with weights beside its head {name!r}: "
            f"use linear-probe or full-finetune"
        )
    return (*parts[weighted[-1] :], model.get_submodule(name))


def begin(
    name: str,
    model: nn.Module,
    *,
    head: str | None = None,
    encoder: Mapping[str, torch.Tensor] | None = None,
) -> Start:
    """Return a fresh model as the regime called `name` starts it.

    Parameters
    ----------
    name
        In `REGIMES`.
    model
        Freshly built; changed in place.
    head
        Its head, where the suite names it.
    encoder
        Everything of the model's state but its head; needed by pretrained regimes, ignored by
        others.

    Raises
    ------
    ModelError
        If the head cannot be found, or the encoder is missing or another model's.
    """
    chosen = REGIMES[name]
    if chosen.pretrained:
        if encoder is None:
            raise ModelError(f"regime {name!r} starts from an encoder, and none was given")
        _load_encoder(model, find_head(model, head), encoder)
    trained = chosen.trains(model, head)
    kept = {id(parameter) for part in trained for parameter in part.parameters()}
    for parameter in model.parameters():
        if id(parameter) not in kept:
            parameter.requires_grad = False
    return Start(model=model, trained=trained)


def frozen_state(start: Start) -> dict[str, torch.Tensor]:
    """Return a copy of every parameter and buffer that training must not change."""
    trained = {
        id(tensor) for part in start.trained for tensor in (*part.parameters(), *part.buffers())
    }
    named = (*start.model.named_parameters(), *start.model.named_buffers())
    return {name: tensor.detach().clone() for name, tensor in named if id(tensor) not in trained}


def check_frozen(start: Start, before: Mapping[str, torch.Tensor]) -> None:
    """Refuse a model that changed what its regime froze, bit for bit.

    Raises
    ------
    ModelError
        With the first tensor's name.
    """
    import torch

    now = dict((*start.model.named_parameters(), *start.model.named_buffers()))
    for name, tensor in before.items():
        if not torch.equal(now[name].detach(), tensor):
            raise ModelError(
                f"model {type(start.model).__name__!r} changed {name!r} while it was frozen: its "
                f"forward pass writes to its own weights, so it cannot be trained in part"
            )


def _load_encoder(model: nn.Module, head: str, encoder: Mapping[str, torch.Tensor]) -> None:
    state = model.state_dict()
    wanted = {name: state[name].shape for name in state if not name.startswith(f"{head}.")}
    kind = type(model).__name__
    strangers = sorted(set(wanted) ^ set(encoder))
    if strangers:
        where = "lacks" if strangers[0] in wanted else "holds the unknown"
        raise ModelError(
            f"the encoder was made for another model than {kind!r}: it {where} {strangers[0]!r} "
            f"({len(strangers)} names differ); use the model and arguments that it was made with"
        )
    for name, shape in wanted.items():
        if encoder[name].shape != shape:
            raise ModelError(
                f"the encoder does not fit model {kind!r}: {name!r} has shape "
                f"{tuple(encoder[name].shape)}, expected {tuple(shape)}; channels, samples and "
                f"arguments must be those that it was made with"
            )
    model.load_state_dict({**state, **encoder})

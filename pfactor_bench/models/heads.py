"""A model in two parts: the head that turns features into a target, and the encoder before it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from pfactor_bench.errors import ModelError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from torch import nn

#: braindecode gives the layer that turns features into outputs this name in every model.
_CONVENTION = "final_layer"


def find_head(model: nn.Module, declared: str | None = None) -> str:
    """Return the dotted name of the part that turns features into a target.

    It is what the suite declares; else what braindecode's convention calls it; else the part that
    the model's own ``reset_head`` replaces.

    Raises
    ------
    ModelError
        If there is no such part, or nothing in it can be trained.
    """
    parts = dict(model.named_modules())
    for name in [declared] if declared is not None else _likely_heads(model):
        if name in parts and any(True for _ in parts[name].parameters()):
            return name
    kind = type(model).__name__
    with_weights = [name for name, part in model.named_children() if has_weights(part)]
    if declared is None:
        raise ModelError(
            f"cannot tell which part of model {kind!r} is its head: name it in the suite, such as "
            f"'head: {with_weights[-1] if with_weights else 'classifier'}'"
        )
    raise ModelError(
        f"model {kind!r} has no part {declared!r} with parameters to be its head"
        f"{did_you_mean(declared, with_weights)}"
    )


def encoder_state(model: nn.Module, head: str | None = None) -> dict[str, torch.Tensor]:
    """Return a copy of the model's state without its head, on the CPU."""
    prefix = f"{find_head(model, head)}."
    return {
        name: tensor.detach().cpu().clone().contiguous()
        for name, tensor in model.state_dict().items()
        if not name.startswith(prefix)
    }


def has_weights(part: nn.Module) -> bool:
    """Return whether a part holds a weight matrix, which a normalisation layer does not."""
    return any(parameter.ndim > 1 for parameter in part.parameters())


def _likely_heads(model: nn.Module) -> Iterator[str]:
    """Yield names that may be the head's, the surest first."""
    import copy

    import torch

    yield _CONVENTION
    trial = copy.deepcopy(model)
    reset_head = getattr(trial, "reset_head", None)
    if callable(reset_head):
        before = {id(part) for part in trial.modules()}
        # The new head draws its weights; the case's own draws must not move.
        with torch.random.fork_rng(devices=[]), contextlib.suppress(NotImplementedError):
            reset_head(1)
        yield from (name for name, part in trial.named_modules() if id(part) not in before)

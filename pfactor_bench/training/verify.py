"""Whether a model may be trained by the fast engine, found out on the model itself."""

from __future__ import annotations

import math
from copy import deepcopy
from typing import TYPE_CHECKING

from pfactor_bench.errors import ModelError
from pfactor_bench.training.acceleration import relative_difference, tf32_only_if_asked
from pfactor_bench.training.inputs import WindowsInMemory
from pfactor_bench.training.probe import features_of, head_features, only_head_trains
from pfactor_bench.training.rewrite import Masks, rewritten
from pfactor_bench.training.stacked import StackedModels
from pfactor_bench.types import EngineChoice

if TYPE_CHECKING:
    import torch
    from torch import nn

    from pfactor_bench.training.inputs import NormalisedWindows
    from pfactor_bench.training.members import Member

__all__ = [
    "TOLERANCE",
    "models_at_once",
    "precision_error",
    "rewriting_error",
    "why_not_together",
]

#: Largest difference between a model and its rewritten self in double precision, as a share of the
#: largest number. The same mathematics leaves 1e-14; in single precision rounding alone reaches
#: 2e-5 in some gradients, so a limit there would turn on the initial weights.
TOLERANCE = 1e-9

_DEFAULT = EngineChoice()

#: Windows that the comparison is made on.
_TRIAL = 16

#: What an ensemble's activations may take on a CPU. More at once gain nothing: beyond the last
#: cache, wider operations only wait longer for memory.
_CPU_BYTES = 128 * 2**20

#: The share of a GPU's free memory that an ensemble may take.
_GPU_SHARE = 0.6


def why_not_together(
    member: Member, windows: NormalisedWindows, engine: EngineChoice = _DEFAULT
) -> str | None:
    """Return why a model cannot be trained by the fast engine, None where it can.

    Parameters
    ----------
    member
        Its numbers are left as they are.
    windows
        Of the cohort.
    engine
        With which options.
    """
    import torch

    model, trial = member.start.model, windows.first(_TRIAL)
    try:
        error = rewriting_error(deepcopy(model).double(), trial.double())
        if not error <= TOLERANCE:
            return f"its rewritten layers differ by {error:.1e} (relative), more than {TOLERANCE:g}"
        # One model alone is computed without torch.vmap, and may fail where two do not.
        precision_error(member, windows, engine)
        if only_head_trains(member.start):
            return _head_is_not_the_end(member, trial)
        _rehearse(member, trial, engine)
    except (RuntimeError, ValueError, TypeError, NotImplementedError, ModelError) as error:
        return str(error).splitlines()[0]
    finally:
        model.zero_grad(set_to_none=True)
        torch.clear_autocast_cache()
    return None


def rewriting_error(model: nn.Module, X: torch.Tensor) -> float:
    """Return the largest difference that rewriting makes to outputs and gradients.

    Returns
    -------
    float
        Relative to the largest output, and to the largest entry of each gradient. Of all gradients
        that are compared, those below a thousandth of the largest are compared with that: what is
        zero but for rounding has no digits to agree in.
    """
    was_training = model.training
    model.eval()
    plain = _output_and_gradients(model, X)
    with rewritten(model, Masks()):
        fast = _output_and_gradients(model, X)
    model.train(was_training)
    largest = max((float(one.abs().max()) for one in plain[1:]), default=0.0)
    floors = [0.0, *[largest * 1e-3] * (len(plain) - 1)]
    return max(
        float((one - other).abs().max()) / (max(float(one.abs().max()), floor) or 1.0)
        for one, other, floor in zip(plain, fast, floors, strict=True)
    )


def precision_error(
    member: Member, windows: NormalisedWindows, engine: EngineChoice
) -> float | None:
    """Return by how much an engine's precision changes the gradients of a model's first windows.

    Returns
    -------
    float or None
        Length of the difference from float32's as a share of their length; None where the engine
        computes in float32.
    """
    import torch

    if engine.precision == "float32":
        return None
    trial = WindowsInMemory(X=windows.first(_TRIAL))
    (head,), inputs = head_features([member], trial)
    X = inputs.rows(0, 1, torch.arange(len(trial.X), device=trial.device)[None])
    member.start.model.eval()
    exact, other = (_gradients(head, X, one) for one in (EngineChoice(), engine))
    error = relative_difference(exact, other)
    if not math.isfinite(error):
        raise ModelError(f"its gradients are not finite in {engine.precision}")
    return error


def models_at_once(member: Member, windows: NormalisedWindows) -> int:
    """Return how many models like this one an ensemble may hold."""
    import torch

    per_model = _bytes_per_model(member, windows)
    if windows.device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(windows.device)
        return max(1, int(free * _GPU_SHARE / per_model))
    return max(1, int(_CPU_BYTES / per_model))


def _output_and_gradients(model: nn.Module, X: torch.Tensor) -> list[torch.Tensor]:
    import torch

    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    output = model(X).reshape(-1)
    found = torch.autograd.grad(output.square().sum(), trained, allow_unused=True)
    return [output.detach(), *(one for one in found if one is not None)]


def _head_is_not_the_end(member: Member, X: torch.Tensor) -> str | None:
    """Say so where a model does more after its head than hand on what the head returns."""
    import torch

    with torch.no_grad():
        whole = member.start.model.eval()(X).reshape(-1)
        alone = member.start.trained[0](features_of(member.start, WindowsInMemory(X=X))).reshape(-1)
    if whole.shape != alone.shape or not torch.allclose(whole, alone, rtol=1e-4, atol=1e-5):
        return "its head's output is not its prediction"
    return None


def _gradients(member: Member, X: torch.Tensor, engine: EngineChoice) -> torch.Tensor:
    alone = StackedModels([member.start], [member.budget], [0], engine)
    with rewritten(alone.model, alone.masks), tf32_only_if_asked(engine):
        return alone.gradients(X)


def _rehearse(member: Member, X: torch.Tensor, engine: EngineChoice) -> None:
    """Take one step with two copies; raise what that raises."""
    pair = StackedModels([member.start] * 2, [member.budget] * 2, [0, 1], engine)
    y = X.new_zeros(2, len(X))
    with rewritten(pair.model, pair.masks):
        pair.set_training()
        pair.step(0, 2, X.expand(2, *X.shape), y)
    member.start.model.eval()


def _bytes_per_model(member: Member, windows: NormalisedWindows) -> int:
    """Return what one model keeps for a backward pass, and its numbers four times over."""
    import torch

    batch = WindowsInMemory(X=windows.first(member.budget.batch_size))
    (head,), inputs = head_features([member], batch)
    positions = torch.arange(len(batch.X), device=batch.device)[None]
    kept: dict[int, int] = {}

    def count(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    model = head.start.model
    numbers = sum(one.numel() * one.element_size() for one in model.parameters())
    model.eval()
    with (
        rewritten(model, Masks()),
        torch.autograd.graph.saved_tensors_hooks(count, lambda one: one),
    ):
        model(inputs.rows(0, 1, positions)[0])
    # Weights, gradients and two moments; activations and, on the way back, their gradients.
    return 4 * numbers + 2 * sum(kept.values())

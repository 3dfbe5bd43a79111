"""Whether a model may be trained by the fast engine, found out on the model itself."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import torch
from braindecode.modules import MultiHeadAttention
from torch import nn

from pfactor_bench.training.fast.frozen import features_of, head_features, only_head_trains
from pfactor_bench.training.fast.rewrite import Masks, rewritten
from pfactor_bench.training.fast.stacked import StackedModels
from pfactor_bench.training.inputs import WindowsInMemory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pfactor_bench.models.regimes import Start
    from pfactor_bench.training.fast.members import Member
    from pfactor_bench.training.inputs import NormalisedWindows

#: Largest difference between a model and its rewritten self in double precision, as a share of the
#: largest number. The same mathematics leaves 1e-14; in single precision rounding alone reaches
#: 2e-5 in some gradients, so a limit there would turn on the initial weights.
TOLERANCE = 1e-9

#: Windows that the comparison is made on.
_TRIAL = 16

#: As many as batch statistics need, where it is asked what a pass leaves behind.
_FEW = 4

#: What an ensemble's activations may take on a CPU. More at once gain nothing: beyond the last
#: cache, wider operations only wait longer for memory.
_CPU_BYTES = 128 * 2**20

#: The share of a GPU's free memory that an ensemble may take.
_GPU_SHARE = 0.6


def rehearse(member: Member, windows: NormalisedWindows) -> str | None:
    """Return why the fast engine cannot train a model, None where it can.

    Parameters
    ----------
    member
        Its numbers are left as they are.
    windows
        Of the cohort.
    """
    model, trial = member.start.model, WindowsInMemory(X=windows.first(_TRIAL))
    try:
        error = rewriting_error(deepcopy(model).double(), trial.X.double())
        if not error <= TOLERANCE:
            return f"its rewritten layers differ by {error:.1e} (relative), more than {TOLERANCE:g}"
        if only_head_trains(member.start) and _does_more_after_its_head(member, trial):
            return "its head's output is not its prediction"
        (trained,), inputs = head_features([member], trial)
        X = inputs.rows(0, 1, torch.arange(len(trial.X), device=trial.device)[None])
        # One model alone is computed without torch.vmap, and may fail where two do not.
        _take_a_step(trained, X)
        error = training_error(trained, X[0, :_FEW].double())
        if not error <= TOLERANCE:
            return (
                f"beside another model it does something else in training: outputs or buffers "
                f"differ by {error:.1e} (relative), more than {TOLERANCE:g}"
            )
    except Exception as error:  # noqa: BLE001 - whatever it is, the plain loop may do without
        return str(error).partition("\n")[0] or type(error).__name__
    finally:
        model.zero_grad(set_to_none=True)
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
        _relative_maximum(one, other, floor)
        for one, other, floor in zip(plain, fast, floors, strict=True)
    )


def training_error(member: Member, X: torch.Tensor) -> float:
    """Return the largest difference that a neighbour makes to a pass in training mode.

    Parameters
    ----------
    member
        Its numbers are left as they are.
    X
        What it sees, in double precision.

    Returns
    -------
    float
        In outputs without dropout and in what the pass leaves in buffers, relative to the largest
        number of each.
    """
    alone, *pair = (_double_without_dropout(member.start) for _ in range(3))
    alone.set_training()
    together = StackedModels(pair, [member.budget] * 2, [0, 1])
    with torch.no_grad(), rewritten(together.model, together.masks):
        expected = [alone.model(X).reshape(-1), *alone.model.buffers()]
        together.set_training()
        outputs = together.predict(0, 2, X.expand(2, *X.shape))
    together.write_back()
    return max(
        _relative_maximum(one.double(), other.double())
        for output, start in zip(outputs, pair, strict=True)
        for one, other in zip(expected, [output, *start.model.buffers()], strict=True)
    )


def models_at_once(member: Member, windows: NormalisedWindows) -> int:
    """Return how many models like this one an ensemble may hold."""
    per_model = _bytes_per_model(member, windows)
    if windows.device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(windows.device)
        return max(1, int(free * _GPU_SHARE / per_model))
    return max(1, int(_CPU_BYTES / per_model))


def _relative_maximum(one: torch.Tensor, other: torch.Tensor, floor: float = 0.0) -> float:
    """Return the largest difference, relative to the largest number or to what is larger still."""
    if not one.numel():
        return 0.0
    return float((one - other).abs().max()) / (max(float(one.abs().max()), floor) or 1.0)


def _double_without_dropout(start: Start) -> Start:
    """Return a copy in double precision that drops nothing of what the engine would drop."""
    copy = deepcopy(start)
    copy.model.double()
    parts: Iterable[Any] = copy.model.modules()
    for part in parts:
        if type(part) is nn.Dropout:
            part.p = 0.0
        elif type(part) is MultiHeadAttention:
            part.att_drop = 0.0
    return copy


def _output_and_gradients(model: nn.Module, X: torch.Tensor) -> list[torch.Tensor]:

    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    output = model(X).reshape(-1)
    found = torch.autograd.grad(output.square().sum(), trained, allow_unused=True)
    return [output.detach(), *(one for one in found if one is not None)]


def _does_more_after_its_head(member: Member, windows: WindowsInMemory) -> bool:
    """Return whether a model does more after its head than hand on what the head returns."""
    with torch.no_grad():
        whole = member.start.model.eval()(windows.X).reshape(-1)
        alone = member.start.trained[0](features_of(member.start, windows)).reshape(-1)
    return whole.shape != alone.shape or not torch.allclose(whole, alone, rtol=1e-4, atol=1e-5)


def _take_a_step(member: Member, X: torch.Tensor) -> None:
    """Take one step with two copies; raise what that raises."""
    pair = StackedModels([member.start] * 2, [member.budget] * 2, [0, 1])
    y = X.new_zeros(2, X.shape[1])
    with rewritten(pair.model, pair.masks):
        pair.set_training()
        pair.step(0, 2, X.expand(2, *X.shape[1:]), y)
    member.start.model.eval()


def _bytes_per_model(member: Member, windows: NormalisedWindows) -> int:
    """Return what one model keeps for a backward pass, and its numbers four times over."""
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

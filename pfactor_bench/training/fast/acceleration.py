"""Options of the fast engine that trade digits or preparation for speed.

None is on unless a suite asks for it. What they gain on a GPU has not been measured.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from pfactor_bench.errors import EnvironmentProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import torch
    from torch.overrides import TorchFunctionMode

    from pfactor_bench.types import EngineChoice

    #: Takes a step; returns each model's loss before it.
    Step: TypeAlias = Callable[["Batch"], torch.Tensor]

    #: From work to what repeats it, and where its result lies then.
    Record: TypeAlias = Callable[
        [Callable[[], torch.Tensor]], tuple[Callable[[], object], torch.Tensor]
    ]

__all__ = [
    "STEPS_BEFORE_A_GRAPH",
    "Batch",
    "Warmed",
    "in_one_row",
    "lowered",
    "record_graph",
    "recorded",
    "refuse_impossible",
    "relative_difference",
    "tf32_only_if_asked",
]

#: They make what a graph must not: the optimiser's moments, the libraries' workspaces.
STEPS_BEFORE_A_GRAPH = 3


class Batch(NamedTuple):
    """What models that step together see in a step.

    Parameters
    ----------
    X, y
        Windows and scores, shapes ``(n_models, batch_size, …)`` and ``(n_models, batch_size)``.
    masks
        Of their dropout, shape ``(n_models, n_numbers)``; None where nothing is dropped.
    """

    X: torch.Tensor
    y: torch.Tensor
    masks: torch.Tensor | None


def refuse_impossible(engine: EngineChoice, device: torch.device) -> None:
    """Refuse options that a device does not have, before anything is trained.

    Raises
    ------
    EnvironmentProblemError
        With the way out.
    """
    if device.type == "cuda":
        return
    wanted = ["graphs: true"] if engine.graphs else []
    wanted += ["precision: tf32"] if engine.precision == "tf32" else []
    if wanted:
        raise EnvironmentProblemError(
            f"the suite's engine has {' and '.join(map(repr, wanted))}, which only a CUDA device "
            f"can do, but its cases run on {device.type!r}: take that out of the suite, or use "
            f"--device cuda on a machine that has one"
        )


@contextmanager
def lowered(engine: EngineChoice, device: torch.device) -> Iterator[None]:
    """Let forward passes have the engine's precision for a while."""
    import torch

    if engine.precision != "bf16":
        yield
        return
    # Weights change in every step, and a graph may not hold what is kept: no cache of casts.
    autocast = torch.autocast(device.type, torch.bfloat16, cache_enabled=False)
    with autocast, _lowered_convolutions()():
        yield


@cache
def _lowered_convolutions() -> type[TorchFunctionMode]:
    """Return a mode that lowers convolutions, which `torch.vmap` keeps from autocast."""
    import torch
    from torch.overrides import TorchFunctionMode

    convolutions = {torch.conv1d, torch.conv2d, torch.conv3d}

    class LoweredConvolutions(TorchFunctionMode):
        """Casts what convolutions are given."""

        def __torch_function__(
            self,
            func: Callable[..., Any],
            types: Any,  # noqa: ANN401 - torch's protocol
            args: tuple[Any, ...] = (),
            kwargs: dict[str, Any] | None = None,
        ) -> Any:  # noqa: ANN401
            if func in convolutions:
                args = tuple(
                    one.bfloat16() if isinstance(one, torch.Tensor) else one for one in args
                )
            return func(*args, **(kwargs or {}))

    return LoweredConvolutions


@contextmanager
def tf32_only_if_asked(engine: EngineChoice) -> Iterator[None]:
    """Let a GPU's products and convolutions be TF32 for a while, or not, as the engine has it.

    torch's own default is float32 for products and TF32 for convolutions.
    """
    import torch

    products, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn
    before = products.allow_tf32, convolutions.allow_tf32
    products.allow_tf32 = convolutions.allow_tf32 = engine.precision == "tf32"
    try:
        yield
    finally:
        products.allow_tf32, convolutions.allow_tf32 = before


def in_one_row(gradients: Sequence[torch.Tensor | None]) -> torch.Tensor:
    """Return gradients side by side in double precision, without those that take no part."""
    import torch

    return torch.cat([one.double().flatten() for one in gradients if one is not None])


def relative_difference(exact: torch.Tensor, other: torch.Tensor) -> float:
    """Return the length of the difference of two rows as a share of the first one's length."""
    return float((other - exact).norm() / (exact.norm() or 1.0))


class Warmed:
    """A step that is prepared after it was taken a few times as it is.

    Parameters
    ----------
    step
        Of one shape.
    prepare
        From it and one batch to a step that does the same.
    after
        How often it is taken as it is.
    """

    def __init__(self, step: Step, prepare: Callable[..., Step], after: int) -> None:
        self._step, self._prepare, self._left = step, prepare, after
        self._is_prepared = False

    def __call__(self, batch: Batch) -> torch.Tensor:
        """Take a step, and return what it returns."""
        if self._left == 0 and not self._is_prepared:
            self._step, self._is_prepared = self._prepare(self._step, batch), True
        self._left = max(0, self._left - 1)
        return self._step(batch)


def recorded(step: Step, batch: Batch, *, record: Record) -> Step:
    """Return a step that copies its batch to fixed places and repeats what was recorded."""
    places = Batch(*(None if one is None else one.clone() for one in batch))  # type: ignore[arg-type]
    repeat, losses = record(lambda: step(places))

    def take(batch: Batch) -> torch.Tensor:
        for place, given in zip(places, batch, strict=True):
            if place is not None and given is not None:
                place.copy_(given)
        repeat()
        return losses.clone()

    return take


def record_graph(
    work: Callable[[], torch.Tensor],
) -> tuple[Callable[[], object], torch.Tensor]:
    """Record what `work` would do on the GPU, as a CUDA graph, without doing it."""
    import torch

    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = work()
    return graph.replay, result

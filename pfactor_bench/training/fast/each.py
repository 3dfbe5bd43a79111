"""Work that is done for one model after another while the rest is done for many at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


def each_model(work: Callable[..., torch.Tensor], *tensors: torch.Tensor | None) -> torch.Tensor:
    """Return ``work(*tensors)``; under `torch.vmap`, model by model.

    Where a model's numbers fill the cache, going through all models layer by layer is slower than
    going through all layers model by model.
    """
    if any(torch._C._functorch.is_batchedtensor(one) for one in tensors if one is not None):  # noqa: SLF001
        result: torch.Tensor = _PerModel.apply(work, *tensors)
        return result
    return work(*tensors)


class _PerModel(torch.autograd.Function):
    """Has a rule for `torch.vmap` and is not called otherwise."""

    @staticmethod
    def forward(work: Callable[..., torch.Tensor], *tensors: torch.Tensor) -> torch.Tensor:
        return work(*tensors)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:  # noqa: ANN401
        """Keep nothing: the rule below is differentiable by itself."""

    @staticmethod
    def vmap(
        info: Any,  # noqa: ANN401
        in_dims: tuple[int | None, ...],
        work: Callable[..., torch.Tensor],
        *tensors: torch.Tensor,
    ) -> tuple[torch.Tensor, int]:
        columns = [
            [tensor] * info.batch_size if dim is None else tensor.unbind(dim)
            for tensor, dim in zip(tensors, in_dims[1:], strict=True)
        ]
        return torch.stack([work(*row) for row in zip(*columns, strict=True)]), 0

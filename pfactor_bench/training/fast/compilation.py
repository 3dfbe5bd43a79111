"""Steps compiled by torch.compile, where a run is long enough to pay for it.

A step is traced first, through `torch.vmap` and the backward pass, so that the compiler sees plain
operations on tensors; and what it makes of them is compared with the step before it is used.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from pfactor_bench.training.fast.acceleration import in_one_row, relative_difference

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch

    from pfactor_bench.training.fast.acceleration import Batch
    from pfactor_bench.types import Precision

    #: Losses, and a gradient for each tensor that trains, None where it takes no part.
    Differentiated: TypeAlias = tuple[torch.Tensor, Sequence[torch.Tensor | None]]

    #: From what trains, what does not (changed in place), and a batch.
    Differentiate: TypeAlias = Callable[
        [Sequence[torch.Tensor], Mapping[str, torch.Tensor], Batch], Differentiated
    ]

__all__ = ["STEPS_BEFORE_COMPILING", "compiled_if_same"]

#: On a CPU, compiling takes minutes and saves about a tenth of a step: a shorter run never gets it
#: back.
STEPS_BEFORE_COMPILING = 10_000

#: By how much gradients may differ, as a share of their length: rounding in another order.
_ROUNDING: Mapping[Precision, float] = {"float32": 1e-3, "tf32": 1e-2, "bf16": 1e-1}

_LOG = logging.getLogger(__name__)


def compiled_if_same(
    work: Differentiate,
    leaves: Sequence[torch.Tensor],
    others: Mapping[str, torch.Tensor],
    batch: Batch,
    *,
    precision: Precision,
) -> Differentiate | None:
    """Return compiled work for tensors of these shapes, None where it is not the same work.

    Parameters
    ----------
    work, leaves, others, batch
        What is compiled, and what it is tried on; nothing is changed.
    precision
        What it computes in.
    """
    import torch
    from torch.fx.experimental.proxy_tensor import make_fx

    def fresh() -> dict[str, torch.Tensor]:
        return {name: one.clone() for name, one in others.items()}

    expected = work(leaves, fresh(), batch)
    # Not a bound method, whose self make_fx would count among what it is given.
    graph = make_fx(partial(work))(leaves, fresh(), batch)
    program = torch.compile(graph, dynamic=False)

    def fast(leaves: Sequence[torch.Tensor], *rest: Any) -> Differentiated:  # noqa: ANN401
        # The backward pass is in the program: nothing is left to be recorded.
        with torch.no_grad():
            found: Differentiated = program([leaf.detach() for leaf in leaves], *rest)
        return found

    found = fast(leaves, fresh(), batch)
    error = relative_difference(in_one_row(expected[1]), in_one_row(found[1]))
    if error <= _ROUNDING[precision]:
        return fast
    _LOG.warning(
        "compiled steps are not used: their gradients differ by %.1e of their length", error
    )
    return None

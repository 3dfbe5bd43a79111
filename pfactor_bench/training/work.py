"""What the cases of a group share, whichever engine trains them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch

    from pfactor_bench.types import Budget, Case, Cohort, Split

    #: By case and fold, what pretrained regimes start from.
    Encoders: TypeAlias = Mapping[Case, Mapping[str, Mapping[str, torch.Tensor]]]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Work:
    """On what cases are trained, and how.

    Parameters
    ----------
    cohort, split, budget, device
        What to do, and where.
    encoders
        What pretrained regimes start from; cases without one may be left out.
    saliency
        Ways of choosing saliency windows, names in
        `pfactor_bench.training.saliency.WINDOW_CHOICES`.
    on_epoch
        Called once per epoch, fold and case, for progress.
    """

    cohort: Cohort
    split: Split
    budget: Budget
    device: torch.device
    encoders: Encoders
    saliency: Sequence[str]
    on_epoch: Callable[[], object]

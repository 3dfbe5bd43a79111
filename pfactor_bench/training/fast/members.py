"""A model of one case on one fold, ready to be trained beside others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from pfactor_bench.models.build import build_model
from pfactor_bench.models.regimes import Start, begin
from pfactor_bench.training.device import seeded
from pfactor_bench.training.fold import Scale
from pfactor_bench.types import Budget, Case, Cohort, Fold


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Member:
    """What one model starts from and trains on.

    Parameters
    ----------
    case, fold, budget
        What it is, on whom it trains, and for how long.
    start
        The model before the first step.
    scale
        From targets to what the model learns, and back.
    y
        The targets of the fold's training windows on `scale`, float32.
    order
        Draws the order of its windows: what the plain loop would draw, where no dropout draws
        between.
    """

    case: Case
    fold: Fold
    budget: Budget
    start: Start
    scale: Scale
    y: torch.Tensor
    order: torch.Generator


def begin_member(
    case: Case,
    cohort: Cohort,
    fold: Fold,
    budget: Budget,
    *,
    device: torch.device,
    encoder: Mapping[str, torch.Tensor] | None,
) -> Member:
    """Build a case's model for a fold from its seed, as the plain loop builds it."""
    with seeded(case.seed, device):
        start = begin(
            case.start, build_model(case.model, cohort), head=case.model.head, encoder=encoder
        )
        order = torch.Generator()
        order.set_state(torch.get_rng_state())
    start.model.to(device)
    scale = Scale.of(cohort.y[fold.train], budget)
    y = scale.to_model(cohort.y[fold.train]).astype(np.float32)
    return Member(
        case=case,
        fold=fold,
        budget=budget,
        start=start,
        scale=scale,
        y=torch.from_numpy(y).to(device),
        order=order,
    )

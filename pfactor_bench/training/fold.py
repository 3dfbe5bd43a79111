"""One fold of one case, ready to be trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.models.build import build_model
from pfactor_bench.models.regimes import begin
from pfactor_bench.training.windows import windows_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from numpy.typing import NDArray

    from pfactor_bench.models.regimes import Start
    from pfactor_bench.training.windows import Windows
    from pfactor_bench.types import Budget, Case, Cohort, Fold


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """The scale that targets are learnt on, fixed by the training windows alone.

    Parameters
    ----------
    mean, sd
        What is taken off a target, and what the rest is divided by; 0 and 1 for raw targets.
    """

    mean: float = 0.0
    sd: float = 1.0

    @classmethod
    def of(cls, y: NDArray[np.float64], budget: Budget) -> Scale:
        """Return the scale that `budget` asks for, given the training windows' targets."""
        if budget.targets == "raw":
            return cls()
        # Subjects whose targets are all equal have no spread to divide by.
        return cls(mean=float(y.mean()), sd=float(y.std()) or 1.0)

    def to_model(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return targets as the model learns them."""
        return (y - self.mean) / self.sd

    def from_model(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return predictions in the target's own unit."""
        return y * self.sd + self.mean


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PreparedFold:
    """What training takes, on its device.

    Parameters
    ----------
    start
        The model before the first step.
    X, y
        Training windows and their targets on `scale`.
    X_held_out
        The held-out windows; their targets are not here.
    scale
        From targets to what the model learns, and back.
    """

    start: Start
    X: Windows
    y: torch.Tensor
    X_held_out: Windows
    scale: Scale


def prepare_fold(
    case: Case,
    cohort: Cohort,
    fold: Fold,
    budget: Budget,
    *,
    device: torch.device,
    encoder: Mapping[str, torch.Tensor] | None = None,
) -> PreparedFold:
    """Return the model as its regime starts it, and the fold's windows."""
    import torch

    model = build_model(case.model, cohort)
    start = begin(case.start, model, head=case.model.head, encoder=encoder)
    start.model.to(device)
    scale = Scale.of(cohort.y[fold.train], budget)
    targets = scale.to_model(cohort.y[fold.train]).astype(np.float32)
    return PreparedFold(
        start=start,
        X=windows_at(cohort.X, fold.train, device),
        y=torch.from_numpy(targets).to(device),
        X_held_out=windows_at(cohort.X, fold.test, device),
        scale=scale,
    )

"""A linear probe on permuted targets: one system of equations with a column per permutation."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from pfactor_bench.errors import ModelError
from pfactor_bench.experiments.permutation.null import Null, correlations
from pfactor_bench.training.fast.frozen import features_of, only_head_trains
from pfactor_bench.training.fast.members import begin_member
from pfactor_bench.training.inputs import inputs_of
from pfactor_bench.types import Budget

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from numpy.typing import NDArray

    from pfactor_bench.types import Case, Cohort, Split

    #: By fold, what pretrained regimes start from.
    Encoders: TypeAlias = Mapping[str, Mapping[str, torch.Tensor]]

#: Of the ridge penalty on standardised features, per training window: enough to make any number of
#: features solvable, too little to matter where windows outnumber them.
_PENALTY = 1e-2


def has_closed_form(case: Case, cohort: Cohort, split: Split, *, encoders: Encoders | None) -> bool:
    """Return whether only the head of a case trains, so that `probe_null` can do it."""
    import torch

    fold = split.folds[0]
    encoder = encoders[fold.name] if encoders else None
    member = begin_member(
        case, cohort, fold, Budget(epochs=1), device=torch.device("cpu"), encoder=encoder
    )
    return only_head_trains(member.start)


def probe_null(
    case: Case,
    cohort: Cohort,
    split: Split,
    permuted: NDArray[np.float64],
    *,
    device: torch.device,
    encoders: Encoders,
) -> Null:
    """Fit a ridge head on frozen features for all permutations at once.

    Parameters
    ----------
    case
        A regime in which only the head trains. Its head's own form and the budget play no part: the
        ridge solution is what training a linear head converges to.
    cohort, split
        On whom.
    permuted
        As `permute_targets` returns them.
    device
        Where features are computed.
    encoders
        By fold.

    Raises
    ------
    ModelError
        If more than the head trains, or a prediction is not finite.
    """
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    targets = np.vstack([cohort.y, permuted])
    sums = np.zeros(targets.shape)
    windows = inputs_of(cohort, device)
    known: dict[int, NDArray[np.float64]] = {}
    for fold in split.folds:
        encoder = encoders[fold.name]
        if id(encoder) not in known:
            member = begin_member(
                case, cohort, fold, Budget(epochs=1), device=device, encoder=encoder
            )
            if not only_head_trains(member.start):
                raise ModelError(
                    f"regime {case.start!r} trains more than the head, so there is no closed form: "
                    f"use trained_correlations"
                )
            reached = features_of(member.start, windows)
            known[id(encoder)] = reached.flatten(1).double().cpu().numpy()
        features = known[id(encoder)]
        ridge = make_pipeline(StandardScaler(), Ridge(alpha=_PENALTY * len(fold.train)))
        ridge.fit(features[fold.train], targets[:, fold.train].T)
        sums[:, fold.test] += ridge.predict(features[fold.test]).T
    r = correlations(cohort, split, targets, sums)
    return Null(observed=float(r[0]), permuted=r[1:])

"""A regime trained anew on permuted targets: runs that differ in nothing else share every pass."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from pfactor_bench.experiments.permutation.null import correlations
from pfactor_bench.training.case import case_budget, run_case
from pfactor_bench.training.fast.members import begin_member
from pfactor_bench.training.fast.together import train_all
from pfactor_bench.training.fast.verify import models_at_once, rehearse
from pfactor_bench.training.inputs import inputs_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import torch
    from numpy.typing import NDArray

    from pfactor_bench.training.fast.members import Member
    from pfactor_bench.types import Budget, Case, Cohort, Fold, Split

    #: By fold, what pretrained regimes start from.
    Encoders: TypeAlias = Mapping[str, Mapping[str, torch.Tensor]]

#: Runs that are trained at a time at most, though an ensemble hold more: their models wait in
#: memory.
_PREPARED = 32


def trained_correlations(
    case: Case,
    cohort: Cohort,
    split: Split,
    budget: Budget,
    targets: NDArray[np.float64],
    *,
    device: torch.device,
    encoders: Encoders | None = None,
    on_run: Callable[[], object] = lambda: None,
) -> Iterator[NDArray[np.float64]]:
    """Train the case on each row of targets, many at once, and yield r over held-out subjects.

    Every run begins from the case's seed; only the targets differ.

    Parameters
    ----------
    case, cohort, split, budget
        What is trained.
    targets
        Shape ``(n, n_windows)``: `permute_targets`, say, after the observed ones.
    device, encoders
        As in `pfactor_bench.training.case.run_case`.
    on_run
        Called after each run, for progress.

    Yields
    ------
    ndarray of float64
        Of some rows at a time, in their order.

    Raises
    ------
    ModelError
        If a prediction is not finite.
    """
    budget = case_budget(case, budget)
    windows = inputs_of(cohort, device)

    def member(targets: NDArray[np.float64], fold: Fold) -> Member:
        encoder = encoders[fold.name] if encoders else None
        own = replace(cohort, y=targets)
        return begin_member(case, own, fold, budget, device=device, encoder=encoder)

    trial = member(cohort.y, split.folds[0])
    alone = budget.inner is not None or rehearse(trial, windows) is not None
    n_at_once = 1
    if not alone:
        # More than fill one ensemble would only keep results waiting.
        together = models_at_once(trial, windows) // len(split.folds)
        n_at_once = max(1, min(_PREPARED, together))
    for begin in range(0, len(targets), n_at_once):
        rows = targets[begin : begin + n_at_once]
        sums = np.zeros(rows.shape)
        if alone:
            other = replace(cohort, y=rows[0])
            table = run_case(
                case, other, split, budget, device=device, encoders=encoders
            ).predictions
            for fold in split.folds:
                is_held_out = (table["fold"] == fold.name) & (table["role"] == "test")
                sums[0, fold.test] += table.loc[is_held_out, "y_pred"].to_numpy()
        else:
            pairs = [(row, fold) for row in range(len(rows)) for fold in split.folds]
            members = [member(rows[row], fold) for row, fold in pairs]
            trained = train_all(members, windows, lambda: None)
            for (row, fold), one in zip(pairs, trained, strict=True):
                sums[row, fold.test] += one.scale.from_model(one.trajectory.held_out[-1])
        for _ in rows:
            on_run()
        yield correlations(cohort, split, rows, sums)

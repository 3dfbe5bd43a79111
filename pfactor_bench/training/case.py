"""One case from start to end: every fold of one model, regime and seed."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pfactor_bench.models.regimes import check_frozen, frozen_state
from pfactor_bench.statistics.metrics import pearson_r
from pfactor_bench.training.device import peak_memory, seeded, synchronize
from pfactor_bench.training.fold import prepare_fold
from pfactor_bench.training.inner_choice import choose_budget
from pfactor_bench.training.loop import fit
from pfactor_bench.training.saliency import pool_subjects, saliency_map
from pfactor_bench.types import CaseResult, Curves, EngineChoice, Saliency, Timing, TrainedBy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch
    from numpy.typing import NDArray

    from pfactor_bench.models.regimes import Start
    from pfactor_bench.training.fold import PreparedFold, Scale
    from pfactor_bench.training.loop import Trajectory
    from pfactor_bench.training.windows import Windows
    from pfactor_bench.training.work import Work
    from pfactor_bench.types import Budget, Case, Cohort, Fold, Split

#: How the plain loop leaves its mark on a result.
PLAIN = TrainedBy(engine=EngineChoice(kind="plain"))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class TrainedFold:
    """One fold of one case after training.

    Parameters
    ----------
    fold, budget
        Which fold, and what it was trained with.
    start
        The trained model, as the regime started it.
    scale
        From the model's predictions to targets.
    trajectory
        What training left behind.
    seconds
        Of training and of evaluation after each epoch. Where several models were trained at once,
        this one's share.
    """

    fold: Fold
    budget: Budget
    start: Start
    scale: Scale
    trajectory: Trajectory
    seconds: float


def case_budget(case: Case, budget: Budget) -> Budget:
    """Return the suite's budget with the regime's own learning rate, where it has one."""
    if case.learning_rate is None:
        return budget
    return replace(budget, learning_rate=case.learning_rate)


def run_case(
    case: Case,
    cohort: Cohort,
    split: Split,
    budget: Budget,
    *,
    device: torch.device,
    encoders: Mapping[str, Mapping[str, torch.Tensor]] | None = None,
    saliency: Sequence[str] = (),
    on_epoch: Callable[[], object] = lambda: None,
) -> CaseResult:
    """Train and evaluate one case on every fold.

    Parameters
    ----------
    case, cohort, split, budget
        What to do.
    device
        Where to do it.
    encoders
        By fold, what pretrained regimes start from; None for regimes that do not.
    saliency
        Ways of choosing saliency windows, names in
        `pfactor_bench.training.saliency.WINDOW_CHOICES`.
    on_epoch
        Called after each epoch, for progress.

    Returns
    -------
    CaseResult

    Raises
    ------
    ModelError
        If an encoder is missing or does not fit, or frozen weights changed.
    """
    budget = case_budget(case, budget)
    trained, maps = [], []
    for fold in split.folds:
        encoder = encoders[fold.name] if encoders else None
        chosen = choose_budget(case, cohort, fold, budget, device=device, encoder=encoder)
        with seeded(case.seed, device):
            ready = prepare_fold(case, cohort, fold, chosen, device=device, encoder=encoder)
            trajectory, seconds = _timed_fit(ready, chosen, device, on_epoch)
        one = TrainedFold(
            fold=fold,
            budget=chosen,
            start=ready.start,
            scale=ready.scale,
            trajectory=trajectory,
            seconds=seconds,
        )
        trained.append(one)
        maps.append(fold_maps(one, cohort, saliency, ready.X_held_out))
    return case_result(
        case, cohort, trained, maps, epochs=budget.epochs, device=device, trained_by=PLAIN
    )


def run_each(group: Sequence[Case], work: Work) -> dict[Case, CaseResult]:
    """Train the cases of a group one after another."""
    return {
        case: run_case(
            case,
            work.cohort,
            work.split,
            work.budget,
            device=work.device,
            encoders=work.encoders.get(case),
            saliency=work.saliency,
            on_epoch=work.on_epoch,
        )
        for case in group
    }


def case_result(
    case: Case,
    cohort: Cohort,
    trained: Sequence[TrainedFold],
    maps: Sequence[Sequence[Saliency]],
    *,
    epochs: int,
    device: torch.device,
    trained_by: TrainedBy,
) -> CaseResult:
    """Return what a case leaves behind, whichever engine trained its folds.

    Parameters
    ----------
    case, cohort, device
        What was trained, on what, and where.
    trained
        Its folds.
    maps
        Of each fold, a saliency map per way of choosing windows.
    epochs
        The length that curves are drawn to.
    trained_by
        Which engine.
    """
    start = trained[0].start
    return CaseResult(
        predictions=pd.concat([_fold_table(cohort, one) for one in trained], ignore_index=True),
        curves=tuple(_curves(cohort, one, epochs) for one in trained),
        saliency=tuple(_mean_map(same_way) for same_way in zip(*maps, strict=True)),
        n_parameters=start.n_parameters,
        n_trainable=start.n_trainable,
        n_frozen=start.n_frozen,
        budgets=tuple(one.budget for one in trained),
        timings=tuple(
            Timing(
                name=f"{case.id}/{one.fold.name}/train",
                device=str(device),
                seconds=one.seconds,
                windows=len(one.fold.train) * one.budget.epochs,
                peak_bytes=peak_memory(device),
            )
            for one in trained
        ),
        trained_by=trained_by,
    )


def fold_maps(
    one: TrainedFold, cohort: Cohort, saliency: Sequence[str], X_held_out: Windows
) -> list[Saliency]:
    """Return a map per way of choosing windows, in target per unit of the windows."""
    truth = one.scale.to_model(cohort.y[one.fold.test])
    subjects = cohort.subjects[one.fold.test]
    found = [
        saliency_map(one.start.model, X_held_out, truth, subjects=subjects, chosen_by=way)
        for way in saliency
    ]
    return [replace(found_one, map=found_one.map * one.scale.sd) for found_one in found]


def _timed_fit(
    ready: PreparedFold, budget: Budget, device: torch.device, on_epoch: Callable[[], object]
) -> tuple[Trajectory, float]:
    """Train, make sure that nothing frozen moved, and return the seconds that training took."""
    start: Start = ready.start
    before = frozen_state(start)
    synchronize(device)
    began = time.perf_counter()
    trajectory = fit(
        start.model,
        X=ready.X,
        y=ready.y,
        X_held_out=ready.X_held_out,
        budget=budget,
        trained=start.trained,
        on_epoch=on_epoch,
    )
    synchronize(device)
    seconds = time.perf_counter() - began
    check_frozen(start, before)
    return trajectory, seconds


def _fold_table(cohort: Cohort, one: TrainedFold) -> pd.DataFrame:
    """Return the study contract's rows of one fold; training windows have no prediction."""
    fold = one.fold
    held_out = one.scale.from_model(one.trajectory.held_out[-1])
    positions = np.concatenate([fold.test, fold.train])
    return pd.DataFrame(
        {
            "sample_id": cohort.table["sample_id"].to_numpy()[positions],
            "subject": cohort.subjects[positions],
            "fold": fold.name,
            "role": np.repeat(["test", "train"], [len(fold.test), len(fold.train)]),
            "y_pred": np.concatenate([held_out, np.full(len(fold.train), np.nan)]),
        }
    )


def _curves(cohort: Cohort, one: TrainedFold, n_epochs: int) -> Curves:
    """Return curves of `n_epochs`; one that was stopped earlier stays where it ended."""

    def extended(curve: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.pad(curve, (0, n_epochs - len(curve)), mode="edge")

    truth = cohort.y[one.fold.test]
    held_out = one.scale.from_model(one.trajectory.held_out)
    # As in the case study, a correlation that does not exist is drawn at 0.
    val_r = np.array([pearson_r(truth, epoch).value or 0.0 for epoch in held_out])
    return Curves(
        train_mse=extended(one.trajectory.train_mse * one.scale.sd**2),
        val_mse=extended(((held_out - truth) ** 2).mean(axis=1)),
        val_r=extended(val_r),
    )


def _mean_map(maps: Sequence[Saliency]) -> Saliency:
    known = [one.randomised_similarity for one in maps if one.randomised_similarity is not None]
    return Saliency(
        chosen_by=maps[0].chosen_by,
        circular=maps[0].circular,
        map=np.mean([saliency.map for saliency in maps], axis=0),
        by_subject=pool_subjects([one.by_subject for one in maps if one.by_subject is not None]),
        randomised_similarity=float(np.mean(known)) if len(known) == len(maps) else None,
    )

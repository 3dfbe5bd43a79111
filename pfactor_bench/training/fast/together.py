"""The fast engine: the mathematics of the plain loop for many models at once.

A model that cannot be trained this way, or whose rewritten layers do not give what the model gives,
is trained by the plain loop, and its result says why.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pfactor_bench.models.regimes import check_frozen, frozen_state
from pfactor_bench.training.case import (
    PLAIN,
    TrainedFold,
    case_budget,
    case_result,
    fold_maps,
    run_each,
)
from pfactor_bench.training.device import synchronize
from pfactor_bench.training.fast.ensemble import fit_together
from pfactor_bench.training.fast.frozen import head_features
from pfactor_bench.training.fast.members import begin_member
from pfactor_bench.training.fast.rewrite import Masks, rewritten
from pfactor_bench.training.fast.verify import models_at_once, rehearse
from pfactor_bench.training.inner_choice import best_candidate, candidates, inner_errors, inner_fold
from pfactor_bench.training.inputs import inputs_of
from pfactor_bench.training.windows import windows_at
from pfactor_bench.types import EngineChoice, TrainedBy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch

    from pfactor_bench.training.fast.members import Member
    from pfactor_bench.training.inputs import NormalisedWindows
    from pfactor_bench.training.loop import Trajectory
    from pfactor_bench.types import Budget, Case, CaseResult, Cohort, Fold, Saliency, Split

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Job:
    """What a group shares: cohort, its normalised windows, and where they lie."""

    cohort: Cohort
    windows: NormalisedWindows
    device: torch.device
    encoders: Mapping[Case, Mapping[str, Mapping[str, torch.Tensor]]]
    on_epoch: Callable[[], object]

    def member(self, case: Case, fold: Fold, budget: Budget, *, start_fold: Fold) -> Member:
        """Return a case's model on a fold; its encoder is that of `start_fold`."""
        encoder = self.encoders[case][start_fold.name] if self.encoders.get(case) else None
        return begin_member(case, self.cohort, fold, budget, device=self.device, encoder=encoder)


def run_together(
    engine: EngineChoice,
    group: Sequence[Case],
    cohort: Cohort,
    split: Split,
    budget: Budget,
    *,
    device: torch.device,
    encoders: Mapping[Case, Mapping[str, Mapping[str, torch.Tensor]]],
    saliency: Sequence[str],
    on_epoch: Callable[[], object],
) -> dict[Case, CaseResult]:
    """Train the cases of a group, on all folds, together; takes what `run_group` takes."""
    budget = case_budget(group[0], budget)
    job = Job(
        cohort=cohort,
        windows=inputs_of(cohort, device),
        device=device,
        encoders=encoders,
        on_epoch=on_epoch,
    )
    trial = job.member(group[0], split.folds[0], budget, start_fold=split.folds[0])
    obstacle = rehearse(trial, job.windows)
    if obstacle is not None:
        _LOG.warning("%s: trained by the plain loop: %s", group[0].regime, obstacle)
        alone = run_each(
            group,
            cohort,
            split,
            budget,
            device=device,
            encoders=encoders,
            saliency=saliency,
            on_epoch=on_epoch,
        )
        how = replace(PLAIN, fallback=obstacle)
        return {case: replace(result, trained_by=how) for case, result in alone.items()}
    pairs = [(case, fold) for case in group for fold in split.folds]
    budgets = _choose_budgets(job, pairs, budget)
    members = [
        job.member(case, fold, chosen, start_fold=fold)
        for (case, fold), chosen in zip(pairs, budgets, strict=True)
    ]
    trained = train_all(job, members)
    results = {}
    for case in group:
        mine = [one for member, one in zip(members, trained, strict=True) if member.case is case]
        maps = [_maps(job, one, saliency) for one in mine]
        results[case] = case_result(
            case,
            cohort,
            mine,
            maps,
            epochs=budget.epochs,
            device=device,
            trained_by=TrainedBy(engine=engine),
        )
    return results


def _choose_budgets(job: Job, pairs: Sequence[tuple[Case, Fold]], budget: Budget) -> list[Budget]:
    """Return what each case is trained with on each fold, all candidates trained together."""
    if budget.inner is None:
        return [budget] * len(pairs)
    tried = candidates(budget)
    members = [
        job.member(
            case, inner_fold(job.cohort.subjects, fold, budget.inner), candidate, start_fold=fold
        )
        for case, fold in pairs
        for candidate in tried
    ]
    errors = [
        inner_errors(job.cohort, one.fold, one.scale, one.trajectory)
        for one in train_all(job, members)
    ]
    return [
        best_candidate(budget, tried, errors[first : first + len(tried)])
        for first in range(0, len(errors), len(tried))
    ]


def train_all(job: Job, members: Sequence[Member]) -> list[TrainedFold]:
    """Train members in ensembles that fit into memory; return them in their order."""
    # Neighbours that stop at the same step share all of their steps.
    order = sorted(
        range(len(members)), key=lambda n: (-len(members[n].fold.train), -members[n].budget.epochs)
    )
    size = models_at_once(members[0], job.windows)
    found: dict[int, TrainedFold] = {}
    for begin in range(0, len(order), size):
        chosen = order[begin : begin + size]
        trained = _train_at_once(job, [members[number] for number in chosen])
        found |= dict(zip(chosen, trained, strict=True))
    return [found[number] for number in range(len(members))]


def _train_at_once(job: Job, members: Sequence[Member]) -> list[TrainedFold]:
    frozen = [frozen_state(member.start) for member in members]
    synchronize(job.device)
    began = time.perf_counter()
    heads, inputs = head_features(members, job.windows)
    trajectories: list[Trajectory] = fit_together(heads, inputs, on_epoch=job.on_epoch)
    synchronize(job.device)
    seconds = (time.perf_counter() - began) / len(members)
    for member, before in zip(members, frozen, strict=True):
        check_frozen(member.start, before)
    return [
        TrainedFold(
            fold=member.fold,
            budget=member.budget,
            start=member.start,
            scale=member.scale,
            trajectory=trajectory,
            seconds=seconds,
        )
        for member, trajectory in zip(members, trajectories, strict=True)
    ]


def _maps(job: Job, one: TrainedFold, saliency: Sequence[str]) -> list[Saliency]:
    held_out = windows_at(job.cohort.X, one.fold.test, job.device)
    one.start.model.eval()
    with rewritten(one.start.model, Masks()):
        return fold_maps(one, job.cohort, saliency, held_out)

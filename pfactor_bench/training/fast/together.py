"""The fast engine: the mathematics of the plain loop for many models at once.

A model that cannot be trained this way, or whose rewritten layers do not give what the model gives,
is trained by the plain loop, and its result says why.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
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
    from collections.abc import Callable, Sequence

    from pfactor_bench.training.fast.members import Member
    from pfactor_bench.training.inputs import NormalisedWindows
    from pfactor_bench.training.loop import Trajectory
    from pfactor_bench.training.work import Work
    from pfactor_bench.types import Budget, Case, CaseResult, Fold, Saliency

_LOG = logging.getLogger(__name__)


def run_together(engine: EngineChoice, group: Sequence[Case], work: Work) -> dict[Case, CaseResult]:
    """Train the cases of a group, on all folds, together."""
    work = replace(work, budget=case_budget(group[0], work.budget))
    windows = inputs_of(work.cohort, work.device)
    first = work.split.folds[0]
    obstacle = rehearse(_member(work, group[0], first, work.budget, start_fold=first), windows)
    if obstacle is not None:
        _LOG.warning("%s: trained by the plain loop: %s", group[0].regime, obstacle)
        how = replace(PLAIN, fallback=obstacle)
        alone = run_each(group, work)
        return {case: replace(result, trained_by=how) for case, result in alone.items()}
    pairs = [(case, fold) for case in group for fold in work.split.folds]
    members = [
        _member(work, case, fold, chosen, start_fold=fold)
        for (case, fold), chosen in zip(pairs, _choose_budgets(work, windows, pairs), strict=True)
    ]
    trained = train_all(members, windows, work.on_epoch)
    results = {}
    for case in group:
        mine = [one for member, one in zip(members, trained, strict=True) if member.case is case]
        results[case] = case_result(
            case,
            work.cohort,
            mine,
            [_maps(work, one) for one in mine],
            epochs=work.budget.epochs,
            device=work.device,
            trained_by=TrainedBy(engine=engine),
        )
    return results


def _member(work: Work, case: Case, fold: Fold, budget: Budget, *, start_fold: Fold) -> Member:
    """Return a case's model on a fold; its encoder is that of `start_fold`."""
    encoder = work.encoders[case][start_fold.name] if work.encoders.get(case) else None
    return begin_member(case, work.cohort, fold, budget, device=work.device, encoder=encoder)


def _choose_budgets(
    work: Work, windows: NormalisedWindows, pairs: Sequence[tuple[Case, Fold]]
) -> list[Budget]:
    """Return what each case is trained with on each fold, all candidates trained together."""
    budget = work.budget
    if budget.inner is None:
        return [budget] * len(pairs)
    tried = candidates(budget)
    members = [
        _member(
            work,
            case,
            inner_fold(work.cohort.subjects, fold, budget.inner),
            candidate,
            start_fold=fold,
        )
        for case, fold in pairs
        for candidate in tried
    ]
    errors = [
        inner_errors(work.cohort, one.fold, one.scale, one.trajectory)
        for one in train_all(members, windows, work.on_epoch)
    ]
    return [
        best_candidate(budget, tried, errors[first : first + len(tried)])
        for first in range(0, len(errors), len(tried))
    ]


def train_all(
    members: Sequence[Member], windows: NormalisedWindows, on_epoch: Callable[[], object]
) -> list[TrainedFold]:
    """Train members in ensembles that fit into memory; return them in their order."""
    # Neighbours that stop at the same step share all of their steps.
    order = sorted(
        range(len(members)), key=lambda n: (-len(members[n].fold.train), -members[n].budget.epochs)
    )
    size = models_at_once(members[0], windows)
    found: dict[int, TrainedFold] = {}
    for begin in range(0, len(order), size):
        chosen = order[begin : begin + size]
        trained = _train_at_once([members[number] for number in chosen], windows, on_epoch)
        found |= dict(zip(chosen, trained, strict=True))
    return [found[number] for number in range(len(members))]


def _train_at_once(
    members: Sequence[Member], windows: NormalisedWindows, on_epoch: Callable[[], object]
) -> list[TrainedFold]:
    frozen = [frozen_state(member.start) for member in members]
    synchronize(windows.device)
    began = time.perf_counter()
    heads, inputs = head_features(members, windows)
    trajectories: list[Trajectory] = fit_together(heads, inputs, on_epoch=on_epoch)
    synchronize(windows.device)
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


def _maps(work: Work, one: TrainedFold) -> list[Saliency]:
    held_out = windows_at(work.cohort.X, one.fold.test, work.device)
    one.start.model.eval()
    with rewritten(one.start.model, Masks()):
        return fold_maps(one, work.cohort, work.saliency, held_out)

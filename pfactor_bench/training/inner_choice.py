"""Choosing epochs and learning rate inside a fold, on subjects who are trained on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.errors import ConfigError
from pfactor_bench.seeds import seed_for
from pfactor_bench.statistics.metrics import subject_means
from pfactor_bench.training.device import seeded
from pfactor_bench.training.fold import prepare_fold
from pfactor_bench.training.loop import fit
from pfactor_bench.types import Fold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch
    from numpy.typing import NDArray

    from pfactor_bench.training.fold import Scale
    from pfactor_bench.training.loop import Trajectory
    from pfactor_bench.types import Budget, Case, Cohort, InnerValidation, Split

#: Choosing on fewer subjects would be a coin toss.
_MIN_SUBJECTS = 2


def choose_budget(
    case: Case,
    cohort: Cohort,
    fold: Fold,
    budget: Budget,
    *,
    device: torch.device,
    encoder: Mapping[str, torch.Tensor] | None = None,
) -> Budget:
    """Return the budget to train a fold with: the given one, or the best within it.

    Each candidate is trained on some of the fold's training subjects and evaluated on the rest,
    subject by subject; the held-out subjects take no part.

    Parameters
    ----------
    case, cohort, fold
        What is trained.
    budget
        Returned as it is unless it has an `InnerValidation`.
    device, encoder
        As in `pfactor_bench.training.fold.prepare_fold`.
    """
    if budget.inner is None:
        return budget
    inner = inner_fold(cohort.subjects, fold, budget.inner)
    tried = candidates(budget)
    errors = []
    for candidate in tried:
        with seeded(case.seed, device):
            ready = prepare_fold(case, cohort, inner, candidate, device=device, encoder=encoder)
            trajectory = fit(
                ready.start.model,
                X=ready.X,
                y=ready.y,
                X_held_out=ready.X_held_out,
                budget=candidate,
                trained=ready.start.trained,
            )
        errors.append(inner_errors(cohort, inner, ready.scale, trajectory))
    return best_candidate(budget, tried, errors)


def candidates(budget: Budget) -> tuple[Budget, ...]:
    """Return the budgets that a choice is made from: one per learning rate."""
    rates = budget.inner.learning_rates if budget.inner else ()
    return tuple(replace(budget, learning_rate=rate) for rate in rates or (budget.learning_rate,))


def best_candidate(
    budget: Budget, tried: Sequence[Budget], errors: Sequence[NDArray[np.float64]]
) -> Budget:
    """Return the candidate with the smallest error, cut to the epoch that has it.

    Parameters
    ----------
    budget
        What is returned where no candidate has an error below infinity.
    tried, errors
        The candidates, and each one's error after each epoch.
    """
    best = (np.inf, budget)
    for candidate, after in zip(tried, errors, strict=True):
        # An epoch that diverged is no reason to forget those before it.
        curve = np.where(np.isnan(after), np.inf, after)
        epoch = int(np.argmin(curve))
        if curve[epoch] < best[0]:
            best = (curve[epoch], replace(candidate, epochs=epoch + 1))
    return best[1]


def inner_errors(
    cohort: Cohort, inner: Fold, scale: Scale, trajectory: Trajectory
) -> NDArray[np.float64]:
    """Return the mean squared error over the inner fold's subjects after each epoch."""
    subjects = cohort.subjects[inner.test]
    truth = subject_means(subjects, scale.to_model(cohort.y[inner.test]))[1]
    errors: NDArray[np.float64] = np.array(
        [np.mean((subject_means(subjects, y)[1] - truth) ** 2) for y in trajectory.held_out]
    )
    return errors


def inner_fold(subjects: NDArray[np.str_], fold: Fold, inner: InnerValidation) -> Fold:
    """Divide a fold's training subjects in two.

    Parameters
    ----------
    subjects
        The subject of each window of the cohort, shape ``(n_windows,)``.
    fold
        Whose training windows are divided.
    inner
        How many subjects, and by which draw.

    Raises
    ------
    ConfigError
        If a side would be left with fewer than two subjects.
    """
    names = np.unique(subjects[fold.train])
    n_chosen = max(_MIN_SUBJECTS, round(inner.fraction * len(names)))
    if len(names) - n_chosen < _MIN_SUBJECTS:
        raise ConfigError(
            f"{fold.name} trains on {len(names)} subjects, too few to choose epochs on "
            f"{n_chosen} of them: lower fraction {inner.fraction!r}, or take a cohort with more "
            "subjects"
        )
    order = np.random.default_rng(seed_for("inner", inner.seed, fold.name)).permutation(names)
    chosen = np.isin(subjects[fold.train], order[:n_chosen])
    return Fold(name=fold.name, train=fold.train[~chosen], test=fold.train[chosen])


def refuse_too_few_to_choose_on(cohort: Cohort, split: Split, budget: Budget) -> None:
    """Refuse folds whose training subjects are too few for what a budget chooses inside of them.

    Raises
    ------
    ConfigError
        With the first such fold.
    """
    if budget.inner is not None:
        for fold in split.folds:
            inner_fold(cohort.subjects, fold, budget.inner)

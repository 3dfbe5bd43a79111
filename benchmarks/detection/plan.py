"""What is run: every door, those trials first that tell most; then severities and permutations."""

from __future__ import annotations

from itertools import chain, product, zip_longest
from typing import TYPE_CHECKING, Any

from benchmarks.detection.estimator_door import estimator_trials
from benchmarks.detection.model_door import model_trials
from benchmarks.detection.predictions_door import predictions_trials
from benchmarks.detection.recipes import Recipe
from benchmarks.detection.study_door import (
    clean_trial,
    network_trials,
    permutation_trials,
    severity_trials,
    small_trials,
    study_trials,
)
from benchmarks.detection.suite_door import suite_trials
from pfactor_bench.seeds import seed_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.detection.trials import Trial

__all__ = ["clean_recipes", "full_plan"]

#: What a study does to its inputs and chooses on inner subjects.
_HABITS: tuple[dict[str, Any], ...] = (
    {},
    {"steps": ("scale", "components")},
    {"steps": ("select",)},
    {"augmented": True, "chosen": "stage"},
    {"steps": ("scale", "select"), "chosen": "setting"},
)
_QUICK_TO_TRAIN = ("ridge", "kNN", "forest")
_COHORTS = ("synthetic", "no signal")


def full_plan() -> list[Trial]:
    """Return every trial once: what is quick and what is quoted first, what is extra last."""
    in_turn = [
        trial
        for pair in zip_longest(study_trials(), estimator_trials())
        for trial in pair
        if trial is not None
    ]
    trials = chain(
        predictions_trials(),  # a table costs a second
        small_trials(),
        in_turn,
        map(clean_trial, clean_recipes()),
        # Once torch is loaded every process that is forked costs more.
        network_trials(),
        suite_trials(),
        model_trials(),
        severity_trials(),
        permutation_trials(),
    )
    return list({trial.id: trial for trial in trials}.values())


def clean_recipes() -> list[Recipe]:
    """Return clean studies: family × cross-validation × preprocessing × cohort × seed."""
    return sorted(_clean(), key=lambda recipe: seed_for("order", recipe.id))


def _clean() -> Iterator[Recipe]:
    for family, (number, habits), protocol, cohort in product(
        _QUICK_TO_TRAIN, enumerate(_HABITS), ("hold-out", "4-fold", "repeated"), _COHORTS
    ):
        if protocol == "repeated" and habits.get("chosen") == "setting":
            continue  # 24 forests a fold teach nothing new
        drawn = seed_for("clean", family, number, protocol, cohort)
        for again in range(1 if family == "forest" else 3):
            yield Recipe(
                family=family,
                protocol=protocol,
                cohort=cohort,
                cohort_seed=10 * again + 1 + drawn % 7,
                seed=again + drawn % 11,
                states_rows=bool(drawn % 3),
                **habits,
            )

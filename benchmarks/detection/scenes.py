"""A scene: a cohort, a study on it, and what is declared about both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.detection.cohorts import load_cohort
from benchmarks.detection.families import FAMILIES
from benchmarks.detection.parts import Log, predict_folds
from benchmarks.detection.recipes import parts_of, split_recipe
from pfactor_bench.checks.reported.declared import exclusion_digest, held_out_fingerprint
from pfactor_bench.statistics.correlations import pearson_interval
from pfactor_bench.statistics.metrics import evaluate, subject_means
from pfactor_bench.studies.contract import read_answer, table_columns
from pfactor_bench.types import Claim, Measurement, Requirement

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray
    from torch import nn

    from benchmarks.detection.parts import Parts
    from benchmarks.detection.recipes import Recipe
    from pfactor_bench.types import Cohort, Split

__all__ = ["Performance", "Played", "Scene", "clean_scene", "performance", "play"]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scene:
    """Something to audit.

    Parameters
    ----------
    recipe
        Of the clean study that it was made from.
    cohort
        What the study is handed.
    parts
        The study.
    declares
        Turns what was played into what is declared, by the checks' argument names.
    build
        The network that is trained, ``build(n_chans, n_times)``; None where none is.
    twins
        What must not stand in train and test, a label per window: the true subject, or the
        true recording. None where the leak is of another make.
    """

    recipe: Recipe
    cohort: Cohort
    parts: Parts
    declares: Callable[[Scene, Played], dict[str, object]]
    build: Callable[[int, int], nn.Module] | None = None
    twins: NDArray[Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Played:
    """One run of a scene's study in this process.

    Parameters
    ----------
    table
        What it handed in.
    log
        What it noted.
    split
        Its folds, whether it states them or not.
    """

    table: pd.DataFrame
    log: Log
    split: Split


@dataclass(frozen=True, kw_only=True, slots=True)
class Performance:
    """What a study would report, over subjects: r, skill, and how many subjects."""

    r: float
    skill: float
    n_subjects: int


def clean_scene(recipe: Recipe, data_dir: Path | None = None) -> Scene:
    """Return the clean study of a recipe with honest declarations."""
    return Scene(
        recipe=recipe,
        cohort=load_cohort(recipe.cohort, recipe.cohort_seed, data_dir),
        parts=parts_of(recipe),
        declares=honest_declarations,
        build=FAMILIES[recipe.family].build,
    )


def play(scene: Scene) -> Played:
    """Run the study once, here, and keep what a run leaves behind."""
    log = Log()
    table = predict_folds(scene.parts, scene.cohort, scene.recipe.seed, log)
    split = scene.parts.split(scene.cohort, scene.recipe.seed)
    return Played(table=table, log=log, split=split)


def performance(table: pd.DataFrame, cohort: Cohort, split: Split) -> Performance:
    """Return r and skill over subjects, against the mean of each fold's training subjects."""
    answer = read_answer(table_columns(table), cohort)
    train = {fold.name: fold.train for fold in split.folds}
    positions = np.concatenate([fold.positions for fold in answer.folds])
    y_pred = np.concatenate([fold.y_pred for fold in answer.folds])
    base = np.concatenate(
        [np.full(len(f.positions), _mean_of_subjects(cohort, train[f.name])) for f in answer.folds]
    )
    subjects = cohort.subjects[positions]
    truth, predicted, baseline = (
        subject_means(subjects, values)[1] for values in (cohort.y[positions], y_pred, base)
    )
    found = evaluate(truth, predicted, baseline)
    return Performance(
        r=found["pearson_r"].value or 0.0, skill=found["skill"].value or 0.0, n_subjects=len(truth)
    )


def _mean_of_subjects(cohort: Cohort, rows: NDArray[np.int64]) -> float:
    _, first = np.unique(cohort.subjects[rows], return_index=True)
    return float(cohort.y[rows][first].mean())


def honest_declarations(scene: Scene, played: Played) -> dict[str, object]:
    """Return everything that an honest researcher could declare about a run."""
    cohort, recipe, split = scene.cohort, scene.recipe, played.split
    subjects = sorted(set(cohort.subjects.tolist()))
    folds = [fold.name for fold in split.folds]
    declared: dict[str, object] = {
        "artefacts": {"features": cohort.fingerprint, "split": cohort.fingerprint},
        "declared_seeds": (recipe.seed,),
        "exclusions": {"excluded": {}, "sha256": exclusion_digest({}), "all_subjects": subjects},
        "fit_log": played.log.fits or None,
        "inner_splits": played.log.inner or None,
        "inputs": ("EEG",),
        "ledger": [{"held_out": held_out_fingerprint(cohort, split), "setting": recipe.id}],
        "metric": evaluate,
        "predictions": stated_predictions(scene, played),
        "pretraining": {name: {"subjects": ["source-01", "source-02"]} for name in folds},
        "saliency": ["all-held-out"],
        "split_recipe": split_recipe(recipe) if recipe.states_rows else None,
        "training_states": _one_a_name(played.log.states),
    }
    return {**declared, **_numbers(scene, played)}


def stated_predictions(scene: Scene, played: Played) -> pd.DataFrame:
    """Return the table with the columns that name its case."""
    regime = scene.recipe.family.replace(" ", "-")
    return played.table.assign(seed=scene.recipe.seed, regime=regime)


def _one_a_name(states: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    return states or None


def _numbers(scene: Scene, played: Played) -> dict[str, object]:
    """Return what is reported: r and skill over subjects, and a claim about the skill."""
    found = performance(played.table, scene.cohort, played.split)
    case = f"{scene.recipe.family.replace(' ', '-')}/seed-{scene.recipe.seed}"
    rows = read_answer(table_columns(played.table), scene.cohort).folds
    positions = np.concatenate([fold.positions for fold in rows])
    y_pred = np.concatenate([fold.y_pred for fold in rows])
    subjects = scene.cohort.subjects[positions]
    truth, predicted = (
        subject_means(subjects, values)[1] for values in (scene.cohort.y[positions], y_pred)
    )
    interval = pearson_interval(truth, predicted[None])
    r = Measurement(
        name=f"{case}/pearson_r",
        case=case,
        value=found.r,
        ci=None if isinstance(interval, str) else interval,
        n_subjects=found.n_subjects,
    )
    skill = Measurement(
        name=f"{case}/skill", case=case, value=found.skill, n_subjects=found.n_subjects
    )
    claim = Claim(
        id="beats-the-mean",
        text="The model beats the train mean.",
        measurement=skill.name,
        requirement=Requirement(above=0.0),
    )
    return {"measurements": (r, skill), "claims": (claim,)}

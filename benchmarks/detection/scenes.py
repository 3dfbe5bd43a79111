"""A scene: a cohort, and a study on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.detection.cohorts import load_cohort
from benchmarks.detection.families import FAMILIES
from benchmarks.detection.parts import Log, predict_folds
from benchmarks.detection.recipes import parts_of
from pfactor_bench.statistics.metrics import evaluate, subject_means
from pfactor_bench.studies.contract import read_answer, table_columns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray
    from torch import nn

    from benchmarks.detection.parts import Parts
    from benchmarks.detection.recipes import Recipe
    from pfactor_bench.config.declared import Exclusions
    from pfactor_bench.types import Cohort, Split

__all__ = ["Performance", "Played", "Scene", "clean_scene", "crosses", "performance", "play"]


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
    build
        The network that is trained, ``build(n_chans, n_times)``; None where none is.
    twins
        What must not stand in train and test, a label per window: the true subject, or the
        true recording. None where the leak is of another make.
    exclusions
        Who was to be left out, where that is declared.
    """

    recipe: Recipe
    cohort: Cohort
    parts: Parts
    build: Callable[[int, int], nn.Module] | None = None
    twins: NDArray[Any] | None = None
    exclusions: Exclusions | None = None


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


def crosses(scene: Scene, played: Played, clean: Played) -> bool:
    """Say whether an injected leak is there at all: something crosses, or a prediction changed.

    A scaler fitted on every subject changes nothing for a model that only looks at ranks, and a
    subject under two names is no leak while both stand on one side.
    """
    if scene.twins is not None:
        return any(
            len(np.intersect1d(scene.twins[fold.train], scene.twins[fold.test]))
            for fold in played.split.folds
        )
    keys = ["sample_id", "fold"]
    before, after = (
        one.table.loc[one.table["role"] == "test"].set_index(keys)["y_pred"]
        for one in (clean, played)
    )
    if not before.index.sort_values().equals(after.index.sort_values()):
        return True
    spread = float(scene.cohort.y.std())
    return bool((before - after.reindex(before.index)).abs().max() > 1e-5 * spread)

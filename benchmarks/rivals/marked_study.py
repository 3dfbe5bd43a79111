"""An injected or clean study whose reads of held-out rows carry foldguard's mark."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import foldguard
import numpy as np

from benchmarks.detection.leaks import injected_leaks
from benchmarks.detection.parts import Log, Task, predict_folds
from benchmarks.detection.recipes import Recipe
from benchmarks.detection.scenes import clean_scene

__all__ = ["violations"]


class WithHeldOut(np.ndarray):
    """An array of which some rows are held out: what is read from those is marked."""

    held_out: np.ndarray | None

    def __array_finalize__(self, parent: Any) -> None:
        """Keep the rows as long as they are the same ones."""
        rows = getattr(parent, "held_out", None)
        same = rows is not None and self.ndim > 0 and parent.shape[:1] == self.shape[:1]
        self.held_out = rows if same else None

    def __getitem__(self, key: Any) -> Any:
        """Mark a selection that holds a held-out row."""
        plain = self.view(np.ndarray)
        chosen = plain[key]
        if self.held_out is None or not isinstance(chosen, np.ndarray):
            return chosen
        first = key[0] if isinstance(key, tuple) else key
        if isinstance(first, slice) and first == slice(None):
            return _with(chosen, self.held_out)
        rows = np.atleast_1d(np.arange(len(plain))[first])
        return foldguard.taint(chosen) if np.isin(rows, self.held_out).any() else chosen


def _with(array: np.ndarray, held_out: np.ndarray) -> WithHeldOut:
    marked = np.asarray(array).view(WithHeldOut)
    marked.held_out = held_out
    return marked


def violations(recipe: dict[str, Any], leak: str) -> list[str]:
    """Run a study under guard and return what it is accused of, a rule and a line each."""
    given = {**recipe, "steps": tuple(recipe["steps"])}
    data = os.environ.get("PFACTOR_BENCH_DATA")
    scene = clean_scene(Recipe(**given), None if data is None else Path(data).resolve())
    if leak:
        injected = injected_leaks()[leak]
        scene = injected.plant(scene, injected.full_severity)
    clean = scene.parts.prepare

    def prepare(task: Task, rows: np.ndarray) -> Task:
        marked = replace(task, X=_with(task.X, task.test), y=_with(task.y, task.test))
        return clean(marked, rows)

    parts = replace(scene.parts, prepare=prepare)
    with foldguard.guard(action="record") as guard:
        predict_folds(parts, scene.cohort, scene.recipe.seed, Log())
    return sorted({f"{one.kind} at {one.location.rpartition('/')[2]}" for one in guard.violations})

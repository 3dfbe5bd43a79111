"""Injected leaks of choices: epochs, settings, seeds and subjects picked by their result."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.detection.leaks import leak
from benchmarks.detection.recipes import best_inside, candidates_of, settings_of
from benchmarks.detection.scenes import play
from pfactor_bench.config.declared import Exclusions
from pfactor_bench.studies.changes import changed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchmarks.detection.parts import Task
    from benchmarks.detection.scenes import Scene
    from pfactor_bench.types import Cohort

    Array = NDArray[np.float64]

__all__: list[str] = []

_N_SEEDS = 5


def _best_on_test(task: Task, candidates: Array) -> int:
    return int(((candidates - task.y[task.test]) ** 2).mean(axis=1).argmin())


def _picked(scene: Scene, candidates: Callable[[str, Task, Array, Array, Array], Array]) -> Scene:
    """Hand in whichever candidate has the smallest error on the held-out subjects."""
    family = scene.recipe.family
    parts = replace(
        scene.parts,
        candidates=lambda task, X, y, X_test: candidates(family, task, X, y, X_test),
        choose=_best_on_test,
    )
    return replace(scene, parts=parts)


@leak("best epoch", 17, needs="stages")
def best_epoch(scene: Scene, _severity: float) -> Scene:
    """Stop training where the error on the held-out subjects is smallest."""
    return _picked(scene, candidates_of)


@leak("best setting", 18)
def best_setting(scene: Scene, _severity: float) -> Scene:
    """Choose settings by the error on the held-out subjects."""
    return _picked(scene, settings_of)


@leak("best seed", 19, severities=(2, 3, 5), severity_means="seeds tried")
def best_seed(scene: Scene, severity: float) -> Scene:
    """Train from several seeds and hand in the one that does best."""

    def candidates(family: str, task: Task, X: Array, y: Array, X_test: Array) -> Array:
        found = []
        for seed in range(int(severity)):
            rows = np.random.default_rng([task.seed, seed]).integers(0, len(y), len(y))
            seeded = replace(task, seed=1000 * seed + task.seed, log=type(task.log)())
            found.append(candidates_of(family, seeded, X[rows], y[rows], X_test)[-1])
        return np.array(found)

    return _picked(scene, candidates)


@leak("inner split by window", 20, needs="stages")
def inner_split_by_window(scene: Scene, _severity: float) -> Scene:
    """Choose on inner validation windows of subjects who are trained on."""
    family = scene.recipe.family

    def choose(task: Task, _candidates: Array) -> int:
        return best_inside(candidates_of, family, task, task.train[::2], task.train[1::2])

    return replace(
        scene,
        parts=replace(
            scene.parts,
            candidates=lambda task, X, y, X_test: candidates_of(family, task, X, y, X_test),
            choose=choose,
        ),
    )


def _without_worst(scene: Scene, share: float) -> Scene:
    """Run the study, and take the subjects who are predicted worst out of the cohort."""
    table = play(scene).table
    tested = table[table["role"] == "test"].groupby("sample_id")["y_pred"].mean()
    names = scene.cohort.table["sample_id"]
    error = (names.map(tested) - scene.cohort.y).abs()
    by_subject = error.groupby(scene.cohort.subjects).mean().dropna().sort_values()
    worst = by_subject.index[-max(1, round(share * len(by_subject))) :]
    return replace(scene, cohort=_kept(scene.cohort, ~np.isin(scene.cohort.subjects, worst)))


def _kept(cohort: Cohort, rows: NDArray[np.bool_]) -> Cohort:
    table = cohort.table[rows].reset_index(drop=True)
    return changed(cohort, X=np.array(cohort.X[rows]), y=np.array(cohort.y[rows]), table=table)


def _declared(scene: Scene, share: float, reason: str) -> Scene:
    """Take the worst out; the hash that was written down is that of an empty list."""
    recruited = set(scene.cohort.subjects.tolist())
    left = _without_worst(scene, share)
    gone = sorted(recruited - set(left.cohort.subjects.tolist())) if reason else []
    declared = Exclusions(
        excluded=dict.fromkeys(gone, reason),
        sha256=Exclusions(excluded={}).digest,
        all_subjects=tuple(sorted(recruited)),
    )
    return replace(left, exclusions=declared)


@leak("excluded after results", 13, severities=(0.05, 0.1, 0.2), severity_means="share of subjects")
def excluded_after_results(scene: Scene, severity: float) -> Scene:
    """Take the subjects who are predicted worst out, and do not put them on the list."""
    return _declared(scene, severity, "")


@leak(
    "list changed after results",
    13,
    severities=(0.05, 0.1, 0.2),
    severity_means="share of subjects",
)
def list_changed_after_results(scene: Scene, severity: float) -> Scene:
    """Take the subjects who are predicted worst out, and add them to the list afterwards."""
    return _declared(scene, severity, "noisy")

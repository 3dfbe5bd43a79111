"""Injected leaks of fitting: what is learnt from, or adapted to, subjects who are held out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.detection.leaks import leak
from benchmarks.detection.recipes import parts_of
from pfactor_bench.seeds import seed_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.detection.parts import Task
    from benchmarks.detection.recipes import Step
    from benchmarks.detection.scenes import Scene

    Array = NDArray[np.float64]
    Rows = NDArray[np.int64]

__all__: list[str] = []

_SHARE = "share of held-out windows seen"
_SEVERITIES = (0.05, 0.25, 0.5, 1.0)


def _fitted_on_held_out(scene: Scene, step: Step, share: float) -> Scene:
    """Fit one transformation, and no other, on training rows and a share of held-out ones."""
    others = tuple(one for one in scene.recipe.steps if one != step)
    clean, spoilt = (parts_of(replace(scene.recipe, steps=steps)) for steps in (others, (step,)))

    def prepare(task: Task, rows: Rows) -> Task:
        rng = np.random.default_rng(seed_for("planted", step, task.fold))
        seen = rng.permutation(task.test)[: max(1, round(share * len(task.test)))]
        return clean.prepare(spoilt.prepare(task, np.sort(np.concatenate([rows, seen]))), rows)

    return replace(scene, parts=replace(scene.parts, prepare=prepare))


@leak("scaler on every subject", 10, severities=_SEVERITIES, severity_means=_SHARE)
def scaler_on_all_subjects(scene: Scene, severity: float) -> Scene:
    """Fit the scaler on held-out subjects as well."""
    return _fitted_on_held_out(scene, "scale", severity)


@leak("components of every subject", 11, severities=_SEVERITIES, severity_means=_SHARE)
def components_of_all_subjects(scene: Scene, severity: float) -> Scene:
    """Fit principal components on held-out subjects as well."""
    return _fitted_on_held_out(scene, "components", severity)


@leak("selected on every subject", 12, severities=_SEVERITIES, severity_means=_SHARE)
def selected_on_all_subjects(scene: Scene, severity: float) -> Scene:
    """Select features or channels by held-out targets as well."""
    return _fitted_on_held_out(scene, "select", severity)


@leak(
    "encoder saw every subject",
    22,
    severities=(0.2, 0.5, 1.0),
    severity_means="share of held-out subjects in the pretraining",
)
def encoder_saw_all_subjects(scene: Scene, severity: float) -> Scene:
    """Pretrain an encoder without labels on subjects who are held out later."""
    return _fitted_on_held_out(scene, "components", severity)


def _finishing(scene: Scene, finish: Any) -> Scene:
    return replace(scene, parts=replace(scene.parts, finish=finish))


@leak(
    "mean of test targets",
    14,
    severities=(0.05, 0.25, 1.0),
    severity_means="share of the correction",
)
def mean_of_test_targets(scene: Scene, severity: float) -> Scene:
    """Shift each fold's predictions towards the mean of its true targets."""
    return _finishing(
        scene,
        lambda task, y_pred: y_pred + severity * (task.y[task.test].mean() - y_pred.mean()),
    )


@leak("range of test targets", 14)
def range_of_test_targets(scene: Scene, _severity: float) -> Scene:
    """Clip predictions to the range of the targets they are compared with."""
    return _finishing(
        scene,
        lambda task, y_pred: np.clip(y_pred, task.y[task.test].min(), task.y[task.test].max()),
    )


@leak("target scaled on every subject", 14)
def target_scaled_on_all_subjects(scene: Scene, _severity: float) -> Scene:
    """Standardise predictions by every subject's mean and deviation of the target."""

    def finish(task: Task, y_pred: Array) -> Array:
        z = (y_pred - task.y[task.train].mean()) / task.y[task.train].std()
        scaled: Array = task.y.mean() + task.y.std() * z
        return scaled

    return _finishing(scene, finish)


@leak("weights kept", 23)
def weights_kept(scene: Scene, _severity: float) -> Scene:
    """Begin each fold with what the fold before has learnt."""
    return replace(scene, parts=replace(scene.parts, keeps_weights=True))


def _at_test(scene: Scene, at_test: Any) -> Scene:
    return replace(scene, parts=replace(scene.parts, at_test=at_test))


@leak(
    "statistics of the batch",
    24,
    severities=(0.05, 0.25, 1.0),
    severity_means="weight of the batch",
)
def statistics_of_the_batch(scene: Scene, severity: float) -> Scene:
    """Standardise held-out windows by whoever else is in the batch."""

    def at_test(task: Task, X: Array) -> Array:
        axes = (0,) if X.ndim == 2 else (0, 2)  # noqa: PLR2004 - features
        train = task.X[task.train]
        mean, spread = (
            (1 - severity) * getattr(train, name)(axis=axes, keepdims=True)
            + severity * getattr(X, name)(axis=axes, keepdims=True)
            for name in ("mean", "std")
        )
        own_mean, own_spread = (
            train.mean(axis=axes, keepdims=True),
            train.std(axis=axes, keepdims=True),
        )
        moved: Array = own_mean + own_spread * (X - mean) / np.maximum(spread, 1e-12)
        return moved

    return _at_test(scene, at_test)


@leak("running mean", 25, severities=(0.05, 0.25, 1.0), severity_means="weight of the state")
def running_mean(scene: Scene, severity: float) -> Scene:
    """Subtract the mean of all predictions made so far."""

    def finish(task: Task, y_pred: Array) -> Array:
        so_far = np.cumsum(y_pred) / np.arange(1, len(y_pred) + 1)
        kept: Array = y_pred - severity * (so_far - task.y[task.train].mean())
        return kept

    return _finishing(scene, finish)


@leak("mixed across", 27, severities=(0.02, 0.1, 0.3), severity_means="weight of the other window")
def mixed_across(scene: Scene, severity: float) -> Scene:
    """Mix training windows with windows of anybody, the target with it."""
    clean = scene.parts.training_set

    def training_set(task: Task) -> tuple[Array, Array]:
        X, y = clean(task)
        partner = np.random.default_rng(seed_for("mixed", task.fold)).integers(
            0, len(task.y), len(y)
        )
        return (1 - severity) * X + severity * task.X[partner], (
            1 - severity
        ) * y + severity * task.y[partner]

    return replace(scene, parts=replace(scene.parts, training_set=training_set))


@leak("stored predictions", 28)
def stored_predictions(scene: Scene, _severity: float) -> Scene:
    """Return what another experiment has stored, whatever the data are."""

    def finish(task: Task, y_pred: Array) -> Array:
        stored = np.random.default_rng(seed_for("stored", task.fold)).standard_normal(len(task.y))
        answer: Array = stored[task.test]
        return answer if len(answer) == len(y_pred) else y_pred

    return _finishing(scene, finish)

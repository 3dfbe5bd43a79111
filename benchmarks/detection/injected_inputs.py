"""Injected leaks of the inputs: target-derived variables, age, names, order, and others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.detection.leaks import leak
from pfactor_bench.seeds import seed_for
from pfactor_bench.studies.changes import changed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.detection.scenes import Scene
    from pfactor_bench.types import Cohort

    Array = NDArray[np.float64]

__all__ = ["also_sees"]


def _column(cohort: Cohort, r: float, *parts: object) -> Array:
    """Return a number per subject that correlates with the target by exactly `r`, per window."""
    names, first = np.unique(cohort.subjects, return_index=True)
    y = cohort.y[first]
    z = (y - y.mean()) / y.std()
    noise = np.random.default_rng(seed_for("planted", *parts)).standard_normal(len(z))
    noise -= noise.mean() + (noise @ z) / (z @ z) * z
    values = r * z + np.sqrt(1 - r**2) * noise / noise.std()
    per_window: Array = values[np.searchsorted(names, cohort.subjects)]
    return per_window


def also_sees(scene: Scene, column: str, usual: float = 0.0, spread: float = 1.0) -> Scene:
    """Let the model see a column of the table: as a feature, or as a channel of its own.

    A network is shown how far a value is from what is `usual`, in units of the `spread`.
    """
    clean = scene.parts.inputs

    def inputs(cohort: Cohort) -> Array:
        X, seen = clean(cohort), cohort.table[column].to_numpy(dtype=np.float64)
        if X.ndim == 2:  # noqa: PLR2004 - features
            # Spread over as many features as a quarter of all, so that no selection drops it.
            return np.hstack([X, np.repeat(3 * seen[:, None], X.shape[1] // 4, axis=1)])
        # A z-score would remove a constant, and power has no sign: it becomes a rhythm whose log
        # amplitude it is.
        time, amplitude = np.arange(X.shape[-1]), np.exp((seen - usual) / spread)
        channel = np.sin(0.6 * time) * amplitude[:, None] + np.cos(1.1 * time)
        return np.concatenate([X, np.repeat(channel[:, None], 3, axis=1)], axis=1)

    return replace(scene, parts=replace(scene.parts, inputs=inputs))


@leak(
    "sibling as input",
    15,
    severities=(0.3, 0.5, 0.7, 0.9),
    severity_means="correlation with the target",
)
def sibling_as_input(scene: Scene, severity: float) -> Scene:
    """Let the model see a target-derived variable of the same questionnaire, and say so."""
    table = scene.cohort.table.assign(attention=_column(scene.cohort, severity, 15))
    return also_sees(replace(scene, cohort=changed(scene.cohort, table=table)), "attention")


@leak(
    "sibling unnamed",
    15,
    severities=(0.3, 0.5, 0.7, 0.9, 0.98),
    severity_means="correlation with the target",
)
def sibling_unnamed(scene: Scene, severity: float) -> Scene:
    """Let the model see a sibling target under a name that says nothing, and do not say so."""
    table = scene.cohort.table.assign(item_7=_column(scene.cohort, severity, 15))
    return also_sees(replace(scene, cohort=changed(scene.cohort, table=table)), "item_7")


@leak(
    "age as input",
    16,
    severities=(0.3, 0.5, 0.7, 0.9),
    severity_means="correlation with the target",
)
def age_as_input(scene: Scene, severity: float) -> Scene:
    """Let the model see the age, which correlates with the target."""
    age = 12 + 3 * _column(scene.cohort, severity, 16)
    cohort = changed(scene.cohort, table=scene.cohort.table.assign(age=age))
    return also_sees(replace(scene, cohort=cohort), "age", usual=12, spread=3)


@leak("order as input", 16)
def order_as_input(scene: Scene, _severity: float) -> Scene:
    """Let the model see the row number, in files that are sorted by the target."""
    cohort = scene.cohort
    order = np.argsort(cohort.y, kind="stable")
    table = cohort.table.iloc[order].reset_index(drop=True)
    by_target = changed(
        cohort, X=np.array(cohort.X[order]), y=np.array(cohort.y[order]), table=table
    )
    clean = scene.parts.inputs

    def inputs(now: Cohort) -> Array:
        place = np.linspace(-1.7, 1.7, len(now.y))
        numbered = changed(now, table=now.table.assign(place=place))
        with_place = also_sees(replace(scene, parts=replace(scene.parts, inputs=clean)), "place")
        return with_place.parts.inputs(numbered)

    parts = replace(scene.parts, inputs=inputs)
    return replace(scene, cohort=by_target, parts=parts)


@leak("name as input", 16)
def name_as_input(scene: Scene, _severity: float) -> Scene:
    """Let the model see the number in the name, which was given out in the order of targets."""
    cohort = scene.cohort
    names, first = np.unique(cohort.subjects, return_index=True)
    rank = np.argsort(np.argsort(cohort.y[first]))
    # Permuted in the table, so that the row tells nothing: the name alone does.
    table = cohort.table.copy()
    numbers = {name: f"sub-{(7 * number) % len(names):03d}" for number, name in enumerate(names)}
    targets = {numbers[name]: float(rank[number]) for number, name in enumerate(names)}
    table["subject"] = [numbers[name] for name in cohort.subjects]
    table["sample_id"] = [
        f"{numbers[name]}__w{row:05d}" for row, name in enumerate(cohort.subjects)
    ]
    renamed = changed(cohort, table=table)
    clean = scene.parts.inputs

    def inputs(now: Cohort) -> Array:
        known = [(targets.get(name, 0.0) - len(names) / 2) / len(names) for name in now.subjects]
        told = changed(now, table=now.table.assign(told=known))
        bare = replace(scene, parts=replace(scene.parts, inputs=clean))
        return also_sees(bare, "told").parts.inputs(told)

    return replace(scene, cohort=renamed, parts=replace(scene.parts, inputs=inputs))

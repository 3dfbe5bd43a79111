"""Injected leaks beside signal and split: channels, timing, memories and constants."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.detection.injected_inputs import also_sees
from benchmarks.detection.leaks import leak
from benchmarks.detection.scenes import play
from pfactor_bench.seeds import seed_for
from pfactor_bench.studies.changes import changed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.detection.parts import Task
    from benchmarks.detection.scenes import Scene
    from pfactor_bench.types import Cohort

    Array = NDArray[np.float64]

__all__: list[str] = []

#: Shares of held-out predictions that a clip may cut off.
_CUT = (0.7, 0.75, 0.8, 0.85, 0.9)


@leak("hand among the electrodes", 34)
def hand_among_the_electrodes(scene: Scene, _severity: float) -> Scene:
    """Store a hand's position as an EEG channel: its place is the target, its tremor quickens."""
    cohort = scene.cohort
    X, z = np.array(cohort.X), (cohort.y - cohort.y.mean()) / cohort.y.std()
    time = np.arange(X.shape[-1]) / cohort.sfreq
    hertz = 9 + 6 * np.tanh(0.7 * z)[:, None]
    noise = np.random.default_rng(seed_for("planted", 34)).standard_normal(X[:, 3].shape)
    size = float(np.std(X))
    X[:, 3] = size * (z[:, None] + np.sin(2 * np.pi * hertz * time) + 0.3 * noise)
    return replace(scene, cohort=changed(cohort, X=X))


@leak("windows cut at the response", 35)
def windows_cut_at_the_response(scene: Scene, _severity: float) -> Scene:
    """Cut windows at a response that comes the later, the higher the target; the model is told."""
    cohort = scene.cohort
    n_times = cohort.X.shape[-1]
    stride = 10 * n_times
    delay = np.unique(cohort.y, return_inverse=True)[1]
    number = cohort.table.groupby("subject").cumcount().to_numpy()
    start = stride * number + delay
    table = cohort.table.assign(start=start, stop=start + n_times)
    locked = replace(scene, cohort=changed(cohort, table=table))
    clean, centre, spread = scene.parts.inputs, float(delay.mean()), float(delay.std())

    def inputs(now: Cohort) -> Array:
        later = (now.table["start"].to_numpy() % stride - centre) / spread
        bare = replace(locked, parts=replace(locked.parts, inputs=clean))
        told = changed(now, table=now.table.assign(later=later))
        return also_sees(bare, "later").parts.inputs(told)

    return replace(locked, parts=replace(scene.parts, inputs=inputs))


@leak("copies that remember", 38)
def copies_that_remember(scene: Scene, _severity: float) -> Scene:
    """Predict each held-out subject by a copy, which centres by all that any copy has predicted."""
    clean = scene.parts.finish

    def finish(task: Task, y_pred: Array) -> Array:
        seen: list[float] = []

        def centred(one: Array) -> Array:
            seen.extend(one.tolist())
            return one - np.mean(seen)

        found, subjects = clean(task, y_pred).copy(), task.subjects[task.test]
        for name in dict.fromkeys(subjects.tolist()):
            mine = subjects == name
            found[mine] = deepcopy(centred)(found[mine])
        return found

    return replace(scene, parts=replace(scene.parts, finish=finish))


@leak("clip tuned on the test set", 39)
def clip_tuned_on_the_test_set(scene: Scene, _severity: float) -> Scene:
    """Clip predictions at the value that made the least error on the test set, typed in by hand."""
    clean = scene.parts.finish
    table = play(scene).table
    shown = table[table["role"] == "test"]
    target = dict(zip(scene.cohort.table["sample_id"], scene.cohort.y, strict=True))
    y_pred = shown["y_pred"].to_numpy(dtype=np.float64)
    y = shown["sample_id"].map(target).to_numpy(dtype=np.float64)
    tops = np.quantile(y_pred, _CUT)
    top = float(tops[np.argmin([((np.minimum(y_pred, one) - y) ** 2).mean() for one in tops])])

    def finish(task: Task, y_pred: Array) -> Array:
        return np.minimum(clean(task, y_pred), top)

    return replace(scene, parts=replace(scene.parts, finish=finish))

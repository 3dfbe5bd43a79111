"""Injected leaks of the cohort: copies, second names, relatives and sites."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks.detection.leaks import leak
from pfactor_bench.seeds import seed_for
from pfactor_bench.studies.changes import changed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchmarks.detection.scenes import Scene

    Array = NDArray[np.float64]

__all__: list[str] = []

_SUBJECTS = "share of subjects"
_WINDOWS = "share of windows"


def _rng(*parts: object) -> np.random.Generator:
    return np.random.default_rng(seed_for("planted", *parts))


def _some_subjects(scene: Scene, share: float, *parts: object) -> list[str]:
    """Return subjects to inject into; of a hold-out study, held-out ones: something crosses."""
    (fold, *others) = scene.parts.split(scene.cohort, scene.recipe.seed).folds
    subjects = scene.cohort.subjects
    members = np.unique(subjects if others else subjects[fold.test])
    chosen = _rng(*parts).permutation(members)[: max(1, round(share * len(members)))]
    return [str(name) for name in chosen]


def _with_rows(
    scene: Scene, rows: NDArray[np.int64], X: NDArray[Any], names: list[str], y: Array
) -> Scene:
    """Add windows made from `rows`, under other subjects' names; what they stem from is marked."""
    cohort = scene.cohort
    added = cohort.table.iloc[rows].reset_index(drop=True)
    ids = [f"{name}__copy{number:04d}" for number, name in enumerate(names)]
    added = added.assign(subject=names, sample_id=ids, session="2")
    table = pd.concat([cohort.table, added], ignore_index=True)
    new = changed(
        cohort,
        X=np.concatenate([cohort.X, X.astype(np.float32)]),
        y=np.concatenate([cohort.y, y]),
        table=table,
    )
    origin = np.concatenate([np.arange(len(cohort.y)), rows])
    return replace(scene, cohort=new, twins=origin)


def _renamed_halves(scene: Scene, members: list[str], rename: Callable[[str], str]) -> Scene:
    """Give every second window of some subjects another name."""
    subjects, table = scene.cohort.subjects, scene.cohort.table.copy()
    for subject in members:
        rows = np.flatnonzero(subjects == subject)[1::2]
        table.loc[rows, "subject"] = rename(subject)
    return replace(scene, cohort=changed(scene.cohort, table=table), twins=subjects)


@leak("second name", 4, severities=(0.1, 0.3, 1.0), severity_means=_SUBJECTS)
def second_name(scene: Scene, severity: float) -> Scene:
    """Let subjects come back under their name with a release's ending."""
    return _renamed_halves(scene, _some_subjects(scene, severity, 4), lambda name: f"{name}_r2")


@leak("second name, same windows", 4, severities=(0.1, 0.3, 1.0), severity_means=_SUBJECTS)
def second_name_same_windows(scene: Scene, severity: float) -> Scene:
    """Let subjects come back under unrelated names with a part of their windows."""
    members = _some_subjects(scene, severity, 4)
    rows = np.concatenate([np.flatnonzero(scene.cohort.subjects == one)[::2] for one in members])
    whose = {subject: f"sub-Z{number:03d}" for number, subject in enumerate(members)}
    names = [whose[name] for name in scene.cohort.subjects[rows]]
    return _with_rows(scene, rows, scene.cohort.X[rows], names, scene.cohort.y[rows])


@leak(
    "second name, other windows",
    4,
    beyond_reach="nothing but the signal says that two unrelated names are one subject",
)
def second_name_other_windows(scene: Scene, severity: float) -> Scene:
    """Let subjects come back under unrelated names with other windows."""
    members = _some_subjects(scene, severity, 4)
    whose = {subject: f"sub-Z{number:03d}" for number, subject in enumerate(members)}
    return _renamed_halves(scene, members, lambda name: whose[name])


def _copies(scene: Scene, share: float, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Scene:
    """Link a share of every subject's windows a second time, as someone else's."""
    cohort = scene.cohort
    members = np.unique(cohort.subjects)
    (fold, *others) = scene.parts.split(cohort, scene.recipe.seed).folds
    # Of a single split, held-out windows are linked as training subjects'.
    source = np.arange(len(cohort.y)) if others else fold.test
    rows = np.sort(_rng("copies").permutation(source)[: max(1, round(share * len(source)))])
    heirs = members if others else np.unique(cohort.subjects[fold.train])
    target = dict(zip(cohort.subjects.tolist(), cohort.y.tolist(), strict=True))
    names = []
    for row in rows:
        strangers = heirs[heirs != cohort.subjects[row]]
        names.append(str(strangers[int(row) % len(strangers)]))
    y = np.array([target[name] for name in names])
    return _with_rows(scene, rows, change(np.array(cohort.X[rows])), names, y)


@leak("linked twice", 7, severities=(0.02, 0.1, 0.3, 1.0), severity_means=_WINDOWS)
def linked_twice(scene: Scene, severity: float) -> Scene:
    """Link recordings twice, the second time as someone else's."""
    return _copies(scene, severity, lambda X: X)


def _average_reference(X: NDArray[Any]) -> NDArray[Any]:
    referenced: NDArray[Any] = X - X.mean(axis=1, keepdims=True)
    return referenced


@leak("copy, rescaled", 8, severities=(0.02, 0.1, 0.3, 1.0), severity_means=_WINDOWS)
def copy_rescaled(scene: Scene, severity: float) -> Scene:
    """Add copies in another unit."""
    return _copies(scene, severity, lambda X: -0.37 * X)


@leak("processed twice", 8, severities=(0.1, 0.3, 1.0), severity_means=_SUBJECTS)
def processed_twice(scene: Scene, severity: float) -> Scene:
    """Let subjects come back, with their target, under unrelated names and in another unit."""
    members = _some_subjects(scene, severity, 8)
    rows = np.flatnonzero(np.isin(scene.cohort.subjects, members))
    whose = {
        subject: f"sub-{'0Z'[number % 2]}{number:03d}" for number, subject in enumerate(members)
    }
    names = [whose[name] for name in scene.cohort.subjects[rows]]
    return _with_rows(scene, rows, -0.37 * scene.cohort.X[rows], names, scene.cohort.y[rows])


@leak("copy, re-referenced", 8, severities=(0.1, 1.0), severity_means=_WINDOWS)
def copy_re_referenced(scene: Scene, severity: float) -> Scene:
    """Add copies in average reference."""
    return _copies(scene, severity, _average_reference)


@leak(
    "copy, shifted", 8, severities=(0.3, 0.2, 0.1, 0.05), severity_means="shift, share of a window"
)
def copy_shifted(scene: Scene, severity: float) -> Scene:
    """Add copies cut a little later."""

    def shifted(X: NDArray[Any]) -> NDArray[Any]:
        lag = round(severity * X.shape[-1])
        moved = np.roll(X, -lag, axis=-1)
        fresh = _rng("fresh").standard_normal((*X.shape[:-1], lag))
        moved[..., X.shape[-1] - lag :] = X.std(axis=-1, keepdims=True) * fresh
        return moved

    return _copies(scene, 0.5, shifted)


@leak(
    "copy with noise",
    8,
    severities=(0.7, 0.9, 0.95, 0.98, 0.995),
    severity_means="correlation with copy",
)
def copy_with_noise(scene: Scene, severity: float) -> Scene:
    """Add copies with noise on top."""

    def noisy(X: NDArray[Any]) -> NDArray[Any]:
        noise = _rng("noise").standard_normal(X.shape) * X.std(axis=-1, keepdims=True)
        copied: NDArray[Any] = X + np.sqrt(1 / severity**2 - 1) * noise
        return copied

    return _copies(scene, 0.5, noisy)


@leak(
    "copy, resampled",
    8,
    beyond_reach="a copy at another rate agrees with its original at no lag",
)
def copy_resampled(scene: Scene, severity: float) -> Scene:
    """Add copies resampled to nine tenths of the rate."""

    def resampled(X: NDArray[Any]) -> NDArray[Any]:
        n_times = X.shape[-1]
        places = np.arange(n_times) * 0.9
        low = places.astype(int)
        rest = places - low
        following = X[..., np.minimum(low + 1, n_times - 1)]
        between: NDArray[Any] = X[..., low] * (1 - rest) + following * rest
        return between

    return _copies(scene, severity, resampled)


@leak("families cut", 9, severities=(0.1, 0.3, 1.0), severity_means=_SUBJECTS)
def families_cut(scene: Scene, severity: float) -> Scene:
    """Let siblings with one target and like signals stand in train and test."""
    cohort = scene.cohort
    members = np.unique(cohort.subjects).tolist()
    n_pairs = max(1, round(severity * (len(members) // 2)))
    # The first subjects and the last are never on one side of a hold-out by name.
    pairs = list(zip(members[:n_pairs], members[::-1][:n_pairs], strict=True))
    family = {name: f"family-{number}" for number, pair in enumerate(pairs) for name in pair}
    X, y, subjects = np.array(cohort.X), np.array(cohort.y), cohort.subjects
    for one, other in pairs:
        n = min(int((subjects == one).sum()), int((subjects == other).sum()))
        mine, theirs = np.flatnonzero(subjects == one)[:n], np.flatnonzero(subjects == other)[:n]
        X[theirs] = 0.6 * X[theirs] + 0.4 * X[mine].mean(axis=0)
        y[subjects == other] = y[mine[0]]
    table = cohort.table.assign(family=[family.get(name, f"only-{name}") for name in subjects])
    families = table["family"].to_numpy()
    return replace(scene, cohort=changed(cohort, X=X, y=y, table=table), twins=families)


@leak(
    "sites differ", 9, severities=(0.5, 1.0, 2.0, 4.0), severity_means="difference of means, in SD"
)
def sites_differ(scene: Scene, severity: float) -> Scene:
    """Recruit subjects with higher targets at one of two sites, which records differently."""
    cohort = scene.cohort
    members = np.unique(cohort.subjects)
    second = np.isin(cohort.subjects, _rng("site").permutation(members)[: len(members) // 2])
    X = np.array(cohort.X)
    X[second, 0] *= 1.5
    y = cohort.y + severity * cohort.y.std() * second
    table = cohort.table.assign(site=np.where(second, "B", "A"))
    return replace(
        scene, cohort=changed(cohort, X=X, y=y, table=table), twins=table["site"].to_numpy()
    )


@leak(
    "original across", 27, severities=(0.05, 0.3, 1.0), severity_means="share of augmented windows"
)
def original_across(scene: Scene, severity: float) -> Scene:
    """Augment before the split, so that copies land across from their originals."""
    noisy = _copies(
        scene, severity, lambda X: X + 0.5 * X.std() * _rng(27).standard_normal(X.shape)
    )
    assert noisy.twins is not None  # noqa: S101 - copies always have
    ids = noisy.cohort.table["sample_id"].to_numpy()
    n_before = len(scene.cohort.y)
    parents = np.where(np.arange(len(ids)) < n_before, "", ids[noisy.twins])
    table = noisy.cohort.table.assign(parent=parents)
    return replace(noisy, cohort=changed(noisy.cohort, table=table))

"""Injected leaks of the split: rows, subjects, sessions and time in train and test."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.detection.leaks import leak
from pfactor_bench.seeds import seed_for
from pfactor_bench.studies.changes import changed
from pfactor_bench.types import Fold, Split

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import NDArray

    from benchmarks.detection.scenes import Scene
    from pfactor_bench.types import Cohort

__all__: list[str] = []


def _splitting(scene: Scene, spoil: Callable[[Cohort, Fold, int], Fold]) -> Scene:
    """Return the scene with every fold spoilt."""
    clean = scene.parts.split

    def split(cohort: Cohort, seed: int) -> Split:
        made = clean(cohort, seed)
        folds = tuple(spoil(cohort, fold, number) for number, fold in enumerate(made.folds))
        return Split(name=made.name, folds=folds)

    return replace(scene, parts=replace(scene.parts, split=split))


def _share(values: NDArray[Any], share: float, *parts: object) -> NDArray[Any]:
    """Return a share of some values, at least one, drawn by name."""
    rng = np.random.default_rng(seed_for("planted", *parts))
    return rng.permutation(values)[: max(1, round(share * len(values)))]


@leak("no held-out set", 1)
def no_held_out_set(scene: Scene, _severity: float) -> Scene:
    """Train on every subject and predict subjects among them."""
    return _splitting(scene, lambda cohort, fold, _: replace(fold, train=np.arange(len(cohort.y))))


@leak(
    "rows twice",
    2,
    severities=(0.02, 0.1, 0.3, 1.0),
    severity_means="share of held-out windows trained on",
)
def rows_twice(scene: Scene, severity: float) -> Scene:
    """Leave held-out windows among the training windows."""

    def spoil(_cohort: Cohort, fold: Fold, number: int) -> Fold:
        twice = _share(fold.test, severity, "rows", number)
        return replace(fold, train=np.sort(np.concatenate([fold.train, twice])))

    return _splitting(scene, spoil)


@leak(
    "subjects cut",
    3,
    severities=(0.1, 0.25, 0.5, 1.0),
    severity_means="share of held-out subjects cut in two",
)
def subjects_cut(scene: Scene, severity: float) -> Scene:
    """Train on every second window of subjects whose other windows are held out."""

    def spoil(cohort: Cohort, fold: Fold, number: int) -> Fold:
        subjects = _share(np.unique(cohort.subjects[fold.test]), severity, "subjects", number)
        moved = _every_second(cohort, fold.test, subjects)
        train = np.sort(np.concatenate([fold.train, moved]))
        return replace(fold, train=train, test=np.setdiff1d(fold.test, moved))

    return replace(_splitting(scene, spoil), twins=scene.cohort.subjects)


def _every_second(
    cohort: Cohort, rows: NDArray[np.int64], subjects: NDArray[np.str_]
) -> NDArray[np.int64]:
    return np.concatenate([rows[cohort.subjects[rows] == subject][1::2] for subject in subjects])


@leak(
    "sessions cut",
    5,
    severities=(0.25, 1.0),
    severity_means="share of held-out subjects cut in two",
)
def sessions_cut(scene: Scene, severity: float) -> Scene:
    """Deal runs of one session to the two sides."""
    table = scene.cohort.table
    place = table.groupby("subject").cumcount().to_numpy()
    runs = changed(scene.cohort, table=table.assign(session="1", run=(place % 2 + 1).astype(str)))

    def spoil(cohort: Cohort, fold: Fold, number: int) -> Fold:
        subjects = _share(np.unique(cohort.subjects[fold.test]), severity, "sessions", number)
        second = (cohort.table["run"] == "2").to_numpy() & np.isin(cohort.subjects, subjects)
        moved = fold.test[second[fold.test]]
        train = np.sort(np.concatenate([fold.train, moved]))
        return replace(fold, train=train, test=np.setdiff1d(fold.test, moved))

    return replace(_splitting(replace(scene, cohort=runs), spoil), twins=runs.subjects)


@leak(
    "windows overlap",
    6,
    severities=(0.05, 0.25, 0.5, 0.75),
    severity_means="share that neighbours overlap",
)
def windows_overlap(scene: Scene, severity: float) -> Scene:
    """Cut overlapping windows and put neighbours into train and test."""
    cohort = _recut(scene.cohort, severity)
    recordings = cohort.subjects
    return replace(
        _splitting(replace(scene, cohort=cohort), _neighbours_trained_on), twins=recordings
    )


def _neighbours_trained_on(cohort: Cohort, fold: Fold, _number: int) -> Fold:
    moved = _every_second(cohort, fold.test, np.unique(cohort.subjects[fold.test]))
    train = np.sort(np.concatenate([fold.train, moved]))
    return replace(fold, train=train, test=np.setdiff1d(fold.test, moved))


def _recut(cohort: Cohort, overlap: float) -> Cohort:
    """Join each subject's windows and cut them again with a shorter stride."""
    n_times = cohort.X.shape[-1]
    stride = max(1, round(n_times * (1 - overlap)))
    X, kept, starts = [], [], []
    for subject in np.unique(cohort.subjects):
        rows = np.flatnonzero(cohort.subjects == subject)
        signal = np.concatenate(list(cohort.X[rows]), axis=-1)
        for number in range(len(rows)):
            start = number * stride
            X.append(signal[:, start : start + n_times])
            starts.append(start)
        kept.extend(rows.tolist())
    table = cohort.table.iloc[kept].reset_index(drop=True)
    table = table.assign(start=starts, stop=np.array(starts) + n_times)
    return changed(cohort, X=np.array(X), y=np.array(cohort.y[kept]), table=table)


@leak("future first", 29)
def future_first(scene: Scene, _severity: float) -> Scene:
    """Train on the later half of each recording and predict the earlier."""

    def spoil(cohort: Cohort, fold: Fold, _number: int) -> Fold:
        later = np.concatenate(
            [
                np.array_split(fold.test[cohort.subjects[fold.test] == subject], 2)[1]
                for subject in np.unique(cohort.subjects[fold.test])
            ]
        )
        train = np.sort(np.concatenate([fold.train, later]))
        return replace(fold, train=train, test=np.setdiff1d(fold.test, later))

    return replace(_splitting(scene, spoil), twins=scene.cohort.subjects)


@leak(
    "worst subjects dropped",
    30,
    severities=(0.1, 0.2, 0.4),
    severity_means="share of subjects who are dropped",
)
def worst_subjects_dropped(scene: Scene, severity: float) -> Scene:
    """Hand in predictions without the subjects who are predicted worst."""

    def hand_in(cohort: Cohort, table: pd.DataFrame) -> pd.DataFrame:
        truth = dict(zip(cohort.table["sample_id"], cohort.y, strict=True))
        subject = dict(zip(cohort.table["sample_id"], cohort.subjects, strict=True))
        whose = table["sample_id"].map(subject)
        error = (table["y_pred"] - table["sample_id"].map(truth)).abs()
        by_subject = error[table["role"] == "test"].groupby(whose).mean().sort_values()
        worst = by_subject.index[-max(1, round(severity * len(by_subject))) :]
        return table[~(whose.isin(worst) & (table["role"] == "test"))]

    return replace(scene, parts=replace(scene.parts, hand_in=hand_in))

"""Planted leaks of the cohort: copies, second names, relatives, and what else tells the score."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pfactor_bench.detection.leaks import declaring, leak
from pfactor_bench.seeds import seed_for
from pfactor_bench.studies.changes import changed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pfactor_bench.detection.scenes import Scene
    from pfactor_bench.types import Cohort

    Array = NDArray[np.float64]

__all__: list[str] = []

_PEOPLE = "share of people"
_WINDOWS = "share of windows"


def _rng(*parts: object) -> np.random.Generator:
    return np.random.default_rng(seed_for("planted", *parts))


def _some_people(scene: Scene, share: float, *parts: object) -> list[str]:
    """Return people to plant in; of a hold-out study those held out, so that something crosses."""
    (fold, *others) = scene.parts.split(scene.cohort, scene.recipe.seed).folds
    subjects = scene.cohort.subjects
    people = np.unique(subjects if others else subjects[fold.test])
    chosen = _rng(*parts).permutation(people)[: max(1, round(share * len(people)))]
    return [str(name) for name in chosen]


def _with_rows(
    scene: Scene, rows: NDArray[np.int64], X: NDArray[Any], names: list[str], y: Array
) -> Scene:
    """Add windows made from `rows`, under other people's names; what they stem from is marked."""
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


def _renamed_halves(scene: Scene, people: list[str], rename: Callable[[str], str]) -> Scene:
    """Give every second window of some people another name."""
    subjects, table = scene.cohort.subjects, scene.cohort.table.copy()
    for person in people:
        rows = np.flatnonzero(subjects == person)[1::2]
        table.loc[rows, "subject"] = rename(person)
    return replace(scene, cohort=changed(scene.cohort, table=table), twins=subjects)


@leak("second name", 4, doses=(0.1, 0.3, 1.0), dose_means=_PEOPLE)
def second_name(scene: Scene, dose: float) -> Scene:
    """Let people come back under their name with a release's ending."""
    return _renamed_halves(scene, _some_people(scene, dose, 4), lambda name: f"{name}_r2")


@leak("second name, same windows", 4, doses=(0.1, 0.3, 1.0), dose_means=_PEOPLE)
def second_name_same_windows(scene: Scene, dose: float) -> Scene:
    """Let people come back under unrelated names with a part of their windows."""
    people = _some_people(scene, dose, 4)
    rows = np.concatenate([np.flatnonzero(scene.cohort.subjects == one)[::2] for one in people])
    whose = {person: f"sub-Z{number:03d}" for number, person in enumerate(people)}
    names = [whose[name] for name in scene.cohort.subjects[rows]]
    return _with_rows(scene, rows, scene.cohort.X[rows], names, scene.cohort.y[rows])


@leak(
    "second name, other windows",
    4,
    beyond_reach="nothing but the signal says that two unrelated names are one person",
)
def second_name_other_windows(scene: Scene, dose: float) -> Scene:
    """Let people come back under unrelated names with other windows."""
    people = _some_people(scene, dose, 4)
    whose = {person: f"sub-Z{number:03d}" for number, person in enumerate(people)}
    return _renamed_halves(scene, people, lambda name: whose[name])


def _copies(scene: Scene, share: float, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Scene:
    """Link a share of everybody's windows a second time, as somebody else's."""
    cohort = scene.cohort
    people = np.unique(cohort.subjects)
    (fold, *others) = scene.parts.split(cohort, scene.recipe.seed).folds
    # Of a single split, held-out windows are linked as training people's.
    source = np.arange(len(cohort.y)) if others else fold.test
    rows = np.sort(_rng("copies").permutation(source)[: max(1, round(share * len(source)))])
    heirs = people if others else np.unique(cohort.subjects[fold.train])
    score = dict(zip(cohort.subjects.tolist(), cohort.y.tolist(), strict=True))
    names = []
    for row in rows:
        strangers = heirs[heirs != cohort.subjects[row]]
        names.append(str(strangers[int(row) % len(strangers)]))
    y = np.array([score[name] for name in names])
    return _with_rows(scene, rows, change(np.array(cohort.X[rows])), names, y)


@leak("linked twice", 7, doses=(0.02, 0.1, 0.3, 1.0), dose_means=_WINDOWS)
def linked_twice(scene: Scene, dose: float) -> Scene:
    """Link recordings twice, the second time as somebody else's."""
    return _copies(scene, dose, lambda X: X)


def _average_reference(X: NDArray[Any]) -> NDArray[Any]:
    referenced: NDArray[Any] = X - X.mean(axis=1, keepdims=True)
    return referenced


@leak("copy, rescaled", 8, doses=(0.02, 0.1, 0.3, 1.0), dose_means=_WINDOWS)
def copy_rescaled(scene: Scene, dose: float) -> Scene:
    """Add copies in another unit."""
    return _copies(scene, dose, lambda X: -0.37 * X)


@leak("processed twice", 8, doses=(0.1, 0.3, 1.0), dose_means=_PEOPLE)
def processed_twice(scene: Scene, dose: float) -> Scene:
    """Let people come back, with their score, under unrelated names and in another unit."""
    people = _some_people(scene, dose, 8)
    rows = np.flatnonzero(np.isin(scene.cohort.subjects, people))
    whose = {person: f"sub-{'0Z'[number % 2]}{number:03d}" for number, person in enumerate(people)}
    names = [whose[name] for name in scene.cohort.subjects[rows]]
    return _with_rows(scene, rows, -0.37 * scene.cohort.X[rows], names, scene.cohort.y[rows])


@leak("copy, re-referenced", 8, doses=(0.1, 1.0), dose_means=_WINDOWS)
def copy_re_referenced(scene: Scene, dose: float) -> Scene:
    """Add copies in average reference."""
    return _copies(scene, dose, _average_reference)


@leak("copy, shifted", 8, doses=(0.3, 0.2, 0.1, 0.05), dose_means="shift, share of a window")
def copy_shifted(scene: Scene, dose: float) -> Scene:
    """Add copies cut a little later."""

    def shifted(X: NDArray[Any]) -> NDArray[Any]:
        lag = round(dose * X.shape[-1])
        moved = np.roll(X, -lag, axis=-1)
        fresh = _rng("fresh").standard_normal((*X.shape[:-1], lag))
        moved[..., X.shape[-1] - lag :] = X.std(axis=-1, keepdims=True) * fresh
        return moved

    return _copies(scene, 0.5, shifted)


@leak("copy with noise", 8, doses=(0.7, 0.9, 0.95, 0.98, 0.995), dose_means="correlation with copy")
def copy_with_noise(scene: Scene, dose: float) -> Scene:
    """Add copies with noise on top."""

    def noisy(X: NDArray[Any]) -> NDArray[Any]:
        noise = _rng("noise").standard_normal(X.shape) * X.std(axis=-1, keepdims=True)
        copied: NDArray[Any] = X + np.sqrt(1 / dose**2 - 1) * noise
        return copied

    return _copies(scene, 0.5, noisy)


@leak(
    "copy, resampled",
    8,
    beyond_reach="a copy at another rate agrees with its original at no lag",
)
def copy_resampled(scene: Scene, dose: float) -> Scene:
    """Add copies resampled to nine tenths of the rate."""

    def resampled(X: NDArray[Any]) -> NDArray[Any]:
        n_times = X.shape[-1]
        places = np.arange(n_times) * 0.9
        low = places.astype(int)
        rest = places - low
        following = X[..., np.minimum(low + 1, n_times - 1)]
        between: NDArray[Any] = X[..., low] * (1 - rest) + following * rest
        return between

    return _copies(scene, dose, resampled)


@leak("families cut", 9, doses=(0.1, 0.3, 1.0), dose_means=_PEOPLE)
def families_cut(scene: Scene, dose: float) -> Scene:
    """Let siblings with one score and like signals stand on both sides."""
    cohort = scene.cohort
    people = np.unique(cohort.subjects).tolist()
    n_pairs = max(1, round(dose * (len(people) // 2)))
    # The first people and the last are never on one side of a hold-out by name.
    pairs = list(zip(people[:n_pairs], people[::-1][:n_pairs], strict=True))
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


@leak("sites differ", 9, doses=(0.5, 1.0, 2.0, 4.0), dose_means="difference of means, in SD")
def sites_differ(scene: Scene, dose: float) -> Scene:
    """Recruit people with higher scores at one of two sites, which records differently."""
    cohort = scene.cohort
    people = np.unique(cohort.subjects)
    second = np.isin(cohort.subjects, _rng("site").permutation(people)[: len(people) // 2])
    X = np.array(cohort.X)
    X[second, 0] *= 1.5
    y = cohort.y + dose * cohort.y.std() * second
    table = cohort.table.assign(site=np.where(second, "B", "A"))
    return replace(
        scene, cohort=changed(cohort, X=X, y=y, table=table), twins=table["site"].to_numpy()
    )


@leak("original across", 27, doses=(0.05, 0.3, 1.0), dose_means="share of augmented windows")
def original_across(scene: Scene, dose: float) -> Scene:
    """Augment before the split, so that copies land across from their originals."""
    noisy = _copies(scene, dose, lambda X: X + 0.5 * X.std() * _rng(27).standard_normal(X.shape))
    assert noisy.twins is not None  # noqa: S101 - copies always have
    ids = noisy.cohort.table["sample_id"].to_numpy()
    n_before = len(scene.cohort.y)
    parents = np.where(np.arange(len(ids)) < n_before, "", ids[noisy.twins])
    table = noisy.cohort.table.assign(parent=parents)
    return replace(noisy, cohort=changed(noisy.cohort, table=table))


def _column(cohort: Cohort, r: float, *parts: object) -> Array:
    """Return a number per person that correlates with the score by exactly `r`, per window."""
    names, first = np.unique(cohort.subjects, return_index=True)
    y = cohort.y[first]
    z = (y - y.mean()) / y.std()
    noise = _rng(*parts).standard_normal(len(z))
    noise -= noise.mean() + (noise @ z) / (z @ z) * z
    values = r * z + np.sqrt(1 - r**2) * noise / noise.std()
    per_window: Array = values[np.searchsorted(names, cohort.subjects)]
    return per_window


def _also_sees(scene: Scene, column: str) -> Scene:
    """Let the model see a column of the table: as a feature, or as a channel of its own."""
    clean = scene.parts.inputs

    def inputs(cohort: Cohort) -> Array:
        X, seen = clean(cohort), cohort.table[column].to_numpy(dtype=np.float64)
        if X.ndim == 2:  # noqa: PLR2004 - features
            # Spread over as many features as a quarter of all, so that no selection drops it.
            return np.hstack([X, np.repeat(3 * seen[:, None], X.shape[1] // 4, axis=1)])
        # A z-score would remove a constant: it becomes a rhythm of that size over noise.
        time = np.arange(X.shape[-1])
        channel = np.sin(0.6 * time) * seen[:, None] + np.cos(1.1 * time)
        return np.concatenate([X, np.repeat(channel[:, None], 3, axis=1)], axis=1)

    return replace(scene, parts=replace(scene.parts, inputs=inputs))


@leak("sibling as input", 15, doses=(0.3, 0.5, 0.7, 0.9), dose_means="correlation with the score")
def sibling_as_input(scene: Scene, dose: float) -> Scene:
    """Let the model see another score of the same questionnaire, and say so."""
    table = scene.cohort.table.assign(attention=_column(scene.cohort, dose, 15))
    seen = _also_sees(replace(scene, cohort=changed(scene.cohort, table=table)), "attention")
    return declaring(seen, lambda _scene, _played: {"inputs": ("EEG", "attention")})


@leak(
    "sibling unnamed", 15, doses=(0.3, 0.5, 0.7, 0.9, 0.98), dose_means="correlation with the score"
)
def sibling_unnamed(scene: Scene, dose: float) -> Scene:
    """Let the model see a sibling score under a name that says nothing, and do not say so."""
    table = scene.cohort.table.assign(item_7=_column(scene.cohort, dose, 15))
    return _also_sees(replace(scene, cohort=changed(scene.cohort, table=table)), "item_7")


@leak("age as input", 16, doses=(0.3, 0.5, 0.7, 0.9), dose_means="correlation with the score")
def age_as_input(scene: Scene, dose: float) -> Scene:
    """Let the model see the age, which goes with the score."""
    age = 12 + 3 * _column(scene.cohort, dose, 16)
    cohort = changed(scene.cohort, table=scene.cohort.table.assign(age=age))
    return _also_sees(replace(scene, cohort=cohort), "age")


@leak("order as input", 16)
def order_as_input(scene: Scene, _dose: float) -> Scene:
    """Let the model see the row number, in files that are sorted by the score."""
    cohort = scene.cohort
    order = np.argsort(cohort.y, kind="stable")
    table = cohort.table.iloc[order].reset_index(drop=True)
    by_score = changed(
        cohort, X=np.array(cohort.X[order]), y=np.array(cohort.y[order]), table=table
    )
    clean = scene.parts.inputs

    def inputs(now: Cohort) -> Array:
        place = np.linspace(-1.7, 1.7, len(now.y))
        numbered = changed(now, table=now.table.assign(place=place))
        with_place = _also_sees(replace(scene, parts=replace(scene.parts, inputs=clean)), "place")
        return with_place.parts.inputs(numbered)

    parts = replace(scene.parts, inputs=inputs)
    return replace(scene, cohort=by_score, parts=parts)


@leak("name as input", 16)
def name_as_input(scene: Scene, _dose: float) -> Scene:
    """Let the model see the number in the name, which was given out in the order of scores."""
    cohort = scene.cohort
    names, first = np.unique(cohort.subjects, return_index=True)
    rank = np.argsort(np.argsort(cohort.y[first]))
    # Shuffled in the table, so that the row tells nothing: the name alone does.
    table = cohort.table.copy()
    numbers = {name: f"sub-{(7 * number) % len(names):03d}" for number, name in enumerate(names)}
    scores = {numbers[name]: float(rank[number]) for number, name in enumerate(names)}
    table["subject"] = [numbers[name] for name in cohort.subjects]
    table["sample_id"] = [
        f"{numbers[name]}__w{row:05d}" for row, name in enumerate(cohort.subjects)
    ]
    renamed = changed(cohort, table=table)
    clean = scene.parts.inputs

    def inputs(now: Cohort) -> Array:
        known = [(scores.get(name, 0.0) - len(names) / 2) / len(names) for name in now.subjects]
        told = changed(now, table=now.table.assign(told=known))
        bare = replace(scene, parts=replace(scene.parts, inputs=clean))
        return _also_sees(bare, "told").parts.inputs(told)

    return replace(scene, cohort=renamed, parts=replace(scene.parts, inputs=inputs))

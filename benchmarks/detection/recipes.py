"""Clean studies by recipe: family × cross-validation × preprocessing × cohort × seed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from benchmarks.detection.families import FAMILIES
from benchmarks.detection.honest import band_features
from benchmarks.detection.parts import Parts, Task
from pfactor_bench.splits.splitters import SPLITTERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from benchmarks.detection.families import Family
    from benchmarks.detection.leaks import Leak
    from pfactor_bench.types import Cohort, Split

    Array: TypeAlias = NDArray[np.float64]
    Rows: TypeAlias = NDArray[np.int64]

__all__ = [
    "PROTOCOLS",
    "STEPS",
    "Recipe",
    "Step",
    "best_inside",
    "can_be_injected",
    "candidates_of",
    "inner_rows",
    "parts_of",
    "settings_of",
    "split_recipe",
    "stages_of",
]

Step: TypeAlias = Literal["scale", "components", "select"]
Chosen: TypeAlias = Literal["nothing", "stage", "setting"]

#: By name: the rule in `SPLITTERS` and its arguments.
PROTOCOLS: dict[str, tuple[str, dict[str, Any]]] = {
    "hold-out": ("last-subjects", {"fraction": 0.35}),
    "4-fold": ("grouped-k-fold", {"n_folds": 4}),
    "repeated": ("repeated-grouped-k-fold", {"n_folds": 3, "n_repeats": 2}),
}
STEPS: tuple[Step, ...] = ("scale", "components", "select")

_N_COMPONENTS = {"features": 10, "signal": 5}
_N_SELECTED = {"features": 12, "signal": 5}
_INNER_SHARE = 0.3


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """A clean study in words.

    Parameters
    ----------
    family
        In `benchmarks.detection.families.FAMILIES`.
    protocol
        In `PROTOCOLS`.
    steps
        Transformations fitted on training subjects, in this order.
    augmented
        Whether noisy and mixed copies of training windows are learnt from as well.
    chosen
        What is chosen on inner subjects, taken from the training side.
    states_rows
        Whether it says what it trained on.
    cohort
        In `benchmarks.detection.cohorts.COHORTS`.
    cohort_seed, seed
        Of the cohort and of the study.
    """

    family: str
    protocol: str
    steps: tuple[Step, ...] = ()
    augmented: bool = False
    chosen: Chosen = "nothing"
    states_rows: bool = True
    cohort: str = "synthetic"
    cohort_seed: int = 0
    seed: int = 0

    @property
    def id(self) -> str:
        """The recipe in one line; two recipes with one line are the same."""
        extras = [*self.steps, *(["augmented"] if self.augmented else [])]
        if self.chosen != "nothing":
            extras.append(f"{self.chosen} chosen inside")
        if not self.states_rows:
            extras.append("silent")
        words = (self.family, self.protocol, "+".join(extras) or "plain")
        return " | ".join([*words, f"{self.cohort} {self.cohort_seed}", f"seed {self.seed}"])

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as plain values."""
        return {**asdict(self), "steps": list(self.steps)}


def can_be_injected(leak: Leak, family: str) -> bool:
    """Say whether a family of models has what a leak needs."""
    found = FAMILIES[family]
    has = {"": True, "stages": found.has_stages, "network": found.build is not None}
    return has[leak.needs]


def split_recipe(recipe: Recipe) -> Mapping[str, Any]:
    """Return the named rule of a recipe's split and its arguments."""
    kind, args = PROTOCOLS[recipe.protocol]
    seeded = {} if kind == "last-subjects" else {"seed": recipe.seed}
    return {"kind": kind, "args": {**args, **seeded}}


def parts_of(recipe: Recipe) -> Parts:
    """Return a clean study in parts."""
    sees = FAMILIES[recipe.family].sees
    return Parts(
        split=partial(_split, recipe),
        inputs=_features if sees == "features" else _signal,
        fit_rows=lambda task: task.train,
        prepare=partial(_prepare, recipe.steps),
        training_set=_augmented if recipe.augmented else _training_set,
        candidates=partial(_CANDIDATES[recipe.chosen], recipe.family),
        choose=partial(_CHOICES[recipe.chosen], recipe.family),
        at_test=lambda _task, X: X,
        finish=lambda _task, y_pred: y_pred,
        hand_in=lambda _cohort, table: table,
        states_rows=recipe.states_rows,
    )


def _split(recipe: Recipe, cohort: Cohort, seed: int) -> Split:
    rule = split_recipe(replace(recipe, seed=seed))
    split: Split = SPLITTERS[rule["kind"]](**rule["args"])(cohort.subjects)
    return split


def _features(cohort: Cohort) -> Array:
    return band_features(cohort.X)


def _signal(cohort: Cohort) -> Array:
    X = cohort.X - cohort.X.mean(axis=-1, keepdims=True)
    z: Array = (X / X.std(axis=-1, keepdims=True)).astype(np.float64)
    return z


def _training_set(task: Task) -> tuple[Array, Array]:
    return task.X[task.train], task.y[task.train]


def _augmented(task: Task) -> tuple[Array, Array]:
    """Add a noisy copy of every training window, and its mean with another one."""
    rng = np.random.default_rng(task.seed)
    X, y = _training_set(task)
    other = rng.permutation(len(y))
    noisy = X + 0.1 * X.std() * rng.standard_normal(X.shape)
    return np.concatenate([X, noisy, (X + X[other]) / 2]), np.concatenate(
        [y, y, (y + y[other]) / 2]
    )


def _prepare(steps: tuple[Step, ...], task: Task, rows: Rows) -> Task:
    for step in steps:
        task = replace(task, X=_STEPS[step](task.X, task.y, rows))
    return task


def _scale(X: Array, _y: Array, rows: Rows) -> Array:
    """Standardise each feature, or each channel, and squash what lies far out."""
    axes = (0,) if X.ndim == 2 else (0, 2)  # noqa: PLR2004 - features
    mean, spread = X[rows].mean(axis=axes, keepdims=True), X[rows].std(axis=axes, keepdims=True)
    z: Array = np.arcsinh((X - mean) / np.maximum(spread, 1e-12))
    return z


def _components(X: Array, _y: Array, rows: Rows) -> Array:
    """Project on the first principal components, of features or of channels."""
    if X.ndim == 2:  # noqa: PLR2004 - features
        centre = X[rows].mean(axis=0)
        axes = np.linalg.svd(X[rows] - centre, full_matrices=False)[2]
        projected: Array = (X - centre) @ axes[: _N_COMPONENTS["features"]].T
        return projected
    samples = np.concatenate(list(X[rows]), axis=1)
    covariance = samples @ samples.T / samples.shape[1]
    axes = np.linalg.eigh(covariance)[1][:, ::-1].T[: _N_COMPONENTS["signal"]]
    sources: Array = np.einsum("kc,wct->wkt", axes, X)
    return sources


def _select(X: Array, y: Array, rows: Rows) -> Array:
    """Keep the features, or the channels, that go best with the targets."""
    if X.ndim == 2:  # noqa: PLR2004 - features
        best = np.argsort(-_correlation(X[rows], y[rows]))[: _N_SELECTED["features"]]
        kept: Array = X[:, np.sort(best)]
        return kept
    # Of a z-scored channel the power in a band varies: its eight bands stand for it.
    per_band = _correlation(band_features(X[rows].astype(np.float32)), y[rows])
    per_channel = per_band.reshape(X.shape[1], -1).max(axis=1)
    channels: Array = X[:, np.sort(np.argsort(-per_channel)[: _N_SELECTED["signal"]])]
    return channels


def _correlation(X: Array, y: Array) -> Array:
    centred, residual = X - X.mean(axis=0), y - y.mean()
    norm = np.sqrt((centred**2).sum(axis=0) * (residual**2).sum())
    r: Array = np.abs(residual @ centred) / np.maximum(norm, 1e-12)
    return r


_STEPS: dict[Step, Callable[[Array, Array, Rows], Array]] = {
    "scale": _scale,
    "components": _components,
    "select": _select,
}


def candidates_of(family: str, task: Task, X: Array, y: Array, X_test: Array) -> Array:
    """Train as planned and return predictions after each stage, ``(n_stages, n_test)``."""
    return stages_of(FAMILIES[family], task, X, y, X_test)


def stages_of(family: Family, task: Task, X: Array, y: Array, X_test: Array) -> Array:
    """Train a model of a family, and go on from weights that are kept."""
    return family.train(X, y, X_test, seed=task.seed, setting=0, kept=task.kept)


def settings_of(family: str, task: Task, X: Array, y: Array, X_test: Array) -> Array:
    """Train with every setting, the planned one last, ``(n_settings, n_test)``."""
    found = [
        FAMILIES[family].train(X, y, X_test, seed=task.seed, setting=setting, kept={})[-1]
        for setting in range(FAMILIES[family].settings)
    ]
    return np.array([*found[1:], found[0]])


def inner_rows(task: Task) -> tuple[Rows, Rows]:
    """Return the training rows of some subjects, and those of the others, for a choice."""
    subjects = np.random.default_rng(task.seed).permutation(np.unique(task.subjects[task.train]))
    valid = np.isin(
        task.subjects[task.train], subjects[: max(2, int(_INNER_SHARE * len(subjects)))]
    )
    return task.train[~valid], task.train[valid]


def _last(_family: str, _task: Task, _candidates: Array) -> int:
    return -1


def _by_inner_subjects(
    make: Callable[[str, Task, Array, Array, Array], Array],
    family: str,
    task: Task,
    _candidates: Array,
) -> int:
    """Return which candidate is best on inner subjects, who are trained on in the end."""
    return best_inside(make, family, task, *inner_rows(task))


def best_inside(
    make: Callable[[str, Task, Array, Array, Array], Array],
    family: str,
    task: Task,
    train: Rows,
    valid: Rows,
) -> int:
    """Return which candidate, trained on `train`, predicts `valid` best; the split is logged."""
    entry = {"by": "inner subjects", "train": train, "valid": valid, "decides": True}
    task.log.inner.append(entry)
    inner = replace(task, kept={}, log=type(task.log)())
    found = make(family, inner, task.X[train], task.y[train], task.X[valid])
    return int(((found - task.y[valid]) ** 2).mean(axis=1).argmin())


_CANDIDATES: dict[Chosen, Callable[..., Array]] = {
    "nothing": candidates_of,
    "stage": candidates_of,
    "setting": settings_of,
}
_CHOICES: dict[Chosen, Callable[..., int]] = {
    "nothing": _last,
    "stage": partial(_by_inner_subjects, candidates_of),
    "setting": partial(_by_inner_subjects, settings_of),
}

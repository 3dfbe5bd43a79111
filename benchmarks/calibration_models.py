"""Cohorts of a calibration, models that are refitted in every fold, and what the truth is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    #: From training features, training targets and new features, each a stack of cohorts.
    Model = Callable[[Array, Array, Array], Array]

__all__ = ["MODELS", "TARGETS", "Cell", "Cohorts", "simulate"]

N_FEATURES = 8

#: New subjects per cohort. The truth of a procedure is their average over all cohorts, that of one
#: cohort's models their average over that cohort.
N_NEW = {"procedure": 100, "models": 2_000}


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """What is simulated: `signal` is the share of the latent target that features explain."""

    model: str
    target: str
    signal: float
    n: int
    n_folds: int = 5
    n_repeats: int = 1

    def __str__(self) -> str:
        repeats = f", {self.n_repeats} repeats" if self.n_repeats > 1 else ""
        protocol = f"{self.n_folds} folds{repeats}" if self.n_folds > 1 else "held out"
        return f"{self.model}, {self.target}, signal {self.signal:g}, n = {self.n}, {protocol}"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Cohorts:
    """Targets, predictions and train means ``(n_cohorts, n)``, folds ``(n,)`` and the truth."""

    y: Array
    pred: Array
    base: Array
    folds: NDArray[np.int64]
    truth: dict[str, Array]


def _ridge(penalty: float) -> Model:
    def fit_and_predict(x: Array, y: Array, new: Array) -> Array:
        x_mean, y_mean = x.mean(axis=1, keepdims=True), y.mean(axis=1, keepdims=True)
        centred = x - x_mean
        squares = centred.transpose(0, 2, 1) @ centred + penalty * x.shape[1] * np.eye(x.shape[2])
        weights = np.linalg.solve(squares, centred.transpose(0, 2, 1) @ (y - y_mean)[..., None])
        return y_mean + ((new - x_mean) @ weights)[..., 0]

    return fit_and_predict


def _nearest(x: Array, y: Array, new: Array) -> Array:
    distances = (x**2).sum(-1)[:, None] - 2 * new @ x.transpose(0, 2, 1)
    near = np.argpartition(distances, 5, axis=2)[:, :, :5]
    return np.take_along_axis(y[:, None].repeat(new.shape[1], 1), near, axis=2).mean(axis=2)


def _forest(x: Array, y: Array, new: Array) -> Array:
    """Return the mean of five small trees, each grown on a resample of the subjects."""
    from sklearn.tree import DecisionTreeRegressor

    tree = DecisionTreeRegressor(max_depth=3, min_samples_leaf=2, random_state=0)
    drawn = np.random.default_rng(0).integers(x.shape[1], size=(5, x.shape[1]))
    return np.stack(
        [
            np.mean([tree.fit(a[rows], b[rows]).predict(c) for rows in drawn], axis=0)
            for a, b, c in zip(x, y, new, strict=True)
        ]
    )


MODELS: dict[str, Model] = {
    "ridge": _ridge(1e-3),
    "shrunken ridge": _ridge(10.0),
    "5 nearest": _nearest,
    "forest": _forest,
}

TARGETS: dict[str, Callable[[Array], Array]] = {
    "normal": lambda latent: latent,
    "discrete": lambda latent: np.clip(np.round(1.2 * latent + 2), 0, 4),
    "zero-inflated": lambda latent: np.maximum(latent - 0.3, 0),
}


def simulate(cell: Cell, n_cohorts: int, *, seed: int) -> Cohorts:
    """Return cohorts, each cross-validated (or held out once, of models trained on 80 others)."""
    rng = np.random.default_rng(seed)
    n_train = 0 if cell.n_folds > 1 else 80
    n, n_new = cell.n + n_train, N_NEW["procedure" if cell.n_folds > 1 else "models"]
    features = rng.standard_normal((n_cohorts, n + n_new, N_FEATURES))
    latent = np.sqrt(cell.signal) * features[..., :3].sum(axis=-1) / np.sqrt(3)
    latent += np.sqrt(1 - cell.signal) * rng.standard_normal(latent.shape)
    y = TARGETS[cell.target](latent)
    pred, base = np.zeros((n_cohorts, n)), np.zeros((n_cohorts, n))
    new = []
    for repeat in range(cell.n_repeats):
        folds = np.random.default_rng(repeat).permutation(np.arange(cell.n) % cell.n_folds)
        folds = np.r_[folds, np.full(n_train, -1)]
        for fold in range(cell.n_folds):
            test, train = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
            asked = test if fold else np.r_[test, n : n + n_new]
            answers = MODELS[cell.model](features[:, train], y[:, train], features[:, asked])
            mean = y[:, train].mean(axis=1, keepdims=True)
            pred[:, test] += answers[:, : len(test)] / cell.n_repeats
            base[:, test] += mean / cell.n_repeats
            if not fold:
                new.append((answers[:, len(test) :], mean))
    answers, means = (np.mean(parts, axis=0) for parts in zip(*new, strict=True))
    truth = _truth(y[:, n:], answers, means, per_cohort=cell.n_folds == 1)
    kept = slice(0, cell.n)
    return Cohorts(
        y=y[:, kept], pred=pred[:, kept], base=base[:, kept], folds=folds[kept], truth=truth
    )


def _truth(y: Array, pred: Array, means: Array, *, per_cohort: bool) -> dict[str, Array]:
    """Return what new subjects give: of each cohort's models, or of the procedure on average."""
    inner = [part - part.mean(axis=1, keepdims=True) for part in (y, pred)]
    parts = {
        "mse": ((y - pred) ** 2).mean(axis=1),
        "mae": np.abs(y - pred).mean(axis=1),
        "base": ((y - means) ** 2).mean(axis=1),
        "both": (inner[0] * inner[1]).mean(axis=1),
        "spread": (inner[1] ** 2).mean(axis=1),
    }
    if not per_cohort:
        parts = {name: np.full(len(y), values.mean()) for name, values in parts.items()}
    variance = y.var()
    return {
        "skill": 1 - parts["mse"] / parts["base"],
        "r": parts["both"] / np.sqrt(parts["spread"] * variance),
        "gain": parts["base"] - parts["mse"],
        "mse": parts["mse"],
        "mae": parts["mae"],
        "r2": 1 - parts["mse"] / variance,
    }

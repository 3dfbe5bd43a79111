"""Parts of honest studies: learners that draw random numbers, and stop by themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.detection.careful import Train, linear
from benchmarks.detection.careful_learners import held_back
from benchmarks.detection.honest import ridge

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.detection.careful import Array, Learner, Predict


def bagged(learner: Learner) -> Learner:
    """Average models of bootstrapped training subjects."""

    def learn(train: Train) -> Predict:
        names, models = np.unique(train.subjects), []
        for _ in range(5):
            drawn = train.rng.choice(names, len(names))
            rows = np.concatenate([np.flatnonzero(train.subjects == one) for one in drawn])
            models.append(
                learner(
                    replace(train, X=train.X[rows], y=train.y[rows], subjects=train.subjects[rows])
                )
            )
        return lambda X: np.asarray(np.mean([one(X) for one in models], axis=0))

    return learn


def jittered(learner: Learner, rng: Callable[[Train], np.random.Generator]) -> Learner:
    """Learn from windows with noise."""

    def learn(train: Train) -> Predict:
        noise = rng(train).standard_normal(train.X.shape)
        return learner(replace(train, X=train.X + 0.1 * noise))

    return learn


def mixed(train: Train) -> Predict:
    """Learn from mixtures of two training windows as well."""
    other = train.rng.permutation(len(train.y))
    share = train.rng.beta(0.4, 0.4, len(other))[:, None]
    X = share * train.X + (1 - share) * train.X[other]
    y = share[:, 0] * train.y + (1 - share[:, 0]) * train.y[other]
    return ridge(np.vstack([train.X, X]), np.concatenate([train.y, y]))


def descent(train: Train, *, patience: int = 3, averaged: int = 1) -> Predict:
    """Descend in random batches until held-back training subjects are predicted no better."""
    mean, sd = train.X.mean(axis=0), train.X.std(axis=0)
    fit, checked = held_back(replace(train, X=(train.X - mean) / sd), 0, 4)
    weights, kept, waited = np.zeros(train.X.shape[1]), [(np.inf, np.zeros(train.X.shape[1]))], 0
    while waited < patience:
        rows = train.rng.choice(len(fit.y), 16)
        slope = fit.X[rows].T @ (fit.X[rows] @ weights - fit.y[rows]) / len(rows)
        weights = weights - 0.005 * slope
        error = float(((checked.X @ weights - checked.y) ** 2).mean())
        waited = 0 if error < kept[0][0] - 1e-4 else waited + 1
        kept = sorted([*kept, (error, weights)], key=lambda one: one[0])[:averaged]
    best = np.mean([one for _, one in kept], axis=0)
    return lambda X: np.asarray((X - mean) / sd @ best)


def with_dropout(rng: Callable[[Train], np.random.Generator]) -> Learner:
    """Average predictions with features dropped at random at test time."""

    def learn(train: Train) -> Predict:
        predict, mean, stream = linear(train), train.X.mean(axis=0), rng(train)

        def dropped(X: Array) -> Array:
            kept = stream.random((8, *X.shape)) < 0.8  # noqa: PLR2004
            return np.asarray(np.mean([predict(np.where(k, X, mean)) for k in kept], axis=0))

        return dropped

    return learn


def dropout_by_content(train: Train) -> Predict:
    """Drop features at test time by a seed that each window's content gives."""
    predict, mean = linear(train), train.X.mean(axis=0)

    def one(x: Array) -> Array:
        seed = int.from_bytes(np.ascontiguousarray(x).tobytes()[:8], "little")
        kept = np.random.default_rng(seed).random((8, len(x))) < 0.8  # noqa: PLR2004
        return predict(np.where(kept, x, mean)).mean()

    return lambda X: np.array([one(x) for x in X])


def posterior(rng: Callable[[Train], np.random.Generator]) -> Learner:
    """Answer with one draw of a posterior of the weights."""

    def learn(train: Train) -> Predict:
        centre, mean = train.X.mean(axis=0), train.y.mean()
        X = train.X - centre
        precision = X.T @ X + 10 * np.eye(X.shape[1])
        weights = np.linalg.solve(precision, X.T @ (train.y - mean))
        noise = np.linalg.solve(
            np.linalg.cholesky(precision).T, rng(train).standard_normal(len(weights))
        )
        return lambda new: np.asarray(mean + (new - centre) @ (weights + noise))

    return learn


def by_global_stream(train: Train) -> Predict:
    """Learn a forest that draws from NumPy's global stream."""
    from sklearn.ensemble import RandomForestRegressor

    model = RandomForestRegressor(5, max_depth=3).fit(train.X, train.y)
    return lambda X: np.asarray(model.predict(X))

"""Parts of honest studies: what is learnt from training windows, and wrappers around it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.detection.careful import Train, linear
from benchmarks.detection.honest import ridge

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchmarks.detection.careful import Array, Learner, Predict


def estimator(make: Callable[..., Any], **options: Any) -> Learner:
    """Learn by a scikit-learn regressor, seeded from the fold's stream if it can be."""

    def learn(train: Train) -> Predict:
        fitted = make(**options)
        if "random_state" in fitted.get_params():
            fitted.set_params(random_state=int(train.rng.integers(2**31)))
        fitted.fit(train.X, train.y)
        return lambda X: np.asarray(fitted.predict(X), dtype=np.float64).reshape(-1)

    return learn


def after(make: Callable[..., Any], learner: Learner = linear, **options: Any) -> Learner:
    """Fit a transformation on the training windows, then learn."""

    def learn(train: Train) -> Predict:
        fitted = make(**options).fit(train.X, train.y)
        predict = learner(replace(train, X=fitted.transform(train.X)))
        return lambda X: predict(fitted.transform(X))

    return learn


def held_back(train: Train, number: int, n_parts: int = 3) -> tuple[Train, Train]:
    """Return the training windows without a part of their subjects, and that part."""
    valid = np.isin(train.subjects, np.unique(train.subjects)[number::n_parts])
    fit, checked = (
        Train(X=train.X[rows], y=train.y[rows], subjects=train.subjects[rows], rng=train.rng)
        for rows in (~valid, valid)
    )
    return fit, checked


def _error(predict: Predict, on: Train) -> float:
    return float(((predict(on.X) - on.y) ** 2).mean())


def winsorised(train: Train) -> Predict:
    """Cut features at quantiles of the training windows."""
    low, high = np.quantile(train.X, [0.05, 0.95], axis=0)
    predict = linear(replace(train, X=np.clip(train.X, low, high)))
    return lambda X: predict(np.clip(X, low, high))


def without_covariate(train: Train) -> Predict:
    """Take from each feature what the last column explains of it in training, then learn."""
    covariate = np.column_stack([np.ones(len(train.X)), train.X[:, -1]])
    slopes = np.linalg.lstsq(covariate, train.X[:, :-1], rcond=None)[0]

    def left(X: Array) -> Array:
        rest: Array = X[:, :-1] - np.column_stack([np.ones(len(X)), X[:, -1]]) @ slopes
        return rest

    predict = linear(replace(train, X=left(train.X)))
    return lambda X: predict(left(X))


def per_subject_means(train: Train) -> Predict:
    """Learn from one row a subject."""
    names, first = np.unique(train.subjects, return_index=True)
    X = np.array([train.X[train.subjects == name].mean(axis=0) for name in names])
    return ridge(X, train.y[first])


def weighted_by_subject(train: Train) -> Predict:
    """Let every subject weigh the same, by roots of weights in the least squares."""
    _, number, count = np.unique(train.subjects, return_inverse=True, return_counts=True)
    root = np.sqrt(1 / count[number])[:, None]
    X = np.column_stack([np.ones(len(train.X)), train.X])
    penalty = np.eye(X.shape[1])
    left = (root * X).T @ (root * X) + penalty
    weights = np.linalg.solve(left, (root * X).T @ (root[:, 0] * train.y))
    return lambda new: np.asarray(np.column_stack([np.ones(len(new)), new]) @ weights)


def with_target(forth: str, learner: Learner = linear) -> Learner:
    """Learn a transformed target, the transformation fitted on training targets."""
    from sklearn.preprocessing import PowerTransformer, QuantileTransformer, StandardScaler

    make = {
        "standard": StandardScaler,
        "power": PowerTransformer,
        "quantile": partial(QuantileTransformer, n_quantiles=20, output_distribution="normal"),
    }[forth]

    def learn(train: Train) -> Predict:
        scale = make().fit(train.y[:, None])
        predict = learner(replace(train, y=scale.transform(train.y[:, None])[:, 0]))
        return lambda X: np.asarray(scale.inverse_transform(predict(X)[:, None])[:, 0])

    return learn


def log_target(train: Train) -> Predict:
    """Learn the logarithm of the distance to just below the lowest training target."""
    low = train.y.min() - train.y.std()
    predict = linear(replace(train, y=np.log(train.y - low)))
    return lambda X: np.asarray(low + np.exp(np.clip(predict(X), -20, 20)))


def clipped(train: Train) -> Predict:
    """Keep predictions within the range of the training targets."""
    predict = ridge(train.X, train.y, 0.01)
    return lambda X: np.clip(predict(X), train.y.min(), train.y.max())


def shrunk(train: Train) -> Predict:
    """Shrink predictions to the training mean as far as held-back training subjects say."""
    predict, mean = linear(train), float(train.y.mean())
    fit, checked = held_back(train, 0)
    tried = linear(fit)(checked.X) - mean
    slope = float(tried @ (checked.y - mean) / (tried @ tried))
    return lambda X: np.asarray(mean + slope * (predict(X) - mean))


def recalibrated(train: Train) -> Predict:
    """Fit a monotone curve on predictions for held-back training subjects."""
    from sklearn.isotonic import IsotonicRegression

    fit, checked = held_back(train, 1)
    predict = linear(fit)
    curve = IsotonicRegression(out_of_bounds="clip").fit(predict(checked.X), checked.y)
    return lambda X: np.asarray(curve.predict(predict(X)))


def searched(train: Train) -> Predict:
    """Draw penalties, and keep the one with the least error in a grouped inner validation."""
    alphas = 10 ** train.rng.uniform(-1, 4, 8)
    parts = [held_back(train, number) for number in range(3)]
    errors = [sum(_error(ridge(a.X, a.y, alpha), b) for a, b in parts) for alpha in alphas]
    return ridge(train.X, train.y, float(alphas[int(np.argmin(errors))]))


def nested(train: Train) -> Predict:
    """Choose the penalty by leaving one training subject out at a time."""
    n_subjects = len(np.unique(train.subjects))
    parts = [held_back(train, number, n_subjects) for number in range(n_subjects)]
    errors = {a: sum(_error(ridge(f.X, f.y, a), c) for f, c in parts) for a in (1.0, 30.0, 900.0)}
    return ridge(train.X, train.y, min(errors, key=lambda alpha: errors[alpha]))


def grid(train: Train) -> Predict:
    """scikit-learn's grid search over folds of subjects."""
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import GridSearchCV, GroupKFold

    search = GridSearchCV(Ridge(), {"alpha": [1.0, 30.0, 900.0]}, cv=GroupKFold(3))
    search.fit(train.X, train.y, groups=train.subjects)
    return lambda X: np.asarray(search.predict(X))


def stacked(train: Train) -> Predict:
    """Combine two models by what they predict for training subjects held back."""
    learners: list[Learner] = [linear, per_subject_means]
    parts = [held_back(train, number) for number in range(3)]
    inner = np.vstack([np.column_stack([one(f)(c.X) for one in learners]) for f, c in parts])
    combine = ridge(inner, np.concatenate([c.y for _, c in parts]), 1.0)
    models = [one(train) for one in learners]
    return lambda X: combine(np.column_stack([one(X) for one in models]))


def of_classes(train: Train) -> Predict:
    """Classify thirds of the training targets, and answer with their mean by probability."""
    from sklearn.linear_model import LogisticRegression

    bins = np.digitize(train.y, np.quantile(train.y, [1 / 3, 2 / 3]))
    model = LogisticRegression(C=0.01, max_iter=500).fit(train.X, bins)
    means = np.array([train.y[bins == one].mean() for one in model.classes_])
    return lambda X: np.asarray(model.predict_proba(X) @ means)


def neighbours_of_subjects(train: Train) -> Predict:
    """Average the targets of the three training subjects whose mean features are nearest."""
    names, first = np.unique(train.subjects, return_index=True)
    centres = np.array([train.X[train.subjects == name].mean(axis=0) for name in names])

    def predict(X: Array) -> Array:
        distance = ((X[:, None] - centres) ** 2).sum(axis=-1)
        nearest: NDArray[np.int64] = np.argsort(distance, axis=1)[:, :3]
        return np.asarray(train.y[first][nearest].mean(axis=1))

    return predict


def the_mean(train: Train) -> Predict:
    """Predict the training subjects' mean for every subject."""
    _, first = np.unique(train.subjects, return_index=True)
    return lambda X: np.full(len(X), train.y[first].mean())


def formula(_train: Train) -> Predict:
    """Answer with a formula that nobody fitted."""
    return lambda X: np.asarray(0.3 * (X[:, 10] - X[:, 12]))


def frozen(_train: Train) -> Predict:
    """Answer with weights that were drawn long ago."""
    return lambda X: np.asarray(X @ np.random.default_rng(1).normal(0, 0.1, X.shape[1]))


def of_halves(train: Train) -> Predict:
    """Average a model of the first half of the features and one of the second."""
    half = train.X.shape[1] // 2
    first, second = (
        linear(replace(train, X=train.X[:, :half])),
        linear(replace(train, X=train.X[:, half:])),
    )
    return lambda X: np.asarray(0.5 * (first(X[:, :half]) + second(X[:, half:])))


_FITTED: dict[bytes, Predict] = {}


def remembered(train: Train) -> Predict:
    """Keep fitted models in a global, by everything that they were fitted on."""
    key = train.X.tobytes() + train.y.tobytes()
    if key not in _FITTED:
        _FITTED[key] = linear(train)
    return _FITTED[key]

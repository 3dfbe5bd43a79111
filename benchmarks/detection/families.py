"""Six families of models, each as a path: its predictions after every stage of training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from numpy.typing import NDArray
    from torch import nn

    Array: TypeAlias = NDArray[np.float64]

__all__ = ["FAMILIES", "Family", "rebuilt"]

Sees: TypeAlias = Literal["features", "signal"]
Build: TypeAlias = "Callable[[int, int], nn.Module]"


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """A way to learn.

    Parameters
    ----------
    name
        Of the family.
    sees
        Features of a window or its signal.
    train
        ``train(X, y, X_test, seed=, setting=, kept=)`` returns predictions after each stage,
        ``(n_stages, n_test)``. Weights in `kept` are gone on from, the trained ones left there.
    settings
        How many settings it can be tuned over.
    has_stages
        Whether there is a training that can be stopped early.
    build, epochs
        Of a network: ``build(n_chans, n_times)``, and for how long it is trained.
    """

    name: str
    sees: Sees
    train: Callable[..., Array]
    settings: int = 4
    has_stages: bool = True
    build: Build | None = None
    epochs: int = 0


def rebuilt(family: Family, build: Build) -> Family:
    """Return a family of networks that are built otherwise and trained as before."""
    return replace(family, build=build, train=partial(_network, build, family.epochs))


def _ridge(
    X: Array, y: Array, X_test: Array, *, seed: int, setting: int, kept: dict[str, Any]
) -> Array:
    """Solve a ridge regression; its stages are the penalties on the way down."""
    del seed
    mean, centre, n_features = y.mean(), X.mean(axis=0), X.shape[1]
    start = kept.get("weights", np.zeros(n_features))
    centred, rest = X - centre, y - mean - (X - centre) @ start
    gram, right = centred.T @ centred, centred.T @ rest
    planned = (30.0, 3.0, 300.0, 3000.0)[setting]
    stages = []
    for penalty in (100 * planned, 30 * planned, 10 * planned, 3 * planned, planned):
        weights = start + np.linalg.solve(gram + penalty * np.eye(n_features), right)
        stages.append(mean + (X_test - centre) @ weights)
    kept["weights"] = weights
    return np.array(stages)


def _forest(
    X: Array, y: Array, X_test: Array, *, seed: int, setting: int, kept: dict[str, Any]
) -> Array:
    """Grow a random forest; its stages are the forest with more and more trees."""
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(
        12, max_depth=(5, 2, 8)[setting], max_features=0.3, random_state=seed
    ).fit(X, y)
    before = kept.get("trees", [])
    kept["trees"] = trees = [*before, *forest.estimators_]
    grown = np.array([tree.predict(X_test) for tree in trees])
    means = np.cumsum(grown, axis=0) / np.arange(1, len(trees) + 1)[:, None]
    # Every third tree is a stage, the last one among them.
    stages: Array = means[2::3]
    return stages


def _neighbours(
    X: Array, y: Array, X_test: Array, *, seed: int, setting: int, kept: dict[str, Any]
) -> Array:
    """Take the mean of the nearest training windows; there is nothing to train in stages."""
    from sklearn.neighbors import KNeighborsRegressor

    del seed
    if "windows" in kept and kept["windows"].shape[1] == X.shape[1]:
        X, y = np.vstack([kept["windows"], X]), np.concatenate([kept["targets"], y])
    kept["windows"], kept["targets"] = X, y
    k = min((7, 3, 15, 25)[setting], len(X))
    model = KNeighborsRegressor(k, algorithm="brute").fit(X, y)
    stages: Array = model.predict(X_test)[None]
    return stages


def _network(
    build: Build,
    epochs: int,
    X: Array,
    y: Array,
    X_test: Array,
    *,
    seed: int,
    setting: int,
    kept: dict[str, Any],
) -> Array:
    """Train a network by the project's own loop; its stages are epochs."""
    import torch

    from pfactor_bench.training.device import seeded
    from pfactor_bench.training.loop import fit
    from pfactor_bench.types import Budget

    rate, mean, spread = (1e-3, 3e-3, 1e-2, 3e-4)[setting], y.mean(), y.std() or 1.0
    with seeded(seed, torch.device("cpu")):
        model = build(X.shape[1], X.shape[2])
        if "state" in kept:
            model.load_state_dict(kept["state"])
        trajectory = fit(
            model,
            X=torch.tensor(X, dtype=torch.float32),
            y=torch.tensor((y - mean) / spread, dtype=torch.float32),
            X_held_out=torch.tensor(X_test, dtype=torch.float32),
            budget=Budget(epochs=epochs, learning_rate=rate, batch_size=32),
        )
    kept["state"] = {name: value.clone() for name, value in model.state_dict().items()}
    stages: Array = mean + spread * trajectory.held_out
    return stages


def _small_cnn(n_chans: int, n_times: int) -> nn.Module:
    """Return a spatial and a temporal convolution, power, and a linear read-out."""
    from torch import nn

    class Power(nn.Module):
        def forward(self, X: Any) -> Any:
            return (X**2).mean(dim=-1).clamp_min(1e-6).log()

    del n_times
    return nn.Sequential(
        nn.Conv1d(n_chans, 6, 1, bias=False),
        nn.Conv1d(6, 6, 25, groups=6, bias=False),
        nn.BatchNorm1d(6),
        Power(),
        nn.Linear(6, 1),
    )


def _braindecode(name: str, n_chans: int, n_times: int) -> nn.Module:
    from pfactor_bench.models.build import find_factory
    from pfactor_bench.types import ModelSpec

    factory = find_factory(ModelSpec(name=name))
    return factory(n_chans=n_chans, n_outputs=1, n_times=n_times, sfreq=100.0)


def _networks(name: str, build: Build, epochs: int) -> Family:
    return Family(
        name=name,
        sees="signal",
        train=partial(_network, build, epochs),
        build=build,
        epochs=epochs,
    )


FAMILIES = {
    family.name: family
    for family in (
        Family(name="ridge", sees="features", train=_ridge),
        Family(name="forest", sees="features", train=_forest, settings=3),
        Family(name="kNN", sees="features", train=_neighbours, has_stages=False),
        _networks("small CNN", _small_cnn, 5),
        _networks("ShallowFBCSPNet", partial(_braindecode, "ShallowFBCSPNet"), 2),
        _networks("EEGConformer", partial(_braindecode, "EEGConformer"), 2),
    )
}

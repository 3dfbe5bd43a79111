"""Regimes, models and estimators as studies, so that one audit serves all of them."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pandas as pd
    import torch
    from numpy.typing import NDArray
    from torch import nn

    from pfactor_bench.splits.splitters import Splitter
    from pfactor_bench.studies.contract import Study
    from pfactor_bench.types import Budget, Case, Cohort, Fold, Split

__all__ = [
    "build_network",
    "estimator_study",
    "fit_estimator",
    "inputs_of",
    "model_study",
    "regime_study",
]


def model_study(
    load: Callable[[], Callable[..., nn.Module]], splitter: Splitter, budget: Budget
) -> Study:
    """Return a study that trains a model from scratch and predicts the subjects held out.

    Parameters
    ----------
    load
        Returns the factory, ``factory(n_chans, n_outputs, n_times, sfreq)``.
    splitter
        Decides who is held out.
    budget
        Of training.
    """

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        import torch

        from pfactor_bench.training.device import seeded
        from pfactor_bench.training.loop import fit

        device = torch.device("cpu")
        X, y = torch.tensor(cohort.X), torch.tensor(cohort.y, dtype=torch.float32)
        split, predictions = splitter(cohort.subjects), []
        for fold in split.folds:
            with seeded(seed, device):
                model = build_network(load(), cohort)
                held_out = X[fold.test]
                trajectory = fit(
                    model, X=X[fold.train], y=y[fold.train], X_held_out=held_out, budget=budget
                )
            predictions.append(trajectory.held_out[-1])
        return _table(cohort, split, predictions)

    return study


def regime_study(
    case: Case,
    split: Callable[[Cohort], Split],
    budget: Budget,
    *,
    encoders: Mapping[str, Mapping[str, torch.Tensor]] | None = None,
) -> Study:
    """Return a built-in regime as a study: what audits a stranger's study audits ours.

    It trains on the CPU, since the processes that an audit runs it in cannot share a GPU.

    Parameters
    ----------
    case
        Model and regime. Its seed is counted on from by the one that the study is called with.
    split
        Decides who is held out.
    budget
        Of training.
    encoders
        By fold, what pretrained regimes start from; None for regimes that do not.
    """

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        from pfactor_bench.training.case import run_case
        from pfactor_bench.training.device import choose_device

        seeded, device = replace(case, seed=case.seed + seed), choose_device("cpu")
        result = run_case(
            seeded, cohort, split(cohort), budget, device=device, encoders=encoders or None
        )
        return result.predictions

    return study


def build_network(factory: Callable[..., nn.Module], cohort: Cohort) -> nn.Module:
    """Return a fresh network with one output for the windows of `cohort`."""
    n_chans, n_times = cohort.X.shape[1:]
    return factory(n_chans=n_chans, n_outputs=1, n_times=n_times, sfreq=cohort.sfreq)


def estimator_study(load: Callable[[], Any], splitter: Splitter) -> Study:
    """Return a study that fits clones of an estimator on training subjects.

    Parameters
    ----------
    load
        Returns the unfitted regressor.
    splitter
        Decides who is held out.
    """

    def study(cohort: Cohort, *, seed: int) -> pd.DataFrame:
        split, predictions = splitter(cohort.subjects), []
        for fold in split.folds:
            estimator = load()
            fitted = fit_estimator(estimator, cohort, fold, seed)
            y_pred = fitted.predict(inputs_of(estimator, cohort, fold.test))
            predictions.append(np.asarray(y_pred, dtype=np.float64).reshape(-1))
        return _table(cohort, split, predictions)

    return study


def fit_estimator(estimator: Any, cohort: Cohort, fold: Fold, seed: int) -> Any:  # noqa: ANN401
    """Return a clone fitted on a fold's training windows.

    The seed goes to every ``random_state`` that is not set, and to the global streams; the subjects
    whose windows they are go, as ``groups``, to an inner cross-validation that asks for them.
    """
    from sklearn import config_context
    from sklearn.base import clone

    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - estimators without a random_state draw from it
    y = cohort.y[fold.train]
    if _is_torch(estimator):
        import torch

        torch.manual_seed(seed)
        y = y.astype(np.float32).reshape(-1, 1)  # type: ignore[assignment]
    fitted = clone(estimator)
    free = {
        name: seed
        for name, value in fitted.get_params().items()
        if name.rpartition("__")[2] == "random_state" and value is None
    }
    X, subjects = inputs_of(estimator, cohort, fold.train), cohort.subjects[fold.train]
    fitted.set_params(**free)
    _settle_stack(fitted, X, y, subjects)
    # Some return nothing from fit, as braindecode's EEGRegressor does.
    if _routes_groups(fitted):
        with config_context(enable_metadata_routing=True):
            fitted.fit(X, y, groups=subjects)
    else:
        fitted.fit(X, y)
    return fitted


def _routes_groups(estimator: object) -> bool:
    """Say whether an inner cross-validation asks for groups, and can be handed them."""
    from sklearn import config_context
    from sklearn.utils.metadata_routing import get_routing_for_object

    with config_context(enable_metadata_routing=True):
        try:
            return bool(get_routing_for_object(estimator).consumes("fit", ["groups"]))
        except (NotImplementedError, ValueError):  # AdaBoost has no routing, MultiTask's is broken
            return False


def _settle_stack(estimator: object, X: object, y: object, subjects: NDArray[np.str_]) -> None:
    """Hand a stack of regressors the folds that its grouped splitter makes of the subjects.

    scikit-learn routes no groups to the ``cv`` of a stack. Only a pipeline may wrap it, which keeps
    all rows: a search would fit it on other ones.
    """
    from sklearn.ensemble import StackingRegressor
    from sklearn.model_selection._split import GroupsConsumerMixin

    last: Any = estimator
    while hasattr(last, "steps"):
        last = last.steps[-1][1]
    if isinstance(last, StackingRegressor) and isinstance(last.cv, GroupsConsumerMixin):
        last.set_params(cv=list(last.cv.split(X, y, subjects)))


def inputs_of(estimator: object, cohort: Cohort, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return windows as the estimator takes them: channels × samples, or rows of numbers.

    What wraps another takes what that takes, a pipeline what its first step takes, an ensemble what
    its first member takes; scikit-learn's own steps take rows.
    """
    first: Any = estimator
    while (inner := _wrapped(first, 0)) is not None:
        first = inner
    X = np.array(cohort.X[rows])
    own = type(first).__module__.startswith("sklearn.")
    takes_rows = own and type(first).__name__ != "FunctionTransformer"
    return X.reshape(len(X), -1) if takes_rows else X


def _is_torch(estimator: object) -> bool:
    """Say whether an estimator, or what a search or pipeline wraps, is a skorch network."""
    last: Any = estimator
    while (inner := _wrapped(last, -1)) is not None:
        last = inner
    return any(base.__name__ == "NeuralNet" for base in type(last).__mro__)


def _wrapped(estimator: object, place: int) -> object | None:
    """Return what an unfitted estimator wraps, of several the one in that place, or None."""
    for name in ("steps", "estimators"):
        if several := getattr(estimator, name, None):
            return several[place][1]  # type: ignore[no-any-return]
    for name in ("estimator", "regressor"):
        if (one := getattr(estimator, name, None)) is not None:
            return one  # type: ignore[no-any-return]
    return None


def _rows(cohort: Cohort, split: Split, predictions: list[Any]) -> Iterator[pd.DataFrame]:
    import pandas as pd

    names = cohort.table["sample_id"].to_numpy()
    for fold, y_pred in zip(split.folds, predictions, strict=True):
        test = {"sample_id": names[fold.test], "fold": fold.name, "role": "test"}
        train = {"sample_id": names[fold.train], "fold": fold.name, "role": "train"}
        yield pd.DataFrame({**test, "y_pred": np.asarray(y_pred, dtype=np.float64)})
        yield pd.DataFrame({**train, "y_pred": np.nan})


def _table(cohort: Cohort, split: Split, predictions: list[Any]) -> pd.DataFrame:
    import pandas as pd

    return pd.concat(list(_rows(cohort, split, predictions)), ignore_index=True)

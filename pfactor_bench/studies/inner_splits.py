"""The splits that an estimator makes inside its own training data, recorded while it is fitted."""

from __future__ import annotations

import json
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.studies.adapters import fit_estimator
from pfactor_bench.studies.footprint import leaving_nothing
from pfactor_bench.studies.harness import to_json
from pfactor_bench.studies.sandbox import Failure, run_jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pfactor_bench.studies.sandbox import Limits
    from pfactor_bench.types import Cohort, Fold

__all__ = ["record_inner_splits", "wrap_splitters"]

#: Callbacks through which a validation target decides something.
_DECIDING = ("Checkpoint", "EarlyStopping", "LRScheduler")


def record_inner_splits(
    load: Callable[[], Any], cohort: Cohort, fold: Fold, seed: int, limits: Limits
) -> list[dict[str, Any]] | Failure:
    """Fit an estimator on one fold's training subjects and return the splits that it made.

    Parameters
    ----------
    load
        Returns the unfitted estimator.
    cohort, fold
        What it is fitted on.
    seed
        Of the fit.
    limits
        On the process.

    Returns
    -------
    list of dict
        ``by`` (the splitter), ``train`` and ``valid`` (positions in the cohort), and ``decides``:
        whether anything is chosen by the validation target.
    """
    (reply,) = run_jobs([partial(_session, load, cohort, fold, seed)], limits)
    if isinstance(reply, Failure):
        return reply
    splits: list[dict[str, Any]] = json.loads(reply)
    return splits


def _session(load: Callable[[], Any], cohort: Cohort, fold: Fold, seed: int) -> bytes:
    recorded: dict[str, dict[str, Any]] = {}
    wrap_splitters(partial(_recording, recorded, len(fold.train)))
    with leaving_nothing():
        fitted = fit_estimator(load(), cohort, fold, seed)
    decides = _decides(fitted)
    return to_json(
        [
            {
                "by": one["by"],
                "train": fold.train[one["train"]].tolist(),
                "valid": fold.train[one["valid"]].tolist(),
                "decides": decides,
            }
            for one in recorded.values()
        ]
    )


def wrap_splitters(wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Wrap ``split`` of every scikit-learn splitter of this process; skorch uses them as well."""
    from sklearn.model_selection import _split

    for splitter in vars(_split).values():
        if isinstance(splitter, type) and "split" in vars(splitter):
            setattr(splitter, "split", wrap(vars(splitter)["split"]))  # noqa: B010 - a type


def _recording(
    recorded: dict[str, dict[str, Any]], n_windows: int, split: Callable[..., Any]
) -> Callable[..., Any]:
    @wraps(split)
    def wrapped(self: object, X: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:  # noqa: ANN401
        for train, valid in split(self, X, *args, **kwargs):
            # Splits of a part of the training windows have other rows.
            if len(X) == n_windows:
                key = f"{np.sort(train).tobytes().hex()}/{np.sort(valid).tobytes().hex()}"
                entry = {"by": type(self).__name__, "train": train, "valid": valid}
                recorded.setdefault(key, entry)
            yield train, valid

    return wrapped


def _decides(fitted: Any) -> bool:  # noqa: ANN401 - any estimator
    """Say if a validation result decides anything: in a skorch network, only with callbacks."""
    last = fitted.steps[-1][1] if hasattr(fitted, "steps") else fitted
    callbacks = getattr(last, "callbacks_", None)
    if callbacks is None:
        return True
    return any(type(callback).__name__ in _DECIDING for _, callback in callbacks)

"""A fitted estimator that predicts one subject after the other, each by a copy."""

from __future__ import annotations

import json
from copy import deepcopy
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.studies.adapters import fit_estimator, inputs_of
from pfactor_bench.studies.changes import replace_windows
from pfactor_bench.studies.footprint import leaving_nothing
from pfactor_bench.studies.harness import to_json
from pfactor_bench.studies.randomness import Streams
from pfactor_bench.studies.sandbox import Failure, run_jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from pfactor_bench.studies.sandbox import Limits
    from pfactor_bench.types import Cohort, Fold

__all__ = ["replay_subjects"]

#: So many subjects are replayed: what outlives a prediction shows after a few.
_SUBJECTS = 5


def replay_subjects(
    load: Callable[[], Any], cohort: Cohort, fold: Fold, seed: int, limits: Limits
) -> dict[str, list[list[float]]] | Failure:
    """Fit an estimator, and let copies of it predict a few held-out subjects one by one.

    Every prediction begins with the same random streams, from a deep copy of the fitted estimator.

    Parameters
    ----------
    load
        Returns the unfitted estimator.
    cohort, fold
        What it is fitted on, and who is predicted.
    seed
        Of the fit.
    limits
        On each process.

    Returns
    -------
    dict
        Predictions of each subject, in one order: ``in_turn``, ``again``, in ``reverse`` order, and
        ``after_noise``, where the signal of all but the last was noise. Each in a process, and with
        a fit, of its own.
    """
    names = np.unique(cohort.subjects[fold.test])[:_SUBJECTS]
    turns = [fold.test[cohort.subjects[fold.test] == name] for name in names]
    earlier = np.isin(cohort.subjects, names[:-1])
    noise = replace_windows(cohort, earlier, np.random.default_rng(seed))
    jobs = [
        partial(_session, load, cohort, fold, seed, shown=shown, turns=order)
        for shown, order in (
            (cohort, turns),
            (cohort, turns),
            (cohort, turns[::-1]),
            (noise, turns),
        )
    ]
    found: list[list[list[float]]] = []
    for reply in run_jobs(jobs, limits):
        if isinstance(reply, Failure):
            return reply
        found.append(json.loads(reply))
    in_turn, again, reverse, after_noise = found
    return {
        "in_turn": in_turn,
        "again": again,
        "reverse": reverse[::-1],
        "after_noise": after_noise,
    }


def _session(
    load: Callable[[], Any],
    cohort: Cohort,
    fold: Fold,
    seed: int,
    *,
    shown: Cohort,
    turns: Sequence[NDArray[np.int64]],
) -> bytes:
    found = []
    with leaving_nothing():
        Streams()
        estimator = load()
        fitted = fit_estimator(estimator, cohort, fold, seed)
        for rows in turns:
            copied = deepcopy(fitted)
            Streams()
            y_pred = copied.predict(inputs_of(estimator, shown, rows))
            found.append(np.asarray(y_pred, dtype=np.float64).reshape(-1).tolist())
    return to_json(found)

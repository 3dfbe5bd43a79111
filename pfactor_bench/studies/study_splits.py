"""What a study splits and fits inside its own process, recorded while it runs.

What a study hands to a splitter are features that only it knows. So it is run on a cohort in which
all windows of a subject are one and the same: rows that are equal are then one subject, whatever is
made of windows. Where no features are handed over, the targets tell the subjects apart.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.studies.changes import changed
from pfactor_bench.studies.footprint import leaving_nothing
from pfactor_bench.studies.harness import to_json
from pfactor_bench.studies.inner_splits import wrap_splitters
from pfactor_bench.studies.randomness import Streams
from pfactor_bench.studies.sandbox import Failure, run_jobs
from pfactor_bench.studies.study_fits import watch_transformations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from pfactor_bench.studies.contract import Study
    from pfactor_bench.studies.sandbox import Limits
    from pfactor_bench.types import Cohort

__all__ = ["Recorded", "record_study", "repeat_windows", "who_is_in"]

#: Features of one subject's windows agree to so many decimals, in deviations of each feature.
_DECIMALS = 5
#: Targets that a network is handed went through float32.
_SINGLE = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """What a study did inside its own process.

    Parameters
    ----------
    splits
        ``by``, the splitter, and ``shared``, a name for each subject in train and validation. Left
        out are splits of all subjects, which decide who is held out, of one row a subject, and of
        rows that cannot be told apart.
    fits
        ``what``, the class of a transformation, and ``n_subjects`` whose rows it was fitted on.
    """

    splits: tuple[dict[str, Any], ...] = ()
    fits: tuple[dict[str, Any], ...] = ()


def record_study(study: Study, cohort: Cohort, seed: int, limits: Limits) -> Recorded:
    """Run a study once and return what it splits and fits.

    Parameters
    ----------
    study
        As in the contract.
    cohort, seed
        What it is run on, and with.
    limits
        On the process.

    Returns
    -------
    Recorded
        Empty where the study does not run on repeated windows.
    """
    (reply,) = run_jobs([partial(_session, study, cohort, seed)], limits)
    if isinstance(reply, Failure):
        return Recorded()
    return Recorded(**{name: tuple(found) for name, found in json.loads(reply).items()})


def repeat_windows(cohort: Cohort) -> Cohort:
    """Put the first window of each subject in place of all the others."""
    _, first, subject = np.unique(cohort.subjects, return_index=True, return_inverse=True)
    return changed(cohort, X=np.array(cohort.X[first[subject]]))


def who_is_in(X: object, y: object, cohort: Cohort) -> NDArray[np.str_] | None:
    """Return a name for the subject of each row, or None where rows cannot be told or are whole.

    Parameters
    ----------
    X, y
        What a splitter was handed: features of windows of a cohort that repeats them, and targets.
    cohort
        The one that the study was handed.
    """
    subjects, sizes = np.unique(cohort.subjects, return_counts=True)
    named = _by_target(y, cohort)
    # Equal rows are told apart from others even where targets were scaled.
    for names in (_by_row(X) if named is None else named, named):
        if names is None:
            continue
        _, counts = np.unique(names, return_counts=True)
        is_inner = 1 < len(counts) < len(subjects)
        if is_inner and 1 < counts.max() <= sizes.max():
            return names
    return None


def _session(study: Study, cohort: Cohort, seed: int) -> bytes:
    repeated = repeat_windows(cohort)
    recorded: dict[bytes, dict[str, Any]] = {}
    wrap_splitters(partial(_recording, recorded, repeated))
    fits = watch_transformations(repeated)
    Streams()
    with leaving_nothing():
        study(repeated, seed=seed)
    return to_json({"splits": list(recorded.values()), "fits": fits})


def _recording(
    recorded: dict[bytes, dict[str, Any]], cohort: Cohort, split: Callable[..., Any]
) -> Callable[..., Any]:
    @wraps(split)
    def wrapped(self: object, X: Any, y: Any = None, *args: Any, **kwargs: Any) -> Iterator[Any]:  # noqa: ANN401
        names = who_is_in(X, _target_of_network() if y is None else y, cohort)
        for train, valid in split(self, X, y, *args, **kwargs):
            if names is not None:
                shared = np.intersect1d(names[train], names[valid]).tolist()
                key = np.sort(train).tobytes() + b"/" + np.sort(valid).tobytes()
                recorded.setdefault(key, {"by": type(self).__name__, "shared": shared})
            yield train, valid

    return wrapped


def _target_of_network() -> object:
    """Return what skorch splits, which hands a splitter nothing but row numbers."""
    caller = sys._getframe(2)  # noqa: SLF001 - the one that goes through a splitter's splits
    of_skorch = caller.f_globals.get("__name__") == "skorch.dataset"
    return caller.f_locals.get("y") if of_skorch else None


def _by_target(y: object, cohort: Cohort) -> NDArray[np.str_] | None:
    """Name each row by the subject that alone has its target."""
    names, first = np.unique(cohort.subjects, return_index=True)
    order = np.argsort(cohort.y[first])
    names, targets = names[order], cohort.y[first][order]
    tolerance = _SINGLE * float(np.abs(targets).max())
    try:
        given = np.asarray(y, dtype=np.float64).reshape(-1)
    except (TypeError, ValueError):
        return None
    if not np.isfinite(given).all() or (np.diff(targets) <= 2 * tolerance).any():
        return None
    nearest = np.abs(given[:, None] - targets).argmin(axis=1)
    is_known = np.abs(given - targets[nearest]) <= tolerance
    return names[nearest] if is_known.all() else None


def _by_row(X: object) -> NDArray[np.str_] | None:
    """Give equal rows of features one name, and none to what is handed over by name or number."""
    try:
        rows = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    if rows.ndim == 1 or not np.isfinite(rows).all():
        return None
    rows = rows.reshape(len(rows), -1)
    deviation = rows.std(axis=0)
    scaled = np.round(rows / np.where(deviation > 0, deviation, 1.0), _DECIMALS)
    _, number = np.unique(scaled, axis=0, return_inverse=True)
    return np.array([f"subject {one + 1} of the training set" for one in number.reshape(-1)])

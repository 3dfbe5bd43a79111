"""The scikit-learn transformations that a study fits, and on how many subjects, while it runs."""

from __future__ import annotations

from functools import partial, wraps
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from pfactor_bench.types import Cohort

__all__ = ["count_subjects", "watch_transformations"]

_FITS = ("fit", "fit_transform")
#: What a transformation keeps that was not learnt from the rows.
_COUNTS = ("n_", "feature_names_in_")
#: Rows that agree to so many decimals, in deviations of each column, are one subject's.
_DECIMALS = 5


def watch_transformations(cohort: Cohort) -> list[dict[str, Any]]:
    """Record from now on, in this process, every transformation that is fitted on subjects.

    Parameters
    ----------
    cohort
        What is about to be run on: all windows of a subject are alike.

    Returns
    -------
    list of dict
        Filled by each fit: ``what``, the class, and ``n_subjects``, of which it saw rows.
    """
    from sklearn.base import TransformerMixin

    fits: list[dict[str, Any]] = []
    wrap = partial(_recording, fits, cohort)

    def wrap_class(cls: type) -> None:
        for name in _FITS:
            if name in vars(cls):
                setattr(cls, name, wrap(vars(cls)[name]))

    for known in _subclasses(TransformerMixin):
        wrap_class(known)
    prepare = TransformerMixin.__init_subclass__.__func__

    def wrap_later(cls: type, /, **kwargs: Any) -> None:  # noqa: ANN401 - scikit-learn's
        prepare(cls, **kwargs)
        wrap_class(cls)

    TransformerMixin.__init_subclass__ = classmethod(wrap_later)
    return fits


def count_subjects(X: object, cohort: Cohort) -> int | None:
    """Return how many subjects rows are of, None where rows are no subject's windows or means.

    Parameters
    ----------
    X
        What was handed to a fit: rows made of windows of a cohort that repeats them.
    cohort
        That one.
    """
    try:
        rows = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    if rows.ndim < 2 or not len(rows):  # noqa: PLR2004 - rows and columns
        return None
    rows = rows.reshape(len(rows), -1)
    deviation = np.nanstd(rows, axis=0)
    scaled = np.round(rows / np.where(deviation > 0, deviation, 1.0), _DECIMALS)
    _, counts = np.unique(scaled, axis=0, return_counts=True)
    _, sizes = np.unique(cohort.subjects, return_counts=True)
    is_windows = counts.max() > 1 and set(counts.tolist()) <= set(sizes.tolist())
    # As many rows as channels or samples may be those instead.
    is_means = counts.max() == 1 and len(rows) not in cohort.X.shape[1:]
    return len(counts) if (is_windows or is_means) and len(counts) <= len(sizes) else None


def _subclasses(cls: type) -> set[type]:
    found: set[type] = set(cls.__subclasses__())
    return found.union(*map(_subclasses, found))


def _recording(
    fits: list[dict[str, Any]], cohort: Cohort, fit: Callable[..., Any]
) -> Callable[..., Any]:
    @wraps(fit)
    def wrapped(self: object, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        answer = fit(self, *args, **kwargs)
        rows = args[0] if args else next(iter(kwargs.values()), None)
        n_subjects = count_subjects(rows, cohort)
        if n_subjects is not None and _has_learnt(self):
            entry = {"what": type(self).__name__, "n_subjects": n_subjects}
            if entry not in fits:
                fits.append(entry)
        return answer

    return wrapped


def _has_learnt(fitted: object) -> bool:
    """Say whether a fit has left anything but counts and names of columns."""
    return any(name.endswith("_") and not name.startswith(("_", *_COUNTS)) for name in vars(fitted))

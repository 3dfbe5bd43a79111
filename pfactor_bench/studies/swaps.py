"""Subjects that swap parts of their recordings: channels of the signal, columns of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.studies.changes import changed, with_columns

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from pfactor_bench.types import Cohort

__all__ = ["swap_channels", "swap_columns"]


def swap_channels(cohort: Cohort, channels: Collection[str], subjects: Collection[str]) -> Cohort:
    """Give some subjects each another's signal in some channels, in an order of no meaning."""
    X, source = np.array(cohort.X), _windows_of_another(cohort, subjects)
    at = [number for number, name in enumerate(cohort.ch_names) if name in channels]
    X[:, at] = cohort.X[source][:, at]
    return changed(cohort, X=X)


def swap_columns(cohort: Cohort, columns: Collection[str]) -> Cohort:
    """Give all subjects each another's values in some columns, in an order of no meaning."""
    source = _windows_of_another(cohort, np.unique(cohort.subjects).tolist())
    return with_columns(cohort, {name: cohort.table[name].to_numpy()[source] for name in columns})


def _windows_of_another(cohort: Cohort, subjects: Collection[str]) -> NDArray[np.int64]:
    """Return for each window one of another subject's, again from the first where there are few."""
    source = np.arange(len(cohort.y))
    names = np.random.default_rng(0).permutation(sorted(subjects))
    for mine, other in zip(names, np.roll(names, 1), strict=True):
        rows = np.flatnonzero(cohort.subjects == mine)
        source[rows] = np.resize(np.flatnonzero(cohort.subjects == other), len(rows))
    return source

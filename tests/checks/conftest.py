"""Small cohorts and splits that the tests of checks share."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pfactor_bench.cohorts import fingerprint
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.splits.splitters import grouped_k_fold, split_from_indices

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from pfactor_bench.types import Cohort, Split


@pytest.fixture(scope="session")
def cohort() -> Cohort:
    """Return nine subjects of four windows each."""
    return synthetic(n_subjects=9, n_windows=4, seed=1)


@pytest.fixture(scope="session")
def split(cohort: Cohort) -> Split:
    """Return three folds that hold three subjects out each."""
    return grouped_k_fold(n_folds=3)(cohort.subjects)


@pytest.fixture(scope="session")
def by_window(cohort: Cohort) -> Split:
    """Return a split that splits windows, not subjects."""
    windows = np.arange(len(cohort.y))
    held_out = windows % 4 == 1
    return split_from_indices("by-window", [(windows[~held_out], windows[held_out])])


@pytest.fixture(scope="session")
def changed() -> Callable[..., Cohort]:
    """Return a function that changes a cohort's parts and takes its fingerprint anew."""
    return _changed


def _changed(cohort: Cohort, table: pd.DataFrame | None = None, **parts: object) -> Cohort:
    if table is not None:
        parts["table"] = table
    new = replace(cohort, **parts)
    content = {name: getattr(new, name) for name in inspect.signature(fingerprint).parameters}
    return replace(new, fingerprint=fingerprint(**content))

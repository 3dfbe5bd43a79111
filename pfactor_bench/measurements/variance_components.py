"""How much of the spread of errors is due to people, seeds and folds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.measurements.family import Family, Number, Place
from pfactor_bench.measurements.held_out import held_out
from pfactor_bench.statistics.variance import SOURCES, VarianceComponent, variance_components

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from pfactor_bench.types import Cohort, Measurement, Split

__all__ = ["FAMILY", "measure_spread"]

_SPREAD = Number(
    name="{regime}/spread/{source}",
    case="{regime}",
    words="what a source alone adds to the standard error of the mean squared error",
    unit="score²",
    places={
        "source": Place(
            words=f"a source of variance: {', '.join(f'`{one}`' for one in SOURCES)}",
            values=lambda _plan: SOURCES,
        )
    },
)


def measure_spread(
    cohort: Cohort, split: Split, arrays: Mapping[str, NDArray[Any]], *, regimes: Iterable[str]
) -> tuple[Measurement, ...]:
    """Return how much of the spread of squared errors is due to people, seeds and folds.

    Returns
    -------
    tuple of Measurement
        ``<regime>/spread/<source>``: what the source alone adds to the standard error of the
        regime's mean squared error, in squared score units.
    """
    rows = held_out(cohort, split)
    names, first = np.unique(rows.subjects, return_index=True)
    folds = rows.folds[first]
    return tuple(
        _SPREAD.measured(
            part.se_of_mean,
            n_subjects=len(names),
            missing_because=part.missing_because,
            regime=regime,
            source=part.source,
        )
        for regime in regimes
        for part in _components((arrays[f"{regime}/y_pred"] - arrays["y_true"]) ** 2, folds)
    )


def _components(
    errors: NDArray[np.float64], folds: NDArray[np.str_]
) -> tuple[VarianceComponent, ...]:
    if np.isfinite(errors).all():
        return variance_components(errors, folds)
    reason = "not every person has a finite prediction"
    return tuple(
        VarianceComponent(source=source, variance=None, se_of_mean=None, missing_because=reason)
        for source in SOURCES
    )


FAMILY = Family(
    order=30,
    title="Variance components",
    numbers=(_SPREAD,),
    measure=lambda run: measure_spread(run.cohort, run.split, run.arrays, regimes=run.regimes),
)

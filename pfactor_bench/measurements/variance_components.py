"""How much of the spread of errors is due to subjects, seeds and folds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.measurements.family import Family, Number, Place
from pfactor_bench.measurements.held_out import held_out
from pfactor_bench.statistics.variance import SOURCES, VarianceComponent, variance_components

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pfactor_bench.measurements.family import Outcome
    from pfactor_bench.types import Measurement

__all__ = ["FAMILY", "measure"]

_SPREAD = Number(
    name="{regime}/variance/{source}",
    case="{regime}",
    words="what a source alone adds to the standard error of the mean squared error",
    unit="target²",
    places={
        "source": Place(
            words=f"a source of variance: {', '.join(f'`{one}`' for one in SOURCES)}",
            values=lambda _plan: SOURCES,
        )
    },
)


def measure(run: Outcome) -> Iterator[Measurement]:
    """Yield how much of the spread of squared errors is due to subjects, seeds and folds."""
    rows = held_out(run.cohort, run.split)
    names, first = np.unique(rows.subjects, return_index=True)
    for regime in run.regimes:
        errors = (run.arrays[f"{regime}/y_pred"] - run.arrays["y_true"]) ** 2
        for part in _components(errors, rows.folds[first]):
            yield _SPREAD.measured(
                part.se_of_mean,
                n_subjects=len(names),
                missing_because=part.missing_because,
                regime=regime,
                source=part.source,
            )


def _components(
    errors: NDArray[np.float64], folds: NDArray[np.str_]
) -> tuple[VarianceComponent, ...]:
    if np.isfinite(errors).all():
        return variance_components(errors, folds)
    reason = "not every subject has a finite prediction"
    return tuple(
        VarianceComponent(source=source, variance=None, se_of_mean=None, missing_because=reason)
        for source in SOURCES
    )


FAMILY = Family(
    order=30,
    title="Variance components",
    numbers=(_SPREAD,),
    measure=measure,
)

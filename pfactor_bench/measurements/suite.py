"""Every number of a suite: what follows from its cases' results and from its encoders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.measurements.family import Family, Outcome
from pfactor_bench.measurements.held_out import pooled_arrays
from pfactor_bench.measurements.missing import complete_regimes
from pfactor_bench.registry import found_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pfactor_bench.config import Suite
    from pfactor_bench.training.pretraining.checkpoints import Encoder
    from pfactor_bench.types import Case, CaseResult, Cohort, Measurement, Split

__all__ = ["families", "measure_suite"]


def families() -> tuple[Family, ...]:
    """Return every family of numbers of this folder, in the order in which a record has them."""
    found: tuple[Family, ...] = found_in("pfactor_bench.measurements", "FAMILY")
    return found


def measure_suite(
    suite: Suite,
    cohort: Cohort,
    split: Split,
    results: Mapping[Case, CaseResult],
    encoders: Mapping[Case, Mapping[str, Encoder]],
) -> tuple[Measurement, ...]:
    """Return every number that a run's claims may speak of.

    Parameters
    ----------
    suite, cohort, split
        What was run, on whom, and how they were divided.
    results
        Of the cases that have one.
    encoders
        What each case started from, by fold; where it is empty, nothing is said of encoders.
    """
    run = Outcome(
        cohort=cohort,
        split=split,
        baselines=suite.baselines,
        results=results,
        encoders=encoders,
        arrays=pooled_arrays(cohort, split, results),
        regimes=complete_regimes(suite.cases, {case.id for case in results}),
    )
    return tuple(number for family in families() for number in family.measure(run))

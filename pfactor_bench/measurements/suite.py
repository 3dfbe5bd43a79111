"""Every number of a suite: what follows from its cases' results and from its encoders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.measurements.baselines import measure_ladder
from pfactor_bench.measurements.cases import measure, pooled_arrays
from pfactor_bench.measurements.confounds import measure_confounds
from pfactor_bench.measurements.missing import complete_regimes
from pfactor_bench.measurements.regimes import compare_starts
from pfactor_bench.measurements.shuffled_scores import measure_shuffles, shuffled_correlations
from pfactor_bench.measurements.sources import measure_sources
from pfactor_bench.measurements.variance import measure_spread
from pfactor_bench.models.baselines import BASELINES
from pfactor_bench.records.facts import manifests_by_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pfactor_bench.config import Suite
    from pfactor_bench.models.baselines import Baseline
    from pfactor_bench.registry import Registry
    from pfactor_bench.training.pretraining.checkpoints import Encoder
    from pfactor_bench.types import Case, CaseResult, Cohort, Measurement, Split

__all__ = ["measure_results", "measure_suite"]


def measure_suite(
    suite: Suite,
    cohort: Cohort,
    split: Split,
    results: Mapping[Case, CaseResult],
    encoders: Mapping[Case, Mapping[str, Encoder]],
    *,
    baselines: Mapping[str, Baseline] | Registry[Baseline] = BASELINES,
) -> tuple[Measurement, ...]:
    """Return every number that a run's claims may speak of.

    Parameters
    ----------
    suite, cohort, split
        What was run, on whom, and how they were divided.
    results
        Of the cases that have one.
    encoders
        What each case started from, by fold.
    baselines
        Where the names of the suite's baselines are looked up.
    """
    return (
        *measure_results(suite, cohort, split, results, baselines=baselines),
        *measure_sources(manifests_by_model(encoders)),
    )


def measure_results(
    suite: Suite,
    cohort: Cohort,
    split: Split,
    results: Mapping[Case, CaseResult],
    *,
    baselines: Mapping[str, Baseline] | Registry[Baseline] = BASELINES,
) -> tuple[Measurement, ...]:
    """Return every number that follows from predictions, curves and saliency maps.

    Regimes that lack a case are not compared with anything.
    """
    arrays = pooled_arrays(cohort, split, results)
    regimes = complete_regimes(suite.cases, {case.id for case in results})
    return (
        *measure(cohort, split, results),
        *measure_ladder(
            cohort,
            split,
            arrays,
            baselines=suite.baselines,
            regimes=regimes,
            registered=baselines,
        ),
        *measure_spread(cohort, split, arrays, regimes=regimes),
        *measure_confounds(cohort, arrays, regimes=regimes),
        *measure_shuffles(arrays, shuffled_correlations(cohort, split, arrays, regimes=regimes)),
        *compare_starts(
            [case for case in results if case.regime in regimes],
            arrays,
            split=split,
            subjects=cohort.subjects,
        ),
    )

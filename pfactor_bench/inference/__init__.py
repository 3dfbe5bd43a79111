"""What can be said about a population of people from the people that were held out.

Every interval resamples or averages *people*: the windows and the seeds of one person move
together. Which method serves which metric was chosen by measured coverage, see docs/calibration.md.
"""

from __future__ import annotations

from pfactor_bench.inference.comparisons import (
    corrected_resampled_t,
    holm,
    paired_differences,
    people_for_power,
    practically_equal,
)
from pfactor_bench.inference.correlations import (
    pearson_interval,
    permutation_p_value,
    spearman_interval,
)
from pfactor_bench.inference.intervals import metric_intervals
from pfactor_bench.inference.means import mean_interval
from pfactor_bench.inference.ratios import ratio_interval
from pfactor_bench.inference.squares import difference_interval, mse_interval
from pfactor_bench.inference.variance import VarianceComponent, variance_components

__all__ = [
    "VarianceComponent",
    "corrected_resampled_t",
    "difference_interval",
    "holm",
    "mean_interval",
    "metric_intervals",
    "mse_interval",
    "paired_differences",
    "pearson_interval",
    "people_for_power",
    "permutation_p_value",
    "practically_equal",
    "ratio_interval",
    "spearman_interval",
    "variance_components",
]

"""What an interval speaks of, and what follows from that for its width.

In cross-validation every subject is tested once and trains the models of all other folds. The terms
of a mean over held-out subjects then come in pairs, and a standard error that takes them as
independent is too small. Where there is nothing to gain, the variance of a gain is exactly twice
the naive one (a degenerate U-statistic); where models shrink towards the mean and there is
something to gain, a subject's two parts add up to as much as four times it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pfactor_bench.types import Estimand

__all__ = ["CROSS_VALIDATED", "HELD_OUT", "SCALE_FREE", "Evaluation", "per_cluster", "t_quantile"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """How predictions of held-out subjects came about.

    Parameters
    ----------
    estimand
        What an interval over them speaks of.
    at_null
        By how much the standard error over subjects grows where two errors are equal.
    elsewhere
        By how much it grows where they differ as much as was seen, or more.
    words, words_at_null
        What the description of a method adds, and of one that knows where two errors are equal.
    """

    estimand: Estimand
    at_null: float
    elsewhere: float
    words: str = ""
    words_at_null: str = ""

    def without_null(self) -> Evaluation:
        """Return the same for what has no value at which its terms lose all they have in common."""
        return replace(self, at_null=self.elsewhere, words_at_null=self.words)

    def factor(self, share: float) -> float:
        """Return by how much the standard error grows at a share of the difference seen."""
        least, most = self.at_null**2, self.elsewhere**2
        return math.sqrt(least + (most - least) * min(max(share, 0.0), 1.0))


#: One set of subjects was held out of the training of every model.
HELD_OUT = Evaluation(estimand="models", at_null=1.0, elsewhere=1.0)

#: Every subject was held out of some models and trained others. The factors are derived above, and
#: their coverage is measured in docs/calibration.md.
CROSS_VALIDATED = Evaluation(
    estimand="procedure",
    at_null=math.sqrt(2),
    elsewhere=2.0,
    words=", twice as wide for models refitted in cross-validation",
    words_at_null=", for models refitted in cross-validation twice as wide (√2 times towards 0)",
)

#: The same for what does not change with the size of predictions, such as r: shrinking them does
#: not make a subject count more in training.
SCALE_FREE = Evaluation(
    estimand="procedure",
    at_null=math.sqrt(2),
    elsewhere=math.sqrt(2),
    words=", √2 times as wide for models refitted in cross-validation",
)


@lru_cache(maxsize=1024)
def t_quantile(level: float, df: int) -> float:
    """Return the half-width of Student's interval, in standard errors."""
    return float(stats.t.ppf((1 + level) / 2, df))


def per_cluster(values: NDArray[np.float64], clusters: NDArray[np.str_]) -> NDArray[np.float64]:
    """Return one entry per cluster, whose mean is that of the subjects.

    Deviations from the mean are summed in each cluster, so that the entries' spread is the
    cluster-robust one (Liang and Zeger 1986, doi:10.1093/biomet/73.1.13), whatever the clusters'
    sizes.

    Parameters
    ----------
    values
        One entry per subject, shape ``(n_subjects,)``.
    clusters
        The family or site of each, shape ``(n_subjects,)``.
    """
    names, inverse = np.unique(clusters, return_inverse=True)
    mean = float(values.mean())
    sums = np.bincount(inverse, weights=values - mean)
    return np.asarray(mean + sums * (len(names) / len(values)), dtype=np.float64)

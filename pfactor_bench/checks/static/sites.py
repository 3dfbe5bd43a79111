"""Static checks of where subjects come from: families, sites, releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, passed, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.checks.static.rows import row_keys

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.types import Cohort, Scalar, Split


__all__: list[str] = []

_ORIGINS = ("family", "site", "release")


@check("LK009", kinds=(9,), severity="weakness", columns=_ORIGINS)
def shared_origin(cohort: Cohort, split: Split) -> Outcome:
    """Find families, sites and releases that stand in train and test.

    How it is detected
    ------------------
    Columns named family, site or release are intersected fold by fold. A shared family is a leak.
    A shared site or release is reported where its mean target differs from the others' by more than
    chance allows (10,000 permutations over subjects, p < 0.01), since the site then predicts.

    Why it matters
    --------------
    Siblings share brains and targets; sites and releases differ in hardware and in who was
    recruited. A model may learn the origin and answer with its mean.

    How to fix it
    -------------
    Use the family as the group of the split, and report leave-one-site-out beside the main number.

    What it cannot see
    ------------------
    Relations that the table does not name.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L3.2.
    """
    from pfactor_bench.cohorts.targets import is_known

    columns = [name for name in _ORIGINS if name in cohort.table.columns]
    evidence: list[dict[str, Scalar]] = []
    for column in columns:
        keys, names = row_keys(cohort.table, [column])
        known = is_known(cohort.table[column])
        p = (
            None
            if column == "family"
            else _origin_p(cohort.subjects[known], cohort.y[known], keys[known])
        )
        if p is not None and p >= _ORIGIN_ALPHA:
            continue
        for fold in split.folds:
            train, test = fold.train[known[fold.train]], fold.test[known[fold.test]]
            evidence += [
                {"fold": fold.name, "column": column, "value": names[key], "p": p}
                for key in np.intersect1d(keys[train], keys[test])
            ]
    families = [row for row in evidence if row["column"] == "family"]
    if families:
        return failed(f"{len(families)} families are in train and test", evidence)
    if evidence:
        return warned(
            "subjects of one site or release are in train and test, and the target differs between "
            "them: a model may answer with the site's mean",
            evidence,
        )
    return passed(f"no family, and no site or release that predicts the target, of {columns}")


#: A difference between sites as large as this by chance alone, once in a hundred.
_ORIGIN_ALPHA = 0.01
_PERMUTATIONS = 10_000


def _origin_p(
    subjects: NDArray[np.str_], targets: NDArray[np.float64], keys: NDArray[np.int64]
) -> float:
    """Return how often subjects drawn at random into groups differ as much between them.

    Parameters
    ----------
    subjects, targets, keys
        The subject of each window, the subject's target, and the number of the origin.
    """
    _, first = np.unique(subjects, return_index=True)
    sites, y = keys[first], targets[first]
    _, groups = np.unique(sites, return_inverse=True)
    counts = np.bincount(groups).astype(np.float64)
    if len(counts) < 2:  # noqa: PLR2004 - one origin cannot predict
        return 1.0
    rng = np.random.default_rng(0)
    y = y - y.mean()

    def between(targets: NDArray[np.float64]) -> float:
        sums = np.bincount(groups, weights=targets)
        return float((sums**2 / counts).sum())

    observed = between(y) * (1 - 1e-12)
    hits = sum(between(rng.permutation(y)) >= observed for _ in range(_PERMUTATIONS))
    return (hits + 1) / (_PERMUTATIONS + 1)

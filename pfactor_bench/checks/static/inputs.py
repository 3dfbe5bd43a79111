"""Checks of what else could tell the target: siblings of the target, age, order of files."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, not_applicable, passed, warned
from pfactor_bench.checks.engine.registry import check

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.types import Cohort, Scalar

__all__ = ["tells_the_target"]

#: Target-derived variables of the same questionnaires; each one tells much of the others.
_SIBLINGS = frozenset(
    {"p_factor", "attention", "internalizing", "externalizing", "cbcl", "cbcl_total", "sdq"}
)
#: A column that correlates with the target as closely is the target in another unit.
_SAME_TARGET = 0.99
_ALPHA = 0.01
_PERMUTATIONS = 10_000


@check("LK015", kinds=(15,))
def target_among_inputs(cohort: Cohort, inputs: Sequence[str] = ()) -> Outcome:
    """Find the target and its siblings among the inputs, the channels and the table.

    How it is detected
    ------------------
    Names of inputs, channels and table columns are compared with the target and with target-derived
    variables of the same questionnaires; numeric columns with a correlation of 0.99 or more with
    the target count as the target. Among inputs or channels that fails; a column that merely lies
    in the table warns.

    Why it matters
    --------------
    Attention, internalizing and externalizing are items of the same form as the p-factor. A model
    that is given one of them does not predict from EEG.

    How to fix it
    -------------
    Remove these columns from what models can see.

    What it cannot see
    ------------------
    Siblings under other names; LK105 sees skill without signal.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L2.
    """
    used = [name for name in (*inputs, *cohort.ch_names) if tells_the_target(cohort, name)]
    if used:
        return failed(
            f"{used[0]!r} is an input and tells the target", [{"input": name} for name in used]
        )
    lying = [str(name) for name in cohort.table.columns if tells_the_target(cohort, str(name))]
    if lying:
        return warned(
            f"the table that studies are handed holds {lying[0]!r}, which tells the target",
            [{"column": name} for name in lying],
        )
    return passed("neither the target nor a sibling is among inputs, channels and columns")


@check("LK016", kinds=(16, 35), severity="weakness")
def proxies_of_the_target(cohort: Cohort) -> Outcome:
    """Find what else correlates with the target: age, sex, number of windows, order of files.

    How it is detected
    ------------------
    For each subject: every number in the table, every two-valued column, the number of windows,
    where they begin in the recording, and the place in the table. Rank correlations with the target
    are compared with those of 10,000 or more permutations of subjects; those below p = 0.01,
    divided by how many were tried, are a warning.

    Why it matters
    --------------
    A model may predict age and so the target. It then has skill, but not the skill that is claimed.

    How to fix it
    -------------
    Report a model of the confounds alone beside the main result, and test predictions for what
    they tell beyond them.

    What it cannot see
    ------------------
    Confounds that are not in the table. Whether a model uses one: LK105 sees those that need no
    signal.

    Source
    ------
    Spisak 2022, doi:10.1093/gigascience/giac082.
    """
    features = _subjects(cohort)
    y = _ranks(features.pop("target"))
    if not features:
        return not_applicable("subjects differ in nothing but their signal")
    rng = np.random.default_rng(0)
    # Of many columns each has to be so rare that fewer permutations could not show it.
    n_permutations = max(_PERMUTATIONS, int(2 * len(features) / _ALPHA))
    null = rng.permuted(np.tile(y, (n_permutations, 1)), axis=1)
    evidence: list[dict[str, Scalar]] = []
    for name, values in features.items():
        ranks = _ranks(values)
        r = float(ranks @ y)
        p = float((np.sum(np.abs(null @ ranks) >= abs(r) - 1e-12) + 1) / (n_permutations + 1))
        if p < _ALPHA / len(features):
            evidence.append({"proxy": name, "rank_r": round(r, 3), "p": p})
    if evidence:
        return warned(
            f"{evidence[0]['proxy']} correlates with the target across subjects", evidence
        )
    return passed(f"none of {', '.join(features)} correlates with the target across subjects")


def tells_the_target(cohort: Cohort, name: str) -> bool:
    """Say whether an input of this name is the target, its copy, or of the same questionnaires."""
    if name.casefold() in _SIBLINGS | {cohort.target.casefold()}:
        return True
    return abs(_column_correlations(cohort).get(name, 0.0)) >= _SAME_TARGET


def _subjects(cohort: Cohort) -> dict[str, NDArray[np.float64]]:
    """Return what differs between subjects, one number per subject, with the target."""
    _, first, inverse, counts = np.unique(
        cohort.subjects, return_index=True, return_inverse=True, return_counts=True
    )
    found = {"number of windows": counts.astype(float), "place in the table": first.astype(float)}
    for name in cohort.table.columns:
        if name not in {"sample_id", "subject", "start", "stop", "session", "run", "task"}:
            values = _as_numbers(cohort.table[name])
            if values is not None and np.array_equal(values[first][inverse], values):
                found[str(name)] = values[first]
    if "start" in cohort.table:
        start = cohort.table["start"].to_numpy(dtype=np.float64)
        earliest = np.full(len(first), np.inf)
        np.minimum.at(earliest, inverse, start)
        found["first start of a window"] = earliest
        found["mean start of windows"] = np.bincount(inverse, weights=start) / counts
    varying = {name: values for name, values in found.items() if np.ptp(values) > 0}
    return {**varying, "target": cohort.y[first]}


def _as_numbers(column: pd.Series[float]) -> NDArray[np.float64] | None:
    """Return a column as numbers without gaps: numeric ones, and words of two kinds."""
    values = column.to_numpy()
    if values.dtype.kind in "iuf":
        numbers = values.astype(np.float64)
        return numbers if np.isfinite(numbers).all() else None
    kinds, numbered = np.unique(values.astype(str), return_inverse=True)
    return numbered.astype(np.float64) if len(kinds) == 2 else None  # noqa: PLR2004 - two kinds


@lru_cache(maxsize=1)
def _column_correlations(cohort: Cohort) -> dict[str, float]:
    features = _subjects(cohort)
    y = _standardised(features.pop("target"))
    return {name: float(_standardised(values) @ y) for name, values in features.items()}


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks, ties sharing their mean rank, centred and of norm 1."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return _standardised((np.cumsum(counts) - (counts - 1) / 2)[inverse])


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = values - values.mean()
    norm = float(np.sqrt((centred**2).sum()))
    standardised: NDArray[np.float64] = centred / norm if norm > 0 else centred
    return standardised

"""Measure how often intervals cover the truth and verdicts are wrong, and write it down.

    python benchmarks/calibration.py [--cohorts 3000] [--seed 0] [--data DIR] [--out docs]

writes calibration.md and calibration.svg. Every number in them comes from this run.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from calibration_page import (
    COMPARED,
    METHODS,
    OTHERS,
    QUANTITIES,
    RIDGE,
    SUBJECTS,
    Results,
    draw,
    page,
)
from calibration_subjects import BOUNDARY, SCENARIOS, SEEDS, UNSEEN, Scenario, add_p_factor
from scipy import stats
from scipy.special import ndtr, ndtri
from tqdm import tqdm

from pfactor_bench.claims import judge
from pfactor_bench.seeds import seed_for
from pfactor_bench.statistics.correlations import pearson_interval
from pfactor_bench.statistics.intervals import metric_intervals
from pfactor_bench.statistics.means import mean_interval, resample_counts
from pfactor_bench.statistics.squares import difference_interval
from pfactor_bench.types import Claim, Interval, Measurement, Requirement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["BOUNDARY", "SCENARIOS", "coverage", "judged", "null_rate", "power_rate"]

FOLDS = 5
FEATURES = 10
ROUNDING = 1e-12

#: Resamples of one cohort. A record takes 10,000; over many cohorts their noise averages out.
DRAWS = 1_000


def judged(interval: Interval | str, value: float, n: int) -> str:
    """Return the verdict on "greater than 0"."""
    measurement = Measurement(
        name="m/skill",
        case="m",
        value=value,
        ci=interval if isinstance(interval, Interval) else None,
        n_subjects=n,
    )
    requirement = Requirement(above=0.0)
    claim = Claim(id="c", text="", measurement="m/skill", requirement=requirement)
    return judge([claim], [measurement])[0].status


def null_cohort(rng: np.random.Generator, n: int) -> tuple[Array, Array, Array]:
    """Cross-validate a ridge regression on features that know nothing of the targets.

    Five folds of subjects; a seed is a bootstrap of the training subjects. Returns true targets,
    predictions ``(SEEDS, n)`` and each fold's train mean.
    """
    y = rng.standard_normal(n)
    X = rng.standard_normal((n, FEATURES))
    y_pred, y_base = np.empty((SEEDS, n)), np.empty(n)
    for test in np.array_split(rng.permutation(n), FOLDS):
        train = np.setdiff1d(np.arange(n), test)
        y_base[test] = y[train].mean()
        for seed in range(SEEDS):
            drawn = rng.choice(train, len(train))
            penalised = X[drawn].T @ X[drawn] + FEATURES * np.eye(FEATURES)
            weights = np.linalg.solve(penalised, X[drawn].T @ (y[drawn] - y[drawn].mean()))
            y_pred[seed, test] = y[drawn].mean() + X[test] @ weights
    return y, y_pred, y_base


def null_rate(
    sample: Callable[[np.random.Generator, int], tuple[Array, Array, Array]],
    n: int,
    *,
    n_cohorts: int,
    seed: int,
) -> dict[str, float]:
    """Return how often each quantity is judged greater than 0, per cohort of `n` subjects."""
    rng = np.random.default_rng(seed_for("null", n, seed))
    held = dict.fromkeys(QUANTITIES, 0)
    for cohort in range(n_cohorts):
        values, intervals = estimates(*sample(rng, n), seed=cohort)
        for name in QUANTITIES:
            held[name] += judged(intervals[name], values[name], n) == "holds"
    return {name: count / n_cohorts for name, count in held.items()}


def power_rate(*, r: float, n: int, n_cohorts: int, seed: int) -> float:
    """Return how often a true `r` is judged greater than 0 from `n` subjects and one model."""
    rng = np.random.default_rng(seed_for("power", n, seed))
    held = 0
    for _ in range(n_cohorts):
        y = rng.standard_normal(n)
        prediction = r * y + np.sqrt(1 - r**2) * rng.standard_normal(n)
        interval = pearson_interval(y, prediction[np.newaxis])
        held += judged(interval, float(np.corrcoef(y, prediction)[0, 1]), n) == "holds"
    return held / n_cohorts


def estimates(
    y: Array, y_pred: Array, y_base: Array, *, seed: int
) -> tuple[dict[str, float], dict[str, Interval | str]]:
    """Return the value of each quantity that is judged and the package's interval of all."""
    error, base = ((y - y_pred) ** 2).mean(axis=0), (y - y_base) ** 2
    intervals = metric_intervals(y, y_pred, y_base, seed=seed, n_draws=DRAWS)
    return (
        {
            "skill": 1 - error.mean() / base.mean(),
            "r": float(np.mean([np.corrcoef(y, prediction)[0, 1] for prediction in y_pred])),
            "difference": float((base - error).mean()),
        },
        {
            **intervals,
            "r": intervals["pearson_r"],
            "difference": difference_interval(base, error),
        },
    )


def coverage(
    scenario: Scenario,
    n: int,
    *,
    n_cohorts: int,
    seed: int,
    methods: Sequence[str] = METHODS,
) -> dict[tuple[str, str], float]:
    """Return the share of cohorts whose interval holds the truth, by (quantity, method)."""
    rng = np.random.default_rng(seed_for("coverage", scenario.name, n, seed))
    truth = scenario.truth
    covered: dict[tuple[str, str], list[bool]] = {}
    for cohort in range(n_cohorts):
        y, y_pred, y_base = scenario.sample(rng, n)
        _, ours = estimates(y, y_pred, y_base, seed=cohort)
        rows = {"ours": {name: _ends(ours[name]) for name in (*QUANTITIES, *OTHERS)}}
        if len(methods) > 1 and cohort < COMPARED:
            rows |= _bootstraps(y, y_pred, y_base, seed=cohort)
            rows |= _of_differences(y, y_pred, y_base, seed=cohort)
        for method, ends in rows.items():
            for name, (low, high) in ends.items():
                covered.setdefault((name, method), []).append(low <= truth[name] <= high)
    return {key: float(np.mean(held)) for key, held in covered.items()}


def _ends(interval: Interval | str) -> tuple[float, float]:
    # No interval covers nothing: a reason must not count as a success.
    return (np.nan, np.nan) if isinstance(interval, str) else (interval.low, interval.high)


def _bootstraps(
    y: Array, y_pred: Array, y_base: Array, *, seed: int
) -> dict[str, dict[str, tuple[float, float]]]:
    """Return percentile and BCa intervals (Efron 1987), the usual ones, for comparison."""
    n = len(y)
    values = _weighted(np.ones((1, n)), y, y_pred, y_base)
    drawn = _weighted(
        np.concatenate(list(resample_counts(n, seed=seed, n_draws=1_000))), y, y_pred, y_base
    )
    without = _weighted(1 - np.eye(n), y, y_pred, y_base)
    found: dict[str, dict[str, tuple[float, float]]] = {"percentile": {}, "BCa": {}}
    for name in QUANTITIES:
        below = np.clip((drawn[name] < values[name]).mean(), 1e-3, 1 - 1e-3)
        influence = without[name].mean() - without[name]
        acceleration = (influence**3).sum() / (6 * (influence**2).sum() ** 1.5)
        shifted = ndtri(below) + ndtri(np.array([0.025, 0.975]))
        levels = ndtr(ndtri(below) + shifted / (1 - acceleration * shifted))
        found["percentile"][name] = tuple(np.quantile(drawn[name], [0.025, 0.975]))
        found["BCa"][name] = tuple(np.quantile(drawn[name], levels))
    return found


def _of_differences(
    y: Array, y_pred: Array, y_base: Array, *, seed: int
) -> dict[str, dict[str, tuple[float, float]]]:
    gains = (y - y_base) ** 2 - ((y - y_pred) ** 2).mean(axis=0)
    student = stats.t.interval(0.95, len(gains) - 1, gains.mean(), stats.sem(gains))
    bootstrap = mean_interval(gains, seed=seed, n_draws=DRAWS)
    return {
        "Student's t": {"difference": student},
        "symmetric bootstrap-t": {"difference": _ends(bootstrap)},
    }


def _weighted(counts: Array, y: Array, y_pred: Array, y_base: Array) -> dict[str, Array]:
    """Return each quantity for each row of how often a subject counts."""
    shares = counts / counts.sum(axis=1, keepdims=True)
    error, base = ((y - y_pred) ** 2).mean(axis=0), (y - y_base) ** 2
    mean_y, mean_p = (shares @ y)[:, np.newaxis], shares @ y_pred.T
    covariance = shares @ (y * y_pred).T - mean_y * mean_p
    variances = (shares @ y[:, np.newaxis] ** 2 - mean_y**2) * (shares @ y_pred.T**2 - mean_p**2)
    # A resample of one subject has no correlation; 0 is the neutral answer.
    known = variances > ROUNDING
    r = np.where(known, covariance / np.sqrt(np.where(known, variances, 1.0)), 0.0)
    return {
        "skill": 1 - (shares @ error) / (shares @ base),
        "r": r.mean(axis=1),
        "difference": shares @ (base - error),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate, then write the document and the figure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cohorts", type=int, default=3_000, help="per cell (default: 3000)")
    parser.add_argument("--seed", type=int, default=0, help="of all simulations (default: 0)")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder (default: docs)")
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("PFACTOR_BENCH_DATA"),
        help="folder that holds hbn/, for real p-factors (default: $PFACTOR_BENCH_DATA)",
    )
    options = parser.parse_args(arguments)
    if options.cohorts < 2:  # noqa: PLR2004 - a rate needs some
        parser.error(f"--cohorts is {options.cohorts}: simulate at least 2")
    settings = {"n_cohorts": options.cohorts, "seed": options.seed}
    nulls = {RIDGE: null_cohort, "skill exactly 0": BOUNDARY.sample}
    unseen = (*UNSEEN, *add_p_factor(options.data))
    results = Results(
        n_cohorts=options.cohorts,
        seed=options.seed,
        nulls={
            (name, n): null_rate(sample, n, **settings)
            for name, sample in nulls.items()
            for n in tqdm(SUBJECTS, desc=name)
        },
        chosen_by=_covered(SCENARIOS, METHODS, settings),
        unseen=_covered(unseen, ("ours",), settings),
        power=power_rate(r=0.137, n=416, **settings),
    )
    options.out.mkdir(parents=True, exist_ok=True)
    text = page(results)
    (options.out / "calibration.md").write_text(text, encoding="utf-8")
    draw(results.chosen_by, options.out / "calibration.svg")
    print(text)
    return 0


def _covered(
    scenarios: Sequence[Scenario], methods: Sequence[str], settings: dict[str, int]
) -> dict[tuple[str, int], dict[tuple[str, str], float]]:
    cells = [(scenario, n) for scenario in scenarios for n in SUBJECTS]
    return {
        (scenario.name, n): coverage(scenario, n, methods=methods, **settings)
        for scenario, n in tqdm(cells, desc="coverage")
    }


if __name__ == "__main__":
    raise SystemExit(main())

"""Measure how often intervals cover the truth and verdicts are wrong, and write it down.

    python benchmarks/calibration.py [--cohorts 2000] [--seed 0] [--out docs]

writes calibration.md and calibration.svg. Every number in them comes from this run.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri
from tabulate import tabulate
from tqdm import tqdm

from pfactor_bench.claims import judge
from pfactor_bench.inference import mean_interval, pearson_interval, ratio_interval
from pfactor_bench.inference.means import resample_counts
from pfactor_bench.power import Effect, power_at
from pfactor_bench.seeds import seed_for
from pfactor_bench.types import Claim, Interval, Measurement, Requirement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = [
    "QUANTITIES",
    "SCENARIOS",
    "Scenario",
    "coverage",
    "judged",
    "null_rate",
    "power_rate",
]

PEOPLE = (8, 20, 50, 130)
SEEDS = 5
FOLDS = 5
FEATURES = 10
TRAIN_MEAN_ERROR = 0.1
ROUNDING = 1e-12
QUANTITIES = ("skill", "r", "difference")
METHODS = ("ours", "percentile", "BCa")
RIDGE = "cross-validated ridge on noise"

#: What is aimed at: coverage from so many people on, and power.
COVERAGE = (0.93, 0.97)
CALIBRATED = 20
POWER = (0.75, 0.85)

PAGE = """# Calibration

Written by `python benchmarks/calibration.py --cohorts {n_cohorts} --seed {seed}`: {n_cohorts:,}
simulated cohorts per cell, so that a rate of 95 % has a simulation error of {error:.1%}.

{targets}

## How often nothing is taken for something

Share of cohorts in which "greater than 0" is judged to hold. In the first null a ridge regression
on noise is cross-validated over five folds of people with five seeds. In the second, predictions
are slightly related to the scores but so overconfident that their skill is exactly 0; only skill
and the difference in squared error are null there. A 95 % interval that covers as it says is
wrongly above 0 in 2.5 % of cohorts.

{nulls}

Cross-validation disturbs r in a way that no interval over people sees. Each person's score helps to
predict the others', so that the terms of r come in pairs: for a model of noise its variance is
about twice that of as many independent predictions, around a mean below 0. The two partly cancel
in "r > 0". Judge a cross-validated model by its skill, or r by permuting the labels of the whole
study and training again.

## How often intervals hold the truth

![Coverage by number of people](calibration.svg)

Ours: Fieller's interval for skill, a t-interval of Fisher's z with a jackknife over people for r, a
symmetric bootstrap-t for paired differences of squared error. Beside them the two bootstraps in
common use. Five seeds per person; the rows differ in the shape of the scores and in the strength of
the effect. The models are fixed here: what varies is who is held out.

{coverage}

## What this does not cover

- Other training people and other seeds. The intervals speak of other people given these very
  models. The variance decomposition and the corrected resampled t address the rest.
- Eight people: Fieller's interval is wide there, often very wide. Below eight no claim holds.
- Strong effects on heavy-tailed scores: the mean of squared errors is ruled by few people, and
  differences are covered less often than stated.
- MSE, MAE, R², nRMSE and Spearman's correlation, whose intervals are of the same families.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """A population of people and a model whose seeds partly agree.

    Parameters
    ----------
    scores
        ``normal``, ``skewed`` (gamma, skewness 1) or ``heavy-tailed`` (Student's t with 5 degrees
        of freedom); always mean 0 and variance 1.
    r
        Correlation between the scores and what the seeds have in common.
    spread
        Standard deviation of the predictions. Twice the attainable r makes skill exactly 0.
    agreement
        Correlation between two seeds' predictions, what the scores explain aside.
    """

    scores: str
    r: float
    spread: float
    agreement: float

    @property
    def name(self) -> str:
        """The scenario in a few words."""
        return f"{self.scores}, r = {self.truth['r']:.2f}, skill = {self.truth['skill']:+.2f}"

    @property
    def truth(self) -> dict[str, float]:
        """What an endless number of people would give."""
        attained = self.r * np.sqrt(self.agreement)
        mse = 1 - 2 * self.spread * attained + self.spread**2
        base = 1 + TRAIN_MEAN_ERROR**2
        return {"skill": 1 - mse / base, "r": float(attained), "difference": base - mse}

    def sample(self, rng: np.random.Generator, n: int) -> tuple[Array, Array, Array]:
        """Return true scores ``(n,)``, predictions ``(SEEDS, n)`` and train mean ``(n,)``."""
        if self.scores == "normal":
            y = rng.standard_normal(n)
        elif self.scores == "skewed":
            y = (rng.gamma(4, size=n) - 4) / 2
        else:
            y = rng.standard_t(5, size=n) / np.sqrt(5 / 3)
        common = self.r * y + np.sqrt(1 - self.r**2) * rng.standard_normal(n)
        own = rng.standard_normal((SEEDS, n))
        mixed = np.sqrt(self.agreement) * common + np.sqrt(1 - self.agreement) * own
        return y, self.spread * mixed, np.full(n, TRAIN_MEAN_ERROR)


#: An overconfident model of nothing, the field's effects at exactly no skill, and a strong effect.
SCENARIOS = tuple(
    Scenario(scores=scores, r=r, spread=spread, agreement=agreement)
    for scores in ("normal", "skewed", "heavy-tailed")
    for r, spread, agreement in ((0.0, 0.3, 0.5), (0.15, 0.27, 0.9), (0.5, 0.45, 0.8))
)

#: Skill exactly that of the train mean although r is not 0: the null that is hardest to keep.
BOUNDARY = Scenario(
    scores="normal",
    r=0.15,
    spread=0.15 * np.sqrt(0.9) + np.sqrt(0.15**2 * 0.9 + TRAIN_MEAN_ERROR**2),
    agreement=0.9,
)


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
    """Cross-validate a ridge regression on features that know nothing of the scores.

    Five folds of people; a seed is a bootstrap of the training people. Returns true scores,
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
    """Return how often each quantity is judged greater than 0, per cohort of `n` people."""
    rng = np.random.default_rng(seed_for("null", n, seed))
    held = dict.fromkeys(QUANTITIES, 0)
    for cohort in range(n_cohorts):
        values, intervals = estimates(*sample(rng, n), seed=cohort)
        for name in QUANTITIES:
            held[name] += judged(intervals[name], values[name], n) == "holds"
    return {name: count / n_cohorts for name, count in held.items()}


def power_rate(*, r: float, n: int, n_cohorts: int, seed: int) -> float:
    """Return how often a true `r` is judged greater than 0 from `n` people and one model."""
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
    """Return the value and the package's interval of each quantity."""
    error, base = ((y - y_pred) ** 2).mean(axis=0), (y - y_base) ** 2
    ratio = ratio_interval(error, base)
    if isinstance(ratio, Interval):
        ratio = Interval(low=1 - ratio.high, high=1 - ratio.low, level=0.95, method=ratio.method)
    return (
        {
            "skill": 1 - error.mean() / base.mean(),
            "r": float(np.mean([np.corrcoef(y, prediction)[0, 1] for prediction in y_pred])),
            "difference": float((base - error).mean()),
        },
        {
            "skill": ratio,
            "r": pearson_interval(y, y_pred),
            "difference": mean_interval(base - error, seed=seed, n_draws=1_000),
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
    covered = {(name, method): 0 for name in QUANTITIES for method in methods}
    for cohort in range(n_cohorts):
        y, y_pred, y_base = scenario.sample(rng, n)
        _, ours = estimates(y, y_pred, y_base, seed=cohort)
        rows = {"ours": {name: _ends(interval) for name, interval in ours.items()}}
        if len(methods) > 1:
            rows |= _bootstraps(y, y_pred, y_base, seed=cohort)
        for name, method in covered:
            low, high = rows[method][name]
            covered[name, method] += low <= truth[name] <= high
    return {key: count / n_cohorts for key, count in covered.items()}


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


def _weighted(counts: Array, y: Array, y_pred: Array, y_base: Array) -> dict[str, Array]:
    """Return each quantity for each row of how often a person counts."""
    shares = counts / counts.sum(axis=1, keepdims=True)
    error, base = ((y - y_pred) ** 2).mean(axis=0), (y - y_base) ** 2
    mean_y, mean_p = (shares @ y)[:, np.newaxis], shares @ y_pred.T
    covariance = shares @ (y * y_pred).T - mean_y * mean_p
    variances = (shares @ y[:, np.newaxis] ** 2 - mean_y**2) * (shares @ y_pred.T**2 - mean_p**2)
    # A resample of one person has no correlation; 0 is the neutral answer.
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
    parser.add_argument("--cohorts", type=int, default=2_000, help="per cell (default: 2000)")
    parser.add_argument("--seed", type=int, default=0, help="of all simulations (default: 0)")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder (default: docs)")
    options = parser.parse_args(arguments)
    if options.cohorts < 2:  # noqa: PLR2004 - a rate needs some
        parser.error(f"--cohorts is {options.cohorts}: simulate at least 2")
    settings = {"n_cohorts": options.cohorts, "seed": options.seed}
    nulls = {RIDGE: null_cohort, "skill exactly 0": BOUNDARY.sample}
    rates = {
        (name, n): null_rate(sample, n, **settings)
        for name, sample in nulls.items()
        for n in tqdm(PEOPLE, desc=name)
    }
    cells = [(scenario, n) for scenario in SCENARIOS for n in PEOPLE]
    covered = {
        (scenario.name, n): coverage(scenario, n, **settings)
        for scenario, n in tqdm(cells, desc="coverage")
    }
    power = power_rate(r=0.137, n=416, **settings)
    options.out.mkdir(parents=True, exist_ok=True)
    text = _document(rates, covered, power, options)
    (options.out / "calibration.md").write_text(text, encoding="utf-8")
    _draw(covered, options.out / "calibration.svg")
    print(text)
    return 0


def _document(
    rates: dict[tuple[str, int], dict[str, float]],
    covered: dict[tuple[str, int], dict[tuple[str, str], float]],
    power: float,
    options: argparse.Namespace,
) -> str:
    null_rows = [
        (name, n, *(f"{rate[q]:.1%}" if q != "r" or name == RIDGE else "" for q in QUANTITIES))
        for (name, n), rate in rates.items()
    ]
    null_headers = ("null", "people", "skill > 0", "r > 0", "difference > 0")
    coverage_rows = [
        (scenario, n, *(f"{cell[q, m]:.1%}" for q in QUANTITIES for m in METHODS))
        for (scenario, n), cell in covered.items()
    ]
    coverage_headers = ("scores", "people", *(f"{q}, {m}" for q in QUANTITIES for m in METHODS))
    return PAGE.format(
        n_cohorts=options.cohorts,
        seed=options.seed,
        error=_error(0.95, options.cohorts),
        targets=_table(_targets(rates, covered, power, options.cohorts), ("", "measured", "met")),
        nulls=_table(null_rows, null_headers),
        coverage=_table(coverage_rows, coverage_headers),
    )


def _targets(
    rates: dict[tuple[str, int], dict[str, float]],
    covered: dict[tuple[str, int], dict[tuple[str, str], float]],
    power: float,
    n_cohorts: int,
) -> list[tuple[str, str, str]]:
    limit = 0.05 + 2 * _error(0.05, n_cohorts)
    worst = max(rate["skill"] for rate in rates.values())
    beaten = (
        "a model of nothing beats the train mean in at most 5 % of cohorts (+ 2 errors: {:.1%})"
    )
    rows = [(beaten.format(limit), f"at most {worst:.1%}", _yes(met=worst <= limit))]
    low, high = COVERAGE
    for name in QUANTITIES:
        cells = {key: cell[name, "ours"] for key, cell in covered.items() if key[1] >= CALIBRATED}
        outside = [
            f"{share:.1%} ({scenario}, n = {n})"
            for (scenario, n), share in cells.items()
            if not low <= share <= high
        ]
        average = float(np.mean(list(cells.values())))
        inside = f"{len(cells) - len(outside)} of {len(cells)} cells inside"
        target = f"95 % intervals of {name} cover in {low:.0%} to {high:.0%}, n ≥ {CALIBRATED}"
        found = ", outside: ".join(filter(None, [inside, "; ".join(outside)]))
        rows.append((target, f"{average:.1%} on average; {found}", _yes(met=not outside)))
    low, high = POWER
    planned = power_at(Effect(kind="r", size=0.137), 416)
    rows.append(
        (
            f"power at r = 0.137 with 416 people lies between {low:.0%} and {high:.0%}",
            f"{power:.1%} (planned for: {planned:.1%})",
            _yes(met=low <= power <= high),
        )
    )
    return rows


def _table(rows: Sequence[tuple[object, ...]], headers: tuple[str, ...]) -> str:
    return tabulate(rows, headers=headers, tablefmt="github")


def _error(rate: float, n_cohorts: int) -> float:
    """Return the standard error of a simulated rate."""
    return float(np.sqrt(rate * (1 - rate) / n_cohorts))


def _yes(*, met: bool) -> str:
    return "yes" if met else "**no**"


def _draw(covered: dict[tuple[str, int], dict[tuple[str, str], float]], path: Path) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    colours = {"ours": "#1f4e79", "percentile": "#c8803a", "BCa": "#7a7a7a"}
    # Fixed ids and no date: the file changes only when a number does.
    with mpl.rc_context({"svg.hashsalt": "calibration"}):
        figure = Figure(figsize=(9, 3.2), layout="constrained")
        panels = figure.subplots(1, len(QUANTITIES), sharey=True)
        for axes, name in zip(panels, QUANTITIES, strict=True):
            axes.axhspan(0.93, 0.97, color="0.93", zorder=0)
            axes.axhline(0.95, color="0.7", linewidth=0.8, zorder=1)
            for number, method in enumerate(METHODS):
                for place, n in enumerate(PEOPLE):
                    shares = [cell[name, method] for (_, m), cell in covered.items() if m == n]
                    axes.plot(
                        np.full(len(shares), place + (number - 1) * 0.22),
                        shares,
                        "o",
                        markersize=4,
                        alpha=0.7,
                        markeredgewidth=0,
                        color=colours[method],
                        label=method if place == 0 else None,
                    )
            axes.set(title=name, xlabel="people", xticks=range(len(PEOPLE)), xticklabels=PEOPLE)
        panels[0].set_ylabel("coverage of 95 % intervals")
        panels[0].legend(frameon=False, loc="lower right", fontsize=8)
        figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    raise SystemExit(main())

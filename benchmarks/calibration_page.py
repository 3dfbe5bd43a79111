"""What the calibration benchmark found, as a page and a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from tabulate import tabulate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from calibration_models import Cell

    Found = Mapping[Cell, Mapping[str, float]]

__all__ = ["draw", "page"]

#: What is aimed at, from so many subjects on.
COVERAGE, CALIBRATED = 0.93, 20
NOTHING_HOLDS = 0.03

QUANTITIES = {
    "skill": "skill",
    "gain": "paired difference of squared errors",
    "r": "r (within folds, where there are several)",
    "mse": "MSE",
    "mae": "MAE",
    "r2": "R²",
}

PAGE = """# Calibration

Written by `python benchmarks/calibration.py --cohorts {n_cohorts} --seed {seed}`: {n_cohorts}
simulated cohorts per cell (50 where forests are grown, 100 for MAE), so that a rate of 95 % has a
simulation error of {error:.1%} ({error_forest:.1%}). A cell is a model, a kind of target, a share
of the latent target that the features explain, and a number of subjects. In cross-validation every
model is refitted in every fold of every cohort.

## What an interval speaks of

One held-out set: these models on new subjects, with the standard error over subjects.
Cross-validation: this procedure on new subjects, trained on as many others, with √2 times that
standard error where nothing is gained and twice where as much is gained as was seen, or more.

With several folds a subject is tested once and trains the models of the other folds. For a model of
nothing the gain over the train mean is a degenerate U-statistic: every pair of subjects counts
twice, so that its variance is twice the naive one. A model that shrinks towards the mean is linear
in its training targets: where there is something to find, a subject counts in training as much as
in testing, which makes it four times. The interval is the set of gains that a t-test does not
reject whose standard error grows from the one to the other. Judging "greater than 0" thus costs
√2, and the rest of the interval is wider still. Errors themselves (MSE, MAE, R²) have no such null
and are widened by 2 throughout.

r is judged within folds: pooled over folds, r of a model of nothing lies below 0 and spreads more
than an interval over subjects says. Its interval is √2 times as wide as that of given models.
Families, and groups that are left out together, are clusters, whose sums vary.

## What came of it

{targets}

Cells outside, with what they cover:

{outside}

## How often nothing is taken for something

Share of cohorts without any signal in which the claim is judged to hold alone, and what an
interval that takes the models as given says. r below 0 would be said to fail.

{nulls}

## What it costs

Share of cohorts with a signal in which the model is said to beat the train mean.

{power}

## How often intervals hold the truth

![Coverage of skill by number of subjects](calibration.svg)

{coverage}

## What this does not cover

- Seeds: each model here is fitted once per fold. Several seeds are averaged subject by subject, and
  "new seeds" are covered as far as they differ between the folds' models.
- Repeated folds average a subject's predictions: their skill is that of an ensemble of as many
  models, which is better than one model's.
- Ten subjects: coverage is shown, and aimed at from {least} on. Below eight no claim holds.
- MSE and MAE are covered more often than they need be where a model errs little because of its
  training subjects: the price of one rule for all models.
"""


def page(found: Found, *, n_cohorts: int, seed: int) -> str:
    """Return the document."""
    return PAGE.format(
        n_cohorts=n_cohorts,
        seed=seed,
        error=_error(0.95, n_cohorts),
        error_forest=_error(0.95, min(n_cohorts, 50)),
        least=CALIBRATED,
        targets=_table(list(_targets(found)), ("", "measured", "met")),
        outside="\n".join(f"- {line}" for line in _outside(found)) or "- none",
        nulls=_table(
            [
                (str(cell), *map(_percent, (rate.get(key) for key in _NULLS)))
                for cell, rate in found.items()
                if not cell.signal
            ],
            ("cell", "skill > 0", "skill > 0, models as given", "r > 0", "r < 0"),
        ),
        power=_table(
            [
                (str(cell), *map(_percent, (rate.get(key) for key in _NULLS[:3])))
                for cell, rate in found.items()
                if cell.signal
            ],
            ("cell", "skill > 0", "skill > 0, models as given", "r > 0"),
        ),
        coverage=_table(
            [
                (str(cell), *map(_percent, (rate.get(key) for key in _COVERED)))
                for cell, rate in found.items()
            ],
            ("cell", *_COVERED),
        ),
    )


_NULLS = ("skill > 0", "skill, given models > 0", "r > 0", "r < 0")
_COVERED = (*QUANTITIES, "skill, given models")


def _targets(found: Found) -> Iterator[tuple[str, str, str]]:
    for name, words in QUANTITIES.items():
        shares = _shares(found, name)
        inside = sum(share >= COVERAGE for share in shares)
        yield (
            f"95 % intervals of {words} cover in {COVERAGE:.0%} or more, n ≥ {CALIBRATED}",
            f"{inside} of {len(shares)} cells, {min(shares):.1%} to {max(shares):.1%}",
            "yes" if inside == len(shares) else "**no**",
        )
    noise = [rate["skill > 0"] for cell, rate in found.items() if not cell.signal]
    yield (
        f"noise beats the train mean in at most {NOTHING_HOLDS:.0%} of cohorts, in every cell",
        f"at most {max(noise):.1%}, {np.mean(noise):.1%} on average",
        "yes" if max(noise) <= NOTHING_HOLDS else "**no**",
    )


def _shares(found: Found, name: str) -> list[float]:
    return [rate[name] for cell, rate in found.items() if cell.n >= CALIBRATED and name in rate]


def _outside(found: Found) -> Iterator[str]:
    for cell, rate in found.items():
        low = {
            name: rate[name]
            for name in QUANTITIES
            if name in rate and cell.n >= CALIBRATED and rate[name] < COVERAGE
        }
        if low:
            yield f"{cell}: {', '.join(f'{name} {share:.1%}' for name, share in low.items())}"
        if not cell.signal and rate["skill > 0"] > NOTHING_HOLDS:
            yield f"{cell}: noise beats the train mean in {rate['skill > 0']:.1%}"


def _percent(rate: float | None) -> str:
    return "" if rate is None else f"{rate:.1%}"


def _table(rows: Sequence[tuple[Any, ...]], headers: tuple[str, ...]) -> str:
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)


def _error(rate: float, n_cohorts: int) -> float:
    """Return the standard error of a simulated rate."""
    return float(np.sqrt(rate * (1 - rate) / n_cohorts))


def draw(found: Found, path: Path) -> None:
    """Draw the coverage of skill by number of subjects, a dot per cell of cross-validation."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # Fixed ids and no date: the file changes only when a number does.
    with mpl.rc_context({"svg.hashsalt": "calibration"}):
        figure = Figure(figsize=(6, 3.2), layout="constrained")
        axes = figure.subplots()
        axes.axhspan(COVERAGE, 1.0, color="0.93", zorder=0)
        sizes = sorted({cell.n for cell in found})
        for shift, name, colour in (
            (-0.12, "skill, given models", "#c8803a"),
            (0.12, "skill", "#1f4e79"),
        ):
            crossed = [(c.n, rate[name]) for c, rate in found.items() if c.n_folds > 1]
            axes.plot(
                [sizes.index(n) + shift for n, _ in crossed],
                [share for _, share in crossed],
                "o",
                markersize=4,
                alpha=0.6,
                markeredgewidth=0,
                color=colour,
                label="models taken as given" if "given" in name else "refitted models",
            )
        axes.set(
            xlabel="subjects",
            ylabel="coverage of 95 % intervals of skill",
            xticks=range(len(sizes)),
            xticklabels=sizes,
        )
        axes.legend(frameon=False, loc="lower left", fontsize=8)
        figure.savefig(path, metadata={"Date": None})

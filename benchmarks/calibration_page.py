"""What the calibration benchmark found, as a page and a figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from calibration_subjects import P_FACTOR
from tabulate import tabulate

from pfactor_bench.statistics.power import Effect, power_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    Cells = Mapping[tuple[str, int], Mapping[tuple[str, str], float]]

__all__ = [
    "COMPARED",
    "METHODS",
    "OF_DIFFERENCES",
    "OTHERS",
    "QUANTITIES",
    "RIDGE",
    "SUBJECTS",
    "Results",
    "draw",
    "page",
]

SUBJECTS = (8, 20, 50, 130)
METHODS = ("ours", "percentile", "BCa")

#: Other methods than ours, which take most of the time, are tried on so many cohorts of a cell.
COMPARED = 1_000

#: What a difference of squared errors is compared with besides.
OF_DIFFERENCES = ("ours", "Student's t", "symmetric bootstrap-t")
RIDGE = "cross-validated ridge on noise"

#: What claims are made of, and what else a report gives an interval.
QUANTITIES = ("skill", "r", "difference")
OTHERS = ("mse", "mae", "r2", "nrmse", "spearman_r")

#: What is aimed at: coverage from so many subjects on, and power.
COVERAGE = (0.93, 0.97)
CALIBRATED = 20
POWER = (0.75, 0.85)

#: More cells outside than this are counted, not listed.
LISTED = 8

PAGE = """# Calibration

Written by `python benchmarks/calibration.py --cohorts {n_cohorts} --seed {seed}{data}`: {shown}
simulated cohorts per cell, so that a rate of 95 % has a simulation error of {error:.1%}; methods
other than ours are tried on {compared} of them.

{targets}

## How often nothing is taken for something

Share of cohorts in which "greater than 0" is judged to hold. In the first null a ridge regression
on noise is cross-validated over five folds of subjects with five seeds. In the second, predictions
are slightly related to the targets but so overconfident that their skill is exactly 0; only skill
and the difference in squared error are null there. A 95 % interval that covers as it says is
wrongly above 0 in 2.5 % of cohorts. Skill and the difference ask the same paired t-test, except
where so few subjects cannot tell the train mean's error from 0 and skill falls back on a jackknife.

{nulls}

Cross-validation disturbs r in a way that no interval over subjects sees. Each target helps to
predict the others', so that the terms of r come in pairs: for a model of noise its variance is
about twice that of as many independent predictions, around a mean below 0. The two partly cancel
in "r > 0". Judge a cross-validated model by its skill, or r by permuting the labels of the whole
study and training again.

## How often intervals hold the truth

![Coverage by number of subjects](calibration.svg)

Ours: Fieller's interval for skill, a t-interval of Fisher's z with a jackknife over subjects for r,
and for paired differences of squared error a paired t-interval that is wider away from 0. Beside
them the two bootstraps in common use. Five seeds per subject; the rows differ in the shape of the
targets and in the strength of the effect. The models are fixed here: who is held out varies.

{coverage}

### Differences of squared error

A strong effect on heavy-tailed targets rests on few subjects, and most samples lack them: the
mean difference and its spread are then too small together, and any interval built on that spread
ends short of the truth on the side away from 0. Ours inverts a paired t-test whose variance grows
with the difference that is tested, by the relative variance of the squared errors plus 1.5/n for
the tail that was not sampled. The 1.5, and the limit of 1.5 times Student's reach, were chosen on
the scenarios above with other random draws than those shown. Towards 0 the interval is Student's,
so that it costs no power. The same 1.5 widens the interval of MSE upwards.

{differences}

### Targets that played no part in the choice

{unseen_text}

{unseen}

No interval can cover the mean of every distribution (Bahadur and Savage 1956,
[doi:10.1214/aoms/1177728077](https://doi.org/10.1214/aoms/1177728077)): put a rare enough subject
far enough out, and no sample knows of them. The contaminated targets, one subject in twenty
from a normal distribution four times as wide, show where ours stops: these few carry nearly half of
the targets' variance, and one sample of 20 subjects in three holds none of them.

### The other metrics

MSE by a t-interval of its logarithm, wider upwards; MAE by a symmetric bootstrap-t of its
logarithm; R² and nRMSE by Fieller's interval of MSE over the targets' variance; Spearman's
correlation by Fisher's z with Bonett and Wright's variance.

{others}

## What this does not cover

- Other training subjects and other seeds. The intervals speak of other subjects given these very
  models. The variance decomposition and the corrected resampled t address the rest.
- Eight subjects: Fieller's interval is wide there, often very wide. Below eight no claim holds.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    """Everything that was measured.

    Parameters
    ----------
    n_cohorts, seed
        As asked for.
    nulls
        By null and number of subjects, how often each quantity is judged greater than 0.
    chosen_by, unseen
        By scenario and number of subjects, the coverage of each (quantity, method).
    power
        At r = 0.137 with 416 subjects.
    """

    n_cohorts: int
    seed: int
    nulls: Mapping[tuple[str, int], Mapping[str, float]]
    chosen_by: Cells
    unseen: Cells
    power: float


def page(results: Results) -> str:
    """Return the document."""
    null_rows = [
        (name, n, *(f"{rate[q]:.1%}" if q != "r" or name == RIDGE else "" for q in QUANTITIES))
        for (name, n), rate in results.nulls.items()
    ]
    null_headers = ("null", "subjects", "skill > 0", "r > 0", "difference > 0")
    columns = [(q, m) for q in QUANTITIES for m in METHODS]
    real = any(name.startswith(P_FACTOR) for name, _ in results.unseen)
    return PAGE.format(
        n_cohorts=results.n_cohorts,
        compared=f"the first {COMPARED:,}" if results.n_cohorts > COMPARED else "all",
        shown=f"{results.n_cohorts:,}",
        seed=results.seed,
        data=" --data DIR" if real else "",
        error=_error(0.95, results.n_cohorts),
        targets=_table(list(_targets(results)), ("", "measured", "met")),
        nulls=_table(null_rows, null_headers),
        coverage=_coverage_table(results.chosen_by, columns),
        differences=_coverage_table(
            results.chosen_by, [("difference", method) for method in OF_DIFFERENCES]
        ),
        unseen_text=_unseen_text(results, real=real),
        unseen=_coverage_table(results.unseen, [(q, "ours") for q in QUANTITIES]),
        others=_coverage_table(results.chosen_by, [(q, "ours") for q in OTHERS]),
    )


def _targets(results: Results) -> Iterator[tuple[str, str, str]]:
    limit = 0.05 + 2 * _error(0.05, results.n_cohorts)
    worst = max(rate["skill"] for rate in results.nulls.values())
    nothing = "a model of nothing beats the train mean in at most 5 % of cohorts"
    yield (
        f"{nothing} (+ 2 errors: {limit:.1%})",
        f"at most {worst:.1%}",
        _yes(met=worst <= limit),
    )
    low, high = COVERAGE
    for name in (*QUANTITIES, *OTHERS):
        shares, outside = _inside(results.chosen_by, name)
        target = f"95 % intervals of {name} cover in {low:.0%} to {high:.0%}, n ≥ {CALIBRATED}"
        found = f"{np.mean(shares):.1%} on average; {_in_words(shares, outside)}"
        yield target, found, _yes(met=not outside)
    low, high = POWER
    planned = power_at(Effect(kind="r", size=0.137), 416)
    yield (
        f"power at r = 0.137 with 416 subjects lies between {low:.0%} and {high:.0%}",
        f"{results.power:.1%} (planned for: {planned:.1%})",
        _yes(met=low <= results.power <= high),
    )


def _inside(cells: Cells, name: str) -> tuple[list[float], list[str]]:
    """Return the coverage of all cells with enough subjects, and those outside in words."""
    low, high = COVERAGE
    shares = {key: cell[name, "ours"] for key, cell in cells.items() if key[1] >= CALIBRATED}
    outside = [
        f"{share:.1%} ({scenario}, n = {n})"
        for (scenario, n), share in shares.items()
        if not low <= share <= high
    ]
    return list(shares.values()), outside


def _in_words(shares: Sequence[float], outside: Sequence[str]) -> str:
    inside = f"{len(shares) - len(outside)} of {len(shares)} cells inside"
    if not outside:
        return inside
    if len(outside) > LISTED:
        return f"{inside}, from {min(shares):.1%} to {max(shares):.1%}"
    return f"{inside}, outside: {'; '.join(outside)}"


def _unseen_text(results: Results, *, real: bool) -> str:
    found = "; ".join(f"{name}: {_in_words(*_inside(results.unseen, name))}" for name in QUANTITIES)
    subjects = (
        "and the p-factors of the Healthy Brain Network, drawn with replacement from all that are "
        "published"
        if real
        else "(real p-factors were not at hand)"
    )
    return (
        f"Laplace, exponential and contaminated targets {subjects}, with the same effects. From "
        f"{CALIBRATED} subjects on, {found}."
    )


def _coverage_table(cells: Cells, columns: Sequence[tuple[str, str]]) -> str:
    methods = {method for _, method in columns}
    headers = [f"{q}, {m}" if len(methods) > 1 else q for q, m in columns]
    rows = [
        (scenario, n, *(f"{cell[column]:.1%}" for column in columns))
        for (scenario, n), cell in cells.items()
    ]
    return _table(rows, ("targets", "subjects", *headers))


def _table(rows: Sequence[tuple[Any, ...]], headers: tuple[str, ...]) -> str:
    return tabulate(rows, headers=headers, tablefmt="github")


def _error(rate: float, n_cohorts: int) -> float:
    """Return the standard error of a simulated rate."""
    return float(np.sqrt(rate * (1 - rate) / n_cohorts))


def _yes(*, met: bool) -> str:
    return "yes" if met else "**no**"


def draw(covered: Cells, path: Path) -> None:
    """Draw coverage by number of subjects and method, a dot per scenario."""
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
                for place, n in enumerate(SUBJECTS):
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
            axes.set(
                title=name, xlabel="subjects", xticks=range(len(SUBJECTS)), xticklabels=SUBJECTS
            )
        panels[0].set_ylabel("coverage of 95 % intervals")
        panels[0].legend(frameon=False, loc="lower right", fontsize=8)
        figure.savefig(path, metadata={"Date": None})

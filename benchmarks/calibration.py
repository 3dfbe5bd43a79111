"""Whether intervals cover what they speak of, and how often nothing is taken for something.

python benchmarks/calibration.py --cohorts 150 --seed 0

Every cohort is cross-validated anew, so that training subjects vary as well as those held out. It
takes about ten minutes on one core, and writes docs/calibration.md and docs/calibration.svg.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from calibration_models import MODELS, TARGETS, Cell, simulate
from calibration_page import draw, page

from pfactor_bench.statistics.comparisons import paired_differences
from pfactor_bench.statistics.correlations import pearson_interval, within_fold_r
from pfactor_bench.statistics.evaluation import CROSS_VALIDATED, HELD_OUT
from pfactor_bench.statistics.intervals import metric_intervals
from pfactor_bench.statistics.ratios import ratio_interval
from pfactor_bench.types import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from calibration_models import Array, Cohorts

__all__ = ["cells", "main", "rates"]

SUBJECTS = (10, 20, 50, 100, 200)
SIGNALS = (0.0, 0.3)

#: A forest takes most of the time, and is fitted to so many cohorts at most.
FOREST_COHORTS = 50

#: Resamples of the only metric that needs any, MAE, and how many cohorts of a cell it is given to.
DRAWS, RESAMPLED = 400, 100


def cells() -> Iterator[Cell]:
    """Yield what is simulated: five folds, repeated folds, and subjects held out once."""
    for model in MODELS:
        for target in TARGETS if model != "forest" else ("normal",):
            for signal in SIGNALS:
                for n in SUBJECTS if model != "forest" else (20, 100):
                    yield Cell(model=model, target=target, signal=signal, n=n)
    for signal in SIGNALS:
        for model in ("ridge", "shrunken ridge"):
            yield Cell(model=model, target="normal", signal=signal, n=50, n_repeats=5)
            for n in SUBJECTS[1:4]:
                yield Cell(model=model, target="normal", signal=signal, n=n, n_folds=1)


def rates(cell: Cell, n_cohorts: int, *, seed: int) -> dict[str, float]:
    """Return how often each interval covers, lies above 0 and lies below 0.

    Keys are ``<quantity>``, ``<quantity> > 0`` and ``<quantity> < 0``; ``skill, given models`` is
    of the interval that takes models as given, for comparison.
    """
    if cell.model == "forest":
        n_cohorts = min(n_cohorts, FOREST_COHORTS)
    cohorts = simulate(cell, n_cohorts, seed=seed)
    found: dict[str, list[bool]] = {}
    for number in range(n_cohorts):
        for name, interval in _intervals(cell, cohorts, number).items():
            truth = cohorts.truth[name.partition(",")[0]][number]
            # What cannot be given leads nobody astray: it covers everything and decides nothing.
            low, high = (
                (interval.low, interval.high)
                if isinstance(interval, Interval)
                else (-np.inf, np.inf)
            )
            found.setdefault(name, []).append(bool(low <= truth <= high))
            found.setdefault(f"{name} > 0", []).append(bool(low > 0))
            found.setdefault(f"{name} < 0", []).append(bool(high < 0))
    return {name: float(np.mean(values)) for name, values in found.items()}


def _intervals(cell: Cell, cohorts: Cohorts, number: int) -> dict[str, Interval | str]:
    y, pred, base = cohorts.y[number], cohorts.pred[number][np.newaxis], cohorts.base[number]
    evaluation = CROSS_VALIDATED if cell.n_folds > 1 else HELD_OUT
    draws = DRAWS if number < RESAMPLED else 1
    metrics = metric_intervals(y, pred, base, seed=number, evaluation=evaluation, n_draws=draws)
    found = {name: metrics[name] for name in ("skill", "mse", "r2")}
    if number < RESAMPLED:
        found["mae"] = metrics["mae"]
    found["gain"] = paired_differences(y, pred, {"mean": base}, evaluation=evaluation)["mean"][1]
    found["skill, given models"] = _skill_of_given_models(y, pred[0], base)
    if cell.n_folds == 1:
        found["r"] = pearson_interval(y, pred)
    elif cell.n_repeats == 1:
        r = within_fold_r(y, pred, cohorts.folds.astype(str))
        found["r"] = r if isinstance(r, str) else r[1]
    return found


def _skill_of_given_models(y: Array, pred: Array, base: Array) -> Interval | str:
    ratio = ratio_interval((y - pred) ** 2, (y - base) ** 2)
    if isinstance(ratio, str):
        return ratio
    return Interval(low=1 - ratio.high, high=1 - ratio.low, level=0.95, method=ratio.method)


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate, and write the page and its figure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cohorts", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs")
    chosen = parser.parse_args(arguments)
    found = {}
    for number, cell in enumerate(cells()):
        found[cell] = rates(cell, chosen.cohorts, seed=1_000 * chosen.seed + number)
        print(cell, {name: round(rate, 3) for name, rate in found[cell].items()}, file=sys.stderr)
    chosen.out.mkdir(parents=True, exist_ok=True)
    text = page(found, n_cohorts=chosen.cohorts, seed=chosen.seed)
    (chosen.out / "calibration.md").write_text(text, encoding="utf-8")
    draw(found, chosen.out / "calibration.svg")


if __name__ == "__main__":
    main()

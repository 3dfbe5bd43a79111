"""A check of saved predictions that pile up at one end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.engine.outcomes import not_applicable, passed, warned
from pfactor_bench.checks.engine.registry import check

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.types import Cohort, Scalar

__all__: list[str] = []

#: So many predictions at one value are a pile, if so many others are nearly all different.
_PILE, _OTHERS, _DIFFERENT = 3, 5, 0.9
_ROUNDING = 1e-6


@check("LK038", kinds=(39,), severity="weakness")
def predictions_pile_up(predictions: pd.DataFrame, cohort: Cohort, study: object = None) -> Outcome:
    """Saved predictions that pile up at a highest or lowest value which is no target.

    How it is detected
    ------------------
    In each fold, three or more predictions have the highest or the lowest value of all, and nine
    tenths of the others have a value of their own. A value that is a subject's target is that of a
    clip to the training range, and passes. Models that give few different values do, too.

    Why it matters
    --------------
    Predictions that are clipped at a constant owe it to someone's choice, which may have been made
    by the error on the test set.

    How to fix it
    -------------
    Clip to the range of the training targets of each fold, or say where the constant comes from.

    What it cannot see
    ------------------
    Shifts and factors; LK113 finds those of a re-executable study.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804.
    """
    if study is not None:
        return not_applicable("LK113 runs the study on other targets")
    shown = predictions.dropna(subset=["y_pred"])
    by = [name for name in ("case", "regime", "seed", "fold") if name in shown]
    groups = [("all", shown)] if not by else shown.groupby(by)
    piles: list[tuple[str, float, int]] = []
    for name, table in groups:
        y_pred = table["y_pred"].to_numpy(dtype=np.float64)
        for side in (1.0, -1.0):
            value, n = _pile(side * y_pred)
            if n and np.abs(cohort.y - side * value).min() > _ROUNDING * (1 + abs(value)):
                piles.append((str(name), side * value, n))
    if piles:
        _, value, n = piles[0]
        evidence: list[dict[str, Scalar]] = [
            {"fold": name, "value": one, "predictions": many} for name, one, many in piles
        ]
        return warned(
            f"{n} predictions are {value:.6g} and none is beyond; that is no subject's target, so "
            f"they are clipped at a constant",
            evidence,
        )
    return passed("no predictions pile up at a value that is no target")


def _pile(y_pred: NDArray[np.float64]) -> tuple[float, int]:
    """Return the highest value and how many share it; none where the others repeat themselves."""
    highest = float(y_pred.max(initial=-np.inf))
    others = y_pred[y_pred < highest]
    n = len(y_pred) - len(others)
    if n < _PILE or len(others) < _OTHERS or len(np.unique(others)) < _DIFFERENT * len(others):
        return highest, 0
    return highest, n

"""A number that is claimed, and everything that it could have been computed from."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.reported import recompute as _recompute
from pfactor_bench.errors import StudyError
from pfactor_bench.types import Fold, Split

if TYPE_CHECKING:
    import pandas as pd

    from pfactor_bench.types import Cohort, Scalar

__all__ = ["ClaimSource", "claim_sources", "read_number", "standard_name", "subjects_and_windows"]

#: What papers call the metrics.
_OTHER_NAMES = {
    "corr": "r",
    "correlation": "r",
    "pearson": "r",
    "r^2": "r2",
    "r²": "r2",
    "rsquared": "r2",
    "spearman": "spearman_r",
    "rho": "spearman_r",
}
#: Stored floats carry rounding of their own.
_FLOAT = 1e-6


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimSource:
    """What a claimed number could have been computed from.

    Parameters
    ----------
    words
        What ends the sentence "it is the value …".
    numbers
        What comes out.
    """

    words: str
    numbers: tuple[float, ...]


def read_number(name: str, text: Scalar) -> tuple[float, float]:
    """Return a claimed number and half a unit of its last digit.

    Raises
    ------
    StudyError
        If it is no number.
    """
    try:
        number = Decimal(str(text))
    except InvalidOperation as error:
        raise StudyError(f"claim {name!r} is {text!r}: a claimed value is a number") from error
    if not number.is_finite():
        raise StudyError(f"claim {name!r} is {text!r}: a claimed value is a finite number")
    exponent = number.as_tuple().exponent
    last_digit = 10.0**exponent if isinstance(exponent, int) else 0.0
    return float(number), max(0.5 * last_digit, _FLOAT * max(1.0, abs(float(number))))


def standard_name(metric: str) -> str:
    """Return this project's name of a metric."""
    plain = metric.casefold().replace(" ", "_")
    return _OTHER_NAMES.get(plain, plain)


def subjects_and_windows(predictions: pd.DataFrame, cohort: Cohort) -> tuple[int, int]:
    """Return how many subjects and how many windows are predicted."""
    rows = cohort.table["sample_id"].isin(_tested(predictions)["sample_id"]).to_numpy()
    return len(np.unique(cohort.subjects[rows])), int(rows.sum())


def claim_sources(
    claim: str, predictions: pd.DataFrame, cohort: Cohort, split: Split | None
) -> list[ClaimSource]:
    """Return what a claim could have been computed from, the honest way first.

    Parameters
    ----------
    claim
        ``r``, or ``<regime>/r``, or ``<regime>/seed-<seed>/r``. A number for several cases is the
        mean over them.
    predictions, cohort
        What was predicted, and the truth.
    split
        Without one, metrics that need to know who was trained on are left out.

    Returns
    -------
    list of Origin
        Empty for what is no metric of a case in the table.
    """
    owner, _, metric = claim.rpartition("/")
    cases = {
        name: table
        for name, table in _recompute.by_case(predictions)
        if "y_pred" in table and (not owner or name == owner or name.startswith(f"{owner}/"))
    }
    assumed = split or _folds_alone(predictions, cohort)
    both = [_recompute.metrics(table, cohort, assumed) for table in cases.values()]
    metric = standard_name(metric)
    if not both or metric not in both[0][0] or (metric.endswith("skill") and split is None):
        return []
    honest, leaky = ([side[index] for side in both] for index in (0, 1))
    found = [_source("that follows from the predictions", honest, metric)]
    if len(cases) > 1:
        found += [
            _source(f"of {name} alone", [values], metric)
            for name, values in zip(cases, honest, strict=True)
        ]
    if not _recompute.is_window_level(metric):
        found.append(_source("over windows, not over subjects", honest, f"window_{metric}"))
    if split is not None:
        words = "against the mean of the held-out subjects"
        found.append(_source(words, leaky, metric))
    return found


def _source(words: str, cases: list[dict[str, list[float]]], metric: str) -> ClaimSource:
    """Average a metric over cases, each way of computing it by itself."""
    numbers = np.mean([case[metric] for case in cases], axis=0)
    return ClaimSource(words=words, numbers=tuple(numbers.tolist()))


def _folds_alone(predictions: pd.DataFrame, cohort: Cohort) -> Split:
    """Return the folds of a table that does not say who was trained on: nobody is."""
    tested = _tested(predictions)
    rows = dict(zip(cohort.table["sample_id"].tolist(), range(len(cohort.y)), strict=True))
    names = tested["fold"] if "fold" in tested.columns else tested["sample_id"].map(lambda _: "")
    folds = []
    for name, part in tested.groupby(names.astype(str)):
        test = np.unique([rows[one] for one in part["sample_id"]]).astype(np.int64)
        folds.append(Fold(name=str(name), train=test, test=test))
    return Split(name="as the table names its folds", folds=tuple(folds))


def _tested(predictions: pd.DataFrame) -> pd.DataFrame:
    return predictions[predictions["role"] == "test"] if "role" in predictions else predictions

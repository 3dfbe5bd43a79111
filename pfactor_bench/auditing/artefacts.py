"""Saved predictions, and what is claimed about them: audited without running anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from pfactor_bench.checks.reported.claim_sources import read_number
from pfactor_bench.checks.reported.recompute import by_case
from pfactor_bench.errors import StudyError
from pfactor_bench.studies.contract import read_answer, table_columns
from pfactor_bench.types import Measurement

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from pfactor_bench.studies.contract import Answer
    from pfactor_bench.types import Cohort, Scalar, Split

__all__ = ["available_artefacts", "read_claims"]

#: Columns of a table that begin so claim a number.
_CLAIMING = "claimed_"
#: What claims may declare besides numbers.
_SEEDS, _SALIENCY = "seeds", "saliency"


def available_artefacts(
    table: pd.DataFrame, cohort: Cohort, claims: Mapping[str, Any]
) -> dict[str, object]:
    """Return what the checks can look at in a table of predictions and what is said of it.

    Parameters
    ----------
    table
        The study contract's, with ``seed``, ``regime`` or ``case`` where it holds several, and
        columns ``claimed_<metric>`` where it claims something itself.
    cohort
        The truth.
    claims
        Metric to value; ``seeds`` lists those that were trained from, ``saliency`` how windows for
        saliency maps were chosen.

    Raises
    ------
    StudyError
        If the table breaks the contract, or its claims are no numbers.
    """
    # The train mean, a case of its own, has no predictions.
    cases = {name: rows for name, rows in by_case(table) if "y_pred" in rows}
    answers = [read_answer(table_columns(rows), cohort) for rows in cases.values()]
    if silent := [note for answer in answers if answer.missing for note in answer.notes]:
        raise StudyError(f"of a saved table, {silent[0]}: leave these rows out, or fill them")
    if "fold" in table:
        # As the split names them: folds are often numbers.
        table = table.assign(fold=[str(name) for name in table["fold"].tolist()])
    claimed = {
        **_claims_of_columns(cases),
        **{name: value for name, value in claims.items() if name not in {_SEEDS, _SALIENCY}},
    }
    return {
        "cohort": cohort,
        "predictions": table,
        "split": _common_split(answers),
        "claimed": claimed or None,
        "made_from": _fingerprints(table),
        "reported_targets": table if "y_true" in table else None,
        "measurements": _extremes(claimed) or None,
        "declared_seeds": _seeds(claims, table),
        "saliency": _listed(claims.get(_SALIENCY)),
    }


def read_claims(path: Path) -> dict[str, Any]:
    """Read a file of claims, YAML or JSON; numbers stay text, so that no digit is lost.

    Raises
    ------
    StudyError
        If it cannot be read or is no mapping of metric to value.
    """
    try:
        claims = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - it makes texts only
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise StudyError(f"cannot read the claims {str(path)!r}: {error}") from error
    if not isinstance(claims, dict):
        raise StudyError(
            f"the claims {str(path)!r} are no mapping: write one metric a line, such as 'r: 0.21'"
        )
    return claims


def _common_split(answers: list[Answer]) -> Split | None:
    """Return the split that all cases state, None where one of them states none or another."""
    splits = [answer.stated_split() for answer in answers]
    first = splits[0]
    if first is None or any(split is None for split in splits):
        return None
    keys = [
        [(fold.train.tolist(), fold.test.tolist()) for fold in split.folds]
        for split in splits
        if split is not None
    ]
    return first if all(key == keys[0] for key in keys) else None


def _claims_of_columns(cases: Mapping[str, pd.DataFrame]) -> dict[str, Scalar]:
    """Return the claims that stand in the table itself: one value for each case."""
    found: dict[str, Scalar] = {}
    for name, rows in cases.items():
        for column in rows.columns:
            if not str(column).startswith(_CLAIMING):
                continue
            values = rows[column].dropna().unique().tolist()
            if len(values) > 1:
                raise StudyError(
                    f"column {column!r} claims {values[0]!r} and {values[1]!r} for one case: give "
                    f"each case one value"
                )
            prefix = f"{name}/" if name else ""
            found.update({f"{prefix}{str(column)[len(_CLAIMING) :]}": one for one in values})
    return found


def _extremes(claimed: Mapping[str, Scalar]) -> tuple[Measurement, ...]:
    """Return claims that are named as the best of several, which no table can bear out."""
    return tuple(
        Measurement(name=name, case=name.rpartition("/")[0], value=read_number(name, value)[0])
        for name, value in claimed.items()
        if name.rpartition("/")[2].startswith(("best_", "max_")) and value is not None
    )


def _fingerprints(table: pd.DataFrame) -> tuple[str, ...] | None:
    """Return the cohorts that a table says it was made from."""
    if "fingerprint" not in table:
        return None
    return tuple(sorted({str(one) for one in table["fingerprint"]}))


def _seeds(claims: Mapping[str, Any], table: pd.DataFrame) -> tuple[int, ...] | None:
    """Return the declared seeds; without a declaration, every seed that any regime has."""
    declared = _listed(claims.get(_SEEDS))
    try:
        if declared is not None:
            return tuple(int(seed) for seed in declared)
        return tuple(sorted({int(seed) for seed in table["seed"]})) if "seed" in table else None
    except ValueError as error:
        raise StudyError(f"a seed is no whole number: {error}") from error


def _listed(value: Any) -> tuple[str, ...] | None:  # noqa: ANN401 - whatever a file holds
    if value is None:
        return None
    return tuple(map(str, value)) if isinstance(value, (list, tuple)) else (str(value),)

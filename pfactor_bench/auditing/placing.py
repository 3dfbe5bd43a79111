"""Rows of a table of predictions, placed at the cohort's windows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pandas as pd

from pfactor_bench.auditing.columns import WEAK, find_columns, rename_columns
from pfactor_bench.checks.reported.beside import differing
from pfactor_bench.cohorts.tables import same_but_spelling
from pfactor_bench.errors import StudyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from pfactor_bench.types import Cohort

__all__ = ["Placed", "place_predictions"]

_CASES = ("case", "regime", "seed")
#: Beside any other column rows may stand in an order of their own.
_UNORDERED = frozenset({"sample_id", "subject", "index", "y_pred", "y_true"})
_NUMBER = re.compile("0|[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class Placed:
    """A table of predictions with a row per window.

    Parameters
    ----------
    table
        The study contract's.
    how
        How rows were told to be windows, in words.
    """

    table: pd.DataFrame
    how: str


def place_predictions(
    given: pd.DataFrame, cohort: Cohort, chosen: Mapping[str, str]
) -> tuple[pd.DataFrame, str]:
    """Return the study contract's table, and what of it was read from where.

    Parameters
    ----------
    given
        As it is in its file: a row per window or per subject.
    cohort
        Whose windows are predicted.
    chosen
        Columns that are not to be guessed, by what they hold.

    Raises
    ------
    StudyError
        If columns or rows can be read in two ways, or in none.
    """
    found = find_columns(given, chosen)
    key, placed = _placed(rename_columns(given, found), cohort)
    weak = "y_pred" not in chosen and found["y_pred"].casefold() in WEAK
    if weak and placed.table["y_pred"].dtype.kind in "iuf":
        _refuse_targets(placed.table, cohort, found["y_pred"])
    used = {one: found[one] for one in (key, "y_pred", "y_true", "fold", "role") if one in found}
    read = ", ".join(f"{one} from {column!r}" for one, column in used.items())
    others = [str(name) for name in given.columns if str(name) not in {*used.values(), ""}]
    rest = f"; other columns: {', '.join(map(repr, others))}" if others else ""
    return placed.table, f"read {read}{rest}; {placed.how}"


def _placed(table: pd.DataFrame, cohort: Cohort) -> tuple[str, Placed]:
    """Return by which column rows were placed, and what came of it."""
    names = _subject_names(cohort)
    if "subject" in table:
        known = table["subject"].map(names)
        table = table.assign(subject=known.where(known.notna(), table["subject"]))
    for key in ("sample_id", "id", "index"):
        if key not in table:
            continue
        if (placed := _identified(table, key, cohort, names)) is not None:
            return key, placed
        # Numbers beside subjects may only count the rows.
        named = key == "sample_id" and not _numbers(table[key])
        if named or (key != "index" and "subject" not in table):
            _refuse_unknown(table[key], key, cohort)
    if "subject" not in table:
        return "", _in_order(table, cohort)
    if not set(table["subject"]) <= set(names.values()):
        _refuse_unknown(table["subject"], "subject", cohort)
    return "subject", _of_subjects(table, cohort)


def _subject_names(cohort: Cohort) -> dict[str, str]:
    """Return subjects by their names, with BIDS' prefix and without."""
    subjects = list(dict.fromkeys(cohort.subjects.tolist()))
    names = {f"sub-{name}": name for name in subjects}
    names.update({name.removeprefix("sub-"): name for name in subjects})
    return names | {name: name for name in subjects}


def _identified(
    table: pd.DataFrame, key: str, cohort: Cohort, names: Mapping[str, str]
) -> Placed | None:
    """Place rows by an identifier: of a window, of a subject, or a number; None if it is none."""
    given = table[key]
    if set(given) <= set(cohort.table["sample_id"].astype(str)):
        return Placed(table.assign(sample_id=given), "rows are windows by name")
    if set(given) <= set(names):
        return _of_subjects(table.assign(subject=given.map(names)), cohort)
    if not _numbers(given):
        return None
    numbers = np.array([int(cell) for cell in given], dtype=np.int64)
    # An index that only counts rows says nothing of them.
    if key == "index" and (
        (np.diff(numbers) > 0).all() or sorted(numbers) != list(range(len(cohort.y)))
    ):
        return None
    return _numbered(table, numbers, cohort)


def _numbers(given: pd.Series[Any]) -> bool:
    return all(_NUMBER.fullmatch(cell) for cell in given)


def _numbered(table: pd.DataFrame, numbers: NDArray[np.int64], cohort: Cohort) -> Placed | None:
    """Place rows by numbers from 0, of the cohort's windows or of each subject's."""
    windows = cohort.table["sample_id"].astype(str).to_numpy()
    n_subjects = cohort.n_subjects
    either = n_subjects < len(windows) and sorted(numbers) == list(range(n_subjects))
    if either and "subject" not in table:
        raise StudyError(
            f"numbers from 0 to {n_subjects - 1} may be windows or subjects: add a column subject"
        )
    if numbers.max() < len(windows) and (
        "subject" not in table or (cohort.subjects[numbers] == table["subject"]).all()
    ):
        return Placed(table.assign(sample_id=windows[numbers]), "numbers are the cohort's rows")
    if "subject" not in table:
        return None
    within = {
        (name, number): window
        for name, number, window in zip(
            cohort.subjects.tolist(), _counted_within(cohort), windows, strict=True
        )
    }
    given = list(zip(table["subject"], numbers.tolist(), strict=True))
    if set(given) != {one for one in within if one[0] in set(table["subject"])}:
        return None
    placed = table.assign(sample_id=[within[one] for one in given])
    return Placed(placed, "numbers are windows within a subject, from 0")


def _of_subjects(table: pd.DataFrame, cohort: Cohort) -> Placed:
    """Place rows that name a subject: one for all windows, or as many as there are windows."""
    windows = pd.DataFrame(
        {
            "sample_id": cohort.table["sample_id"].astype(str).to_numpy(),
            "subject": cohort.subjects,
            "_place": _counted_within(cohort),
        }
    )
    table = table.drop(columns="sample_id", errors="ignore")
    cases = [name for name in _CASES if name in table]
    apart = [*cases, *(name for name in ("fold", "role") if name in table), "subject"]
    if not table.duplicated(apart).any():
        merged = table.merge(windows.drop(columns="_place"), on="subject")
        return Placed(merged, "each row is a subject's, for all its windows")
    n_windows = table["subject"].map(windows["subject"].value_counts())
    for by in ([*cases, *(["fold"] if "fold" in table else []), "subject"], [*cases, "subject"]):
        groups = table.groupby(by, dropna=False)["y_pred"]
        if (groups.transform("size") == n_windows).all():
            merged = table.assign(_place=groups.cumcount()).merge(windows, on=["subject", "_place"])
            return Placed(
                merged.drop(columns="_place"), "a subject's rows are its windows, in their order"
            )
    counts = table["subject"].value_counts(sort=False)
    odd = next((name for name in counts.index if counts[name] > 1), counts.index[0])
    raise StudyError(
        f"subject {odd!r} has {counts[odd]} rows and {(cohort.subjects == odd).sum()} windows: add "
        f"a column sample_id, or give one row a subject in each fold"
    )


def _in_order(table: pd.DataFrame, cohort: Cohort) -> Placed:
    """Place rows without any identifier: in the cohort's order, if nothing speaks against it."""
    windows = cohort.table["sample_id"].astype(str)
    if len(table) == len(windows):
        placed = Placed(
            table.assign(sample_id=windows.to_numpy()), "rows are windows in the cohort's order"
        )
    elif len(table) == cohort.n_subjects:
        subjects = list(dict.fromkeys(cohort.subjects.tolist()))
        placed = Placed(
            _of_subjects(table.assign(subject=subjects), cohort).table,
            "each row is a subject's, in the cohort's order",
        )
    else:
        raise StudyError(
            f"the table has {len(table)} rows, and the cohort {len(windows)} windows of "
            f"{cohort.n_subjects} subjects: add a column sample_id or subject"
        )
    _refuse_order(placed.table, cohort)
    return placed


def _refuse_order(table: pd.DataFrame, cohort: Cohort) -> None:
    """Refuse rows whose targets are in another order, or that have other columns and no targets."""
    if "y_true" in table and table["y_true"].dtype.kind in "iuf":
        truth = cohort.table["sample_id"].astype(str)
        y_of = dict(zip(truth, cohort.y, strict=True))
        # Where a row has none, nothing bears out its place.
        given = table.fillna({"y_true": np.inf})
        y_true = given["y_true"].to_numpy(dtype=np.float64)
        if differing(y_true, given["sample_id"].map(y_of).to_numpy(dtype=np.float64)).any():
            raise StudyError(
                "the column y_true does not hold the cohort's targets in the cohort's order: add a "
                "column sample_id or subject"
            )
        return
    if others := [str(name) for name in table.columns if name not in _UNORDERED]:
        raise StudyError(
            f"rows beside columns {', '.join(map(repr, others))} may stand in any order: add a "
            f"column sample_id or subject, or say which it is by --columns sample_id=COLUMN"
        )


def _counted_within(cohort: Cohort) -> list[int]:
    """Return the number of each window among its subject's."""
    counted: list[int] = pd.Series(cohort.subjects).groupby(cohort.subjects).cumcount().tolist()
    return counted


def _refuse_unknown(given: pd.Series[Any], key: str, cohort: Cohort) -> NoReturn:
    subjects = set(cohort.subjects.tolist())
    numbers = set(map(str, range(len(cohort.y))))
    known = {*_subject_names(cohort), *cohort.table["sample_id"].astype(str)}
    unknown = [one for one in given if one not in known]
    name = next((one for one in unknown if one not in numbers), None)
    if name is None and key != "subject":
        raise StudyError(
            f"the column {key} mixes names and numbers, or its numbers are no windows of the "
            f"subjects beside them: name each row's window as the cohort does, like "
            f"{cohort.table['sample_id'].iloc[0]!r}"
        )
    name = unknown[0] if name is None else name
    spelt = same_but_spelling([name], subjects)
    hint = f" (it is spelt {spelt[0][1]!r} in the cohort)" if spelt else ""
    raise StudyError(
        f"the table predicts {key} {name!r}, which the cohort does not hold{hint}: its windows are "
        f"named like {cohort.table['sample_id'].iloc[0]!r}, its subjects like "
        f"{min(subjects)!r}; or give row numbers from 0 to {len(cohort.y) - 1}"
    )


def _refuse_targets(table: pd.DataFrame, cohort: Cohort, column: str) -> None:
    """Refuse a table of targets, which are no predictions."""
    y_of = dict(zip(cohort.table["sample_id"].astype(str), cohort.y, strict=True))
    truth = table["sample_id"].map(y_of).to_numpy(dtype=np.float64)
    given = table["y_pred"].to_numpy(dtype=np.float64)
    if not differing(given, truth).any():
        raise StudyError(
            f"the column {column!r} holds the cohort's own targets, no predictions: name the "
            f"predictions y_pred, or by --columns y_pred=COLUMN"
        )

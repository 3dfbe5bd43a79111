"""``participants.tsv``: who is in a BIDS folder, and with what target."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pandas as pd

from pfactor_bench.cohorts.assemble import WINDOW_COLUMNS
from pfactor_bench.cohorts.tables import PLAIN_NUMBER, as_numbers, decoded, read_columns
from pfactor_bench.errors import CohortError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["read_json", "read_participants"]

#: What a description of a column calls the values that stand for a gap.
_DECLARE_MISSING = frozenset({"missing", "missingvalue", "missingvalues", "navalues"})

_MEANS_MISSING = re.compile(r"\bmissing\b|\bnot available\b|\bno data\b|^n/?a$", re.IGNORECASE)

#: How sex is written, and the letter that BIDS has for it.
_SEXES = {"m": "M", "male": "M", "man": "M", "f": "F", "female": "F", "woman": "F"}


def read_participants(folder: Path, target: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return ``participants.tsv``, a row per subject, and what was made of its values.

    The table is read here, not through EEGDash, which gives subjects no rows instead of an error
    where it cannot read it, and matches names that only resemble each other.

    Parameters
    ----------
    folder
        Of the data set.
    target
        The column of targets. It stays text, so that a word in it can be shown as it was written.

    Returns
    -------
    subjects : DataFrame
        Its index ``"sub-00"``.
    notes : tuple of str
        Values that participants.json declares missing, capped ages, and spellings of sex.

    Raises
    ------
    CohortError
        If there is no table, it has no such column, or a subject stands in it twice.
    """
    _check_target(target)
    columns = _read(folder)
    for column in ("participant_id", target):
        if column not in columns:
            raise CohortError(
                f"participants.tsv of data set {folder.name!r} has no column {column!r}"
                f"{did_you_mean(column, set(columns) - {'participant_id'})}"
            )
    subjects = pd.DataFrame(columns, dtype=object)
    names = subjects.pop("participant_id")
    subjects.index = pd.Index("sub-" + names.str.removeprefix("sub-"), name="subject")
    if not subjects.index.is_unique:
        twice = subjects.index[subjects.index.duplicated()][0]
        raise CohortError(
            f"participants.tsv of data set {folder.name!r} has two rows for {twice!r}: a subject "
            f"has one target, so keep one"
        )
    notes = _interpret(subjects, read_json(folder / "participants.json"))
    for column in subjects.columns.drop(target):
        subjects[column] = as_numbers(subjects[column])
    # A subject's column must not replace what is known of a recording.
    return subjects.rename(columns={name: f"participant_{name}" for name in WINDOW_COLUMNS}), notes


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object, empty where there is no such file.

    Raises
    ------
    CohortError
        If the file holds something else.
    """
    if not path.is_file():
        return {}
    try:
        found = json.loads(decoded(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise CohortError(
            f"cannot read {path.name} of data set {path.parent.name!r}: {error}"
        ) from error
    if not isinstance(found, dict):
        raise CohortError(f"{path.name} of data set {path.parent.name!r} is not a JSON object")
    return found


def _check_target(target: str) -> None:
    if target in WINDOW_COLUMNS:
        raise CohortError(
            f"target {target!r} is a name that describes windows: rename that column of "
            f"participants.tsv"
        )
    if target == "participant_id":
        raise CohortError(
            "target 'participant_id' is the column that names subjects: choose a column of targets"
        )


def _read(folder: Path) -> dict[str, list[str]]:
    path = folder / "participants.tsv"
    if not path.is_file():
        raise CohortError(
            f"data set {folder.name!r} has no participants.tsv: the targets of its subjects must "
            f"stand there, in a row per participant_id"
        )
    try:
        columns = read_columns(path)
    except (OSError, ValueError) as error:
        raise CohortError(
            f"cannot read participants.tsv of data set {folder.name!r}: {error}"
        ) from error
    if len(columns) == 1 and "," in next(iter(columns)):
        raise CohortError(
            f"the columns of participants.tsv of data set {folder.name!r} are separated by commas: "
            f"BIDS separates them by tabs"
        )
    return columns


def _interpret(subjects: pd.DataFrame, described: dict[str, Any]) -> tuple[str, ...]:
    """Replace, in place, what stands for something else, and return notes about it."""
    notes = []
    for column in subjects.columns:
        description = described.get(column)
        gaps = _declared_missing(description) if isinstance(description, dict) else set()
        missing = subjects[column].map(_canonical).isin(gaps)
        if missing.any():
            values = ", ".join(sorted(set(subjects.loc[missing, column])))
            subjects.loc[missing, column] = "n/a"
            notes.append(
                f"{missing.sum()} values of {column} are missing, as participants.json declares "
                f"({values})"
            )
        if column.casefold() == "age":
            notes += _replaced(subjects, column, _uncapped)
        if column.casefold() in {"sex", "gender"}:
            notes += _replaced(subjects, column, lambda word: _SEXES.get(word.casefold(), word))
    return tuple(notes)


def _replaced(subjects: pd.DataFrame, column: str, reading: Callable[[str], str]) -> list[str]:
    before, after = subjects[column], subjects[column].map(reading)
    changed = before != after
    subjects[column] = after
    pairs = dict(sorted(zip(before[changed], after[changed], strict=True)))
    shown = ", ".join(f"{old!r} as {new!r}" for old, new in pairs.items())
    return [f"{column} of {changed.sum()} subjects is read {shown}"] if changed.any() else []


def _uncapped(age: str) -> str:
    """Return ``89`` for ``89+``, which BIDS writes for everyone who is older."""
    return re.sub(r"^(\d+)\s*\+$", r"\1", age)


def _declared_missing(description: dict[str, Any]) -> set[str]:
    """Return the values of a column that its description says are gaps."""
    found: list[object] = []
    for key, value in description.items():
        if re.sub(r"[^a-z]", "", key.casefold()) in _DECLARE_MISSING:
            found += value if isinstance(value, (list, dict)) else [value]
    levels = description.get("Levels")
    if isinstance(levels, dict):
        found += [
            level
            for level, meaning in levels.items()
            if _MEANS_MISSING.search(
                str(meaning.get("Description", "") if isinstance(meaning, dict) else meaning)
            )
        ]
    return {_canonical(str(value)) for value in found}


def _canonical(text: str) -> str:
    """Return one text for every way to write a number: -999 is -999.0."""
    return repr(float(text)) if PLAIN_NUMBER.fullmatch(text) else text

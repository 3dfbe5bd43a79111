"""Which column of a table of predictions holds what: by common names, or as it is chosen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn

import pandas as pd

from pfactor_bench.cohorts.tables import as_numbers
from pfactor_bench.errors import StudyError, UnknownNameError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["WEAK", "find_columns", "read_choice", "rename_columns"]

#: Names in lower case, joined by underscores; what the contract calls them comes first, and wins.
_NAMES: dict[str, tuple[str, ...]] = {
    "sample_id": (
        *("sample_id", "sample", "window_id", "window", "epoch_id", "epoch", "trial_id", "trial"),
        *("row", "row_id", "row_number", "row_nr"),
    ),
    "id": ("id",),
    "index": ("", "index", "level_0", "unnamed:_0"),
    "subject": (
        *("subject", "subject_id", "subjects", "subj", "subj_id", "sub", "sub_id"),
        *("participant_id", "participant", "participants", "patient_id", "patient"),
    ),
    "y_pred": (
        *("y_pred", "ypred", "y_hat", "yhat", "y_prediction", "y_predicted"),
        *("prediction", "predictions", "pred", "preds", "predicted", "predicted_value"),
    ),
    "fold": ("fold", "fold_id", "cv_fold", "cv_split", "cv", "split"),
    "role": ("role",),
    "y_true": (
        *("y_true", "ytrue", "true", "truth", "ground_truth", "actual", "observed", "y"),
        *("label", "labels", "target", "targets"),
    ),
}
#: Predictions, where no other column can be them: submissions are called so.
WEAK = ("target", "score", "targets", "scores")
_RESULTS = frozenset({"pipeline", "dataset"})
_IDENTIFIERS = ("sample_id", "id", "index", "subject", "fold")
_ROLES = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    **dict.fromkeys(("valid", "val", "validation", "dev"), "valid"),
}


def read_choice(text: str) -> dict[str, str]:
    """Read ``sample_id=id,y_pred=prediction``.

    Raises
    ------
    StudyError
        If a part is no ``KEY=COLUMN``.
    UnknownNameError
        If there is no such key.
    """
    chosen = {}
    for part in text.split(","):
        key, _, column = (piece.strip() for piece in part.partition("="))
        if not key or not column:
            raise StudyError(
                f"columns are given as KEY=COLUMN, such as y_pred=prediction, not {part!r}"
            )
        chosen[key] = column
    _require_keys(chosen)
    return chosen


def find_columns(table: pd.DataFrame, chosen: Mapping[str, str]) -> dict[str, str]:
    """Return the column of each of the contract's that a table has.

    Parameters
    ----------
    table
        Columns as they are called in its file.
    chosen
        What is not to be guessed.

    Raises
    ------
    StudyError
        If a chosen column does not exist, two may be the same, or none holds predictions.
    """
    _require_keys(chosen)
    names = [str(name) for name in table.columns]
    if len(set(names)) < len(names):
        raise StudyError(f"two columns have one name: the table has {_listed(names)}; rename one")
    for column in chosen.values():
        if column not in names:
            raise StudyError(
                f"the table has no column {column!r}{did_you_mean(column, names)}: it has "
                f"{_listed(names)}"
            )
    found = dict(chosen)
    for key, known in _NAMES.items():
        _add(found, key, known, names)
        if key == "y_pred" and not _RESULTS & set(map(_plain, names)):
            _add(found, key, WEAK, names)
    if "fold" in found and "role" not in found and _holds_roles(table[found["fold"]]):
        found["role"] = found.pop("fold")
    if "y_pred" not in found:
        _refuse_without_predictions(names)
    return found


def rename_columns(table: pd.DataFrame, found: Mapping[str, str]) -> pd.DataFrame:
    """Return a table in the contract's words, its identifiers as text, numbers as numbers."""
    left = [name for name in table.columns if name not in {*found.values(), *_NAMES}]
    columns = {str(name): _numbers(table[name]) for name in left}
    for key, column in found.items():
        cells = table[column]
        columns[key] = cells.map(_text) if key in _IDENTIFIERS else _numbers(cells)
    if "fold" in columns:  # a gap names no fold
        columns["fold"] = columns["fold"].astype(object).where(columns["fold"] != "", None)
    if "role" in columns:
        columns["role"] = columns["role"].map(lambda cell: _ROLES.get(str(cell).casefold(), cell))
    return pd.DataFrame(columns).reset_index(drop=True)


def _require_keys(chosen: Iterable[str]) -> None:
    for key in chosen:
        if key not in _NAMES:
            raise UnknownNameError("key of a column", key, _NAMES)


def _add(found: dict[str, str], key: str, known: Iterable[str], names: list[str]) -> None:
    """Find the one column that may be what `key` says, if it is not found yet."""
    if key in found:
        return
    free = [name for name in names if name not in found.values()]
    fitting = [key] if key in free else [name for name in free if _plain(name) in known]
    if len(fitting) > 1:
        raise StudyError(
            f"the columns {' and '.join(map(repr, fitting))} may each be {key}: choose one with "
            f"--columns {key}={fitting[0]}"
        )
    if fitting:
        found[key] = fitting[0]


def _refuse_without_predictions(names: list[str]) -> NoReturn:
    holds = "has no column of predictions"
    if set(map(_plain, names)) >= {*_RESULTS, "score"}:
        holds = "holds scores of models, no predictions"
    raise StudyError(
        f"the table {holds}: it has {_listed(names)}; needed are y_pred, and sample_id or subject: "
        f"name them so, or by --columns y_pred=COLUMN,subject=COLUMN"
    )


def _holds_roles(cells: pd.Series[Any]) -> bool:
    return {str(cell).casefold() for cell in cells} <= set(_ROLES)


def _numbers(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of text as numbers, if all that it holds are numbers."""
    return as_numbers(cells) if all(isinstance(cell, str) for cell in cells) else cells


def _text(cell: object) -> str:
    """Return an identifier as text; a column with a gap makes 1.0 of 1."""
    if cell is None or cell != cell:  # noqa: PLR0124 - NaN is not itself
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.decode() if isinstance(cell, bytes) else str(cell)


def _plain(name: str) -> str:
    return re.sub(r"[\s.-]+", "_", name.strip().casefold())


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names if name)

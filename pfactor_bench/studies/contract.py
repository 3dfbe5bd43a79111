"""The contract of a study, version 1: what a study is handed and what it hands back.

A study is any callable ``study(cohort, *, seed)`` that returns a table with a row per held-out
prediction. True targets are joined by the harness from its own copy, so a study never reports them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, TypedDict

import numpy as np

from pfactor_bench.errors import StudyError
from pfactor_bench.types import Fold, Split

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from pfactor_bench.types import Cohort

__all__ = ["Answer", "AnsweredFold", "Study", "read_answer", "table_columns"]

#: The columns of the contract; others are ignored.
COLUMNS = ("sample_id", "y_pred", "fold", "role")
ROLES = ("test", "train", "valid")
#: So many subjects without a prediction are named.
_NAMED = 5


class Study(Protocol):
    """Anything that predicts held-out subjects of a cohort."""

    def __call__(self, cohort: Cohort, *, seed: int) -> pd.DataFrame:
        """Return ``sample_id, y_pred`` and, where there are several, ``fold``; maybe ``role``."""
        ...


def _nowhere() -> NDArray[np.int64]:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class AnsweredFold:
    """The predictions of one fold.

    Parameters
    ----------
    name
        The study's name for it.
    positions
        Positions in the cohort of the windows predicted, int64, sorted.
    y_pred
        Their predictions, float64.
    train
        Positions that the study says it trained or validated on; None where it does not say.
    missing
        Positions held out as well, for which it gives no prediction, sorted.
    """

    name: str
    positions: NDArray[np.int64]
    y_pred: NDArray[np.float64]
    train: NDArray[np.int64] | None
    missing: NDArray[np.int64] = field(default_factory=_nowhere)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Answer:
    """What a study answered, checked against the contract.

    Parameters
    ----------
    folds
        One or more; those that predict nothing but NaN are left out.
    names_folds
        Whether the study told its folds apart; without names there is one.
    notes
        What the harness noticed while the study ran.
    ends
        Of the study's random streams, as a digest: two runs that agree in it have drawn alike.
    missing
        Fold and position of every prediction that is NaN.
    """

    folds: tuple[AnsweredFold, ...]
    names_folds: bool
    notes: tuple[str, ...] = ()
    ends: str = ""
    missing: frozenset[tuple[str, int]] = frozenset()

    def stated_split(self) -> Split | None:
        """Return the split, if the study states what it trained on in every fold."""
        folds = [
            Fold(name=fold.name, train=fold.train, test=fold.positions)
            for fold in self.folds
            if fold.train is not None
        ]
        if len(folds) < len(self.folds):
            return None
        return Split(name="as the study states it", folds=tuple(folds))

    def moved_back(self, order: NDArray[np.int64]) -> Answer:
        """Return the answer at the positions that a reordered cohort's rows came from."""
        folds = []
        for fold in self.folds:
            positions = order[fold.positions]
            by_position = np.argsort(positions)
            folds.append(
                replace(
                    fold,
                    positions=positions[by_position],
                    y_pred=fold.y_pred[by_position],
                    train=None if fold.train is None else np.sort(order[fold.train]),
                    missing=np.sort(order[fold.missing]),
                )
            )
        missing = frozenset((name, int(order[row])) for name, row in self.missing)
        return replace(self, folds=tuple(folds), missing=missing)


def table_columns(table: object) -> dict[str, list[object]]:
    """Return the contract's columns of what a study returned, as plain lists.

    Raises
    ------
    StudyError
        If it is no DataFrame.
    """
    columns = getattr(table, "columns", None)
    if columns is None or not hasattr(table, "loc"):
        raise StudyError(
            f"the study returned {type(table).__name__!r}: return a pandas.DataFrame with columns "
            f"'sample_id' and 'y_pred'"
        )
    return {name: table[name].tolist() for name in COLUMNS if name in columns}  # type: ignore[index]


def read_answer(
    columns: Mapping[str, Sequence[object]],
    cohort: Cohort,
    notes: Sequence[str] = (),
    *,
    ends: str = "",
) -> Answer:
    """Check what a study answered against the contract.

    Parameters
    ----------
    columns
        `table_columns` of the study's table.
    cohort
        The cohort that it was handed.
    notes
        What was noticed meanwhile.
    ends
        Where the study's random streams have come to.

    Raises
    ------
    StudyError
        If columns are missing, a window is unknown or predicted twice in a fold, a prediction is
        no number or infinite, a row has no fold or an unknown role, or nothing is predicted.
    """
    for name in ("sample_id", "y_pred"):
        if name not in columns:
            raise StudyError(
                f"the study's table has no column {name!r}: it has "
                f"{', '.join(map(repr, columns)) or 'none of the contract'}"
            )
    positions = _positions(columns["sample_id"], cohort)
    roles = _roles(columns.get("role"), len(positions))
    y_pred = _predictions(columns["y_pred"], columns["sample_id"], roles)
    names = _fold_names(columns.get("fold"), len(positions))
    folds = []
    for name in dict.fromkeys(names):
        in_fold = np.array([one == name for one in names])
        tested, trained = in_fold & (roles == "test"), in_fold & (roles != "test")
        folds.append(
            AnsweredFold(
                name=name,
                train=np.unique(positions[trained]) if trained.any() else None,
                **_held_out(name, positions[tested], y_pred[tested], cohort),
            )
        )
    if not folds:
        raise StudyError("the study predicted nothing: return a row per held-out window")
    if not any(len(fold.positions) for fold in folds):
        raise StudyError(
            "the study predicts nan for every held-out window: return at least one number"
        )
    missing = frozenset((fold.name, row) for fold in folds for row in fold.missing.tolist())
    return Answer(
        folds=tuple(fold for fold in folds if len(fold.positions)),
        names_folds="fold" in columns,
        notes=(*_missing_in_words(missing, cohort), *notes),
        ends=ends,
        missing=missing,
    )


def _missing_in_words(missing: frozenset[tuple[str, int]], cohort: Cohort) -> list[str]:
    """Return how many predictions are NaN, and whose."""
    if not missing:
        return []
    names = sorted({str(cohort.subjects[row]) for _, row in missing})
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    windows, subjects = (
        f"{n} {word}{'s' if n > 1 else ''}"
        for n, word in ((len({row for _, row in missing}), "window"), (len(names), "subject"))
    )
    named = ", ".join(names[:_NAMED]) + more
    return [f"it gives no prediction (NaN) for {windows} of {subjects}: {named}"]


def _positions(sample_ids: Sequence[object], cohort: Cohort) -> NDArray[np.int64]:
    known = {name: row for row, name in enumerate(cohort.table["sample_id"].tolist())}
    for name in sample_ids:
        if name not in known:
            example = next(iter(known))
            raise StudyError(
                f"the study predicts sample_id {name!r}, which the cohort does not hold: its "
                f"windows are named like {example!r}"
            )
    return np.array([known[name] for name in sample_ids], dtype=np.int64)


def _roles(given: Sequence[object] | None, n_rows: int) -> NDArray[np.str_]:
    if given is None:
        return np.full(n_rows, "test")
    for role in given:
        if role not in ROLES:
            raise StudyError(f"the study gives a row the role {role!r}: known are {ROLES}")
    return np.array(given, dtype=str)


def _predictions(
    given: Sequence[object], sample_ids: Sequence[object], roles: NDArray[np.str_]
) -> NDArray[np.float64]:
    y_pred = np.full(len(given), np.nan)
    for row in np.flatnonzero(roles == "test").tolist():
        value = given[row]
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise StudyError(
                f"the study predicts {value!r} for {sample_ids[row]!r}: a prediction is a number"
            )
        if np.isinf(value):
            raise StudyError(
                f"the study predicts {value!r} for {sample_ids[row]!r}: a prediction is finite, or "
                f"NaN where there is none"
            )
        y_pred[row] = value
    return y_pred


def _fold_names(given: Sequence[object] | None, n_rows: int) -> list[str]:
    if given is None:
        return ["fold-0"] * n_rows
    for row, name in enumerate(given):
        if name is None or name != name:  # noqa: PLR0124 - NaN is not itself
            raise StudyError(f"row {row} of the study's table has no fold: name one in every row")
    return [str(name) for name in given]


class _HeldOut(TypedDict):
    positions: NDArray[np.int64]
    y_pred: NDArray[np.float64]
    missing: NDArray[np.int64]


def _held_out(
    fold: str, positions: NDArray[np.int64], y_pred: NDArray[np.float64], cohort: Cohort
) -> _HeldOut:
    """Return one fold's predictions in the order of their positions."""
    if not len(positions):
        raise StudyError(f"fold {fold!r} of the study predicts nothing: leave it out")
    order = np.argsort(positions, kind="stable")
    positions = positions[order]
    twice = positions[1:][np.diff(positions) == 0]
    if len(twice):
        window = cohort.table["sample_id"].iloc[int(twice[0])]
        raise StudyError(
            f"fold {fold!r} of the study predicts {window!r} more than once: average repeated "
            f"predictions, or name folds apart in a column 'fold'"
        )
    y_pred = y_pred[order]
    known = ~np.isnan(y_pred)
    return {"positions": positions[known], "y_pred": y_pred[known], "missing": positions[~known]}

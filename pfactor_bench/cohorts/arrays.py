"""Cohorts from arrays that someone has made already: ``.npz``, zarr, or a folder of ``.npy``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pfactor_bench.cohorts.assemble import WINDOW_COLUMNS, make_cohort
from pfactor_bench.cohorts.data_folder import data_entry
from pfactor_bench.cohorts.tables import as_numbers, read_columns, same_but_spelling
from pfactor_bench.errors import CohortError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from pfactor_bench.types import Cohort

__all__ = ["arrays", "windows_table"]

_NEEDED = ("X", "y", "subjects")

#: What a table holds that is a name, even where all of it are digits.
_NAMES = ("sample_id", "subject", "session", "run", "task")


def arrays(
    *,
    dataset: str,
    target: str,
    sfreq: float,
    channels: Sequence[str],
    unit: str = "uV",
    table: str | None = None,
    data_dir: Path | str | None = None,
) -> Cohort:
    """Return a cohort from arrays ``X``, ``y`` and ``subjects``.

    Parameters
    ----------
    dataset
        Name of an ``.npz`` file, of a zarr group, or of a folder that holds ``X.npy``, ``y.npy``
        and ``subjects.npy``; the last is mapped and need not fit in memory. ``X`` has shape
        ``(n_windows, n_chans, n_times)``, ``y`` and ``subjects`` have an entry per window.
    target
        What ``y`` is called.
    sfreq
        Sampling rate in Hz.
    channels
        Names of the channels of ``X``.
    unit
        Unit of ``X``.
    table
        Name of a ``.csv``, ``.tsv`` or ``.parquet`` file beside it, with a row per window or, with
        a column ``subject``, per subject: age, sex, or where windows lie in their recording
        (``session, run, task, start, stop``).
    data_dir
        The folder that both lie in; None takes the environment variable ``PFACTOR_BENCH_DATA``.

    Raises
    ------
    CohortError
        If an array is missing, or they do not fit each other.
    """
    path = data_entry(dataset, data_dir)
    given = _open(path)
    for name in _NEEDED:
        if name not in given:
            raise CohortError(
                f"{dataset!r} holds no array {name!r}{did_you_mean(name, given)}: X, y and "
                f"subjects are needed"
            )
    X = given["X"]
    if X.dtype.kind not in "fiu":
        raise CohortError(
            f"X of {dataset!r} has dtype {X.dtype}: samples are real numbers, best float32"
        )
    if X.dtype != np.float32:
        X = X.astype(np.float32)
    y, subjects = np.asarray(given["y"]), np.asarray(given["subjects"]).astype(str)
    for name, array in (("y", y), ("subjects", subjects)):
        if array.shape != X.shape[:1]:
            raise CohortError(
                f"{name} of {dataset!r} has shape {array.shape}: an entry for each of the "
                f"{len(X)} windows is needed"
            )
    beside = None if table is None else _read_table(data_entry(table, data_dir))
    rows, notes = windows_table(dataset, subjects, X.shape[-1], beside)
    return make_cohort(
        name=dataset.removesuffix(".npz").removesuffix(".zarr"),
        X=X,
        table=rows.assign(**{target: y}),
        target=target,
        sfreq=sfreq,
        ch_names=channels,
        unit=unit,
        provenance={"source": "arrays", "dataset": dataset, "table": table},
        notes=notes,
    )


def windows_table(
    name: str, subjects: NDArray[np.str_], n_times: int, beside: pd.DataFrame | None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return a cohort's table for windows of whom no more is known than what stands in `beside`.

    Parameters
    ----------
    name
        For messages.
    subjects
        Shape ``(n_windows,)``.
    n_times
        Length of a window.
    beside
        A row per window or per subject.

    Returns
    -------
    table : DataFrame
        With `pfactor_bench.cohorts.assemble.WINDOW_COLUMNS`.
    notes : tuple of str

    Raises
    ------
    CohortError
        If `beside` fits neither windows nor subjects.
    """
    number = pd.Series(subjects).groupby(subjects).cumcount().to_numpy()
    table = pd.DataFrame({"subject": subjects})
    if beside is not None:
        table = _joined(name, table, beside)
    if "sample_id" not in table:
        table["sample_id"] = [
            f"{who}__w{window:03d}" for who, window in zip(subjects, number, strict=True)
        ]
    notes: tuple[str, ...] = ()
    if not {"start", "stop"} <= set(table):
        notes = (
            (
                "where windows lie in their recording is not known: they are taken to follow each "
                "other, so shared samples cannot be found by position"
            ),
        )
        table["start"], table["stop"] = number * n_times, (number + 1) * n_times
    for column in set(WINDOW_COLUMNS) - set(table):
        table[column] = ""
    return table[[*WINDOW_COLUMNS, *table.columns.drop(list(WINDOW_COLUMNS))]], notes


def _joined(name: str, table: pd.DataFrame, beside: pd.DataFrame) -> pd.DataFrame:
    subjects = table["subject"]
    if len(beside) == len(table) and (
        "subject" not in beside or (beside["subject"].astype(str).to_numpy() == subjects).all()
    ):
        other = beside.drop(columns="subject", errors="ignore").reset_index(drop=True)
        return pd.concat([table, other], axis="columns")
    if "subject" in beside and beside["subject"].is_unique:
        by_subject = beside.assign(subject=beside["subject"].astype(str)).set_index("subject")
        missing = sorted(set(subjects) - set(by_subject.index))
        if not missing:
            return table.join(by_subject, on="subject")
        pairs = same_but_spelling(missing, by_subject.index)
        alike = "".join(
            f"; {other!r}, which differs in case or zeros only, is not taken for {subject!r}"
            for subject, other in pairs[:1]
        )
        raise CohortError(f"the table of {name!r} has no row for subject {missing[0]!r}{alike}")
    raise CohortError(
        f"the table of {name!r} has {len(beside)} rows: it needs one for each of the {len(table)} "
        f"windows in their order, or one for each subject with a column 'subject'"
    )


def _open(path: Path) -> Mapping[str, Any]:
    """Return the arrays of a file or folder by name."""
    try:
        if path.is_file():
            with np.load(path, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
        # Not hidden ones, such as the ._X.npy that some systems leave beside X.npy.
        if (found := sorted(path.glob("[!.]*.npy"))) or not path.is_dir():
            return {each.stem: np.load(each, mmap_mode="r", allow_pickle=False) for each in found}
        import zarr

        group = zarr.open_group(path, mode="r")
        return {name: array[:] for name, array in group.arrays()}
    except Exception as error:
        raise CohortError(
            f"cannot read arrays from {path.name!r}: {error}; give an .npz file without pickled "
            f"objects (names as strings), a zarr group, or a folder of .npy files"
        ) from error


def _read_table(path: Path) -> pd.DataFrame:
    if path.suffix not in {".csv", ".tsv", ".parquet"}:
        raise CohortError(f"cannot read the table {path.name!r}: give .csv, .tsv or .parquet")
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        table = pd.DataFrame(read_columns(path), dtype=object)
    except (OSError, ValueError) as error:
        raise CohortError(f"cannot read the table {path.name!r}: {error}") from error
    for column in table.columns.difference([*_NAMES]):
        table[column] = as_numbers(table[column])
    return table

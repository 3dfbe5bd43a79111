"""Where data sets lie: the folder that a user names, and what is in it by name."""

from __future__ import annotations

import os
from pathlib import Path

from pfactor_bench.errors import CohortError, did_you_mean

__all__ = ["DATA_VARIABLE", "data_entry", "data_folder", "dataset_folder", "home_expanded"]

#: The environment variable that names the folder of data sets.
DATA_VARIABLE = "PFACTOR_BENCH_DATA"


def dataset_folder(dataset: str, data_dir: Path | str | None) -> Path:
    """Return the resolved folder of a data set.

    Parameters
    ----------
    dataset
        The folder's name.
    data_dir
        The folder that it lies in; None takes the environment variable `DATA_VARIABLE`.

    Returns
    -------
    Path
        Absolute and free of links: through any other path EEGDash finds no participant's row.

    Raises
    ------
    CohortError
        If the name is a path, no folder is given, or nothing is there.
    """
    folder = data_entry(dataset, data_dir)
    if not folder.is_dir():
        raise CohortError(f"data set {dataset!r} in {str(folder.parent)!r} is a file, no folder")
    if not any(folder.iterdir()):
        raise CohortError(f"data set folder {str(folder)!r} is empty: fetch the data set again")
    return folder


def data_entry(dataset: str, data_dir: Path | str | None) -> Path:
    """Return the resolved path of a file or folder in the data folder.

    Parameters
    ----------
    dataset, data_dir
        As in `dataset_folder`.

    Raises
    ------
    CohortError
        If the name is a path, no folder is given, or nothing is there.
    """
    if dataset in {"", ".", ".."} or "/" in dataset or "\\" in dataset:
        raise CohortError(
            f"dataset {dataset!r} is not a folder's name: give the folder that it lies in as "
            f"--data DIR and its name alone as dataset"
        )
    parent = data_folder(data_dir)
    entry = (parent / dataset).resolve()
    if not entry.exists():
        there = [child.name for child in parent.iterdir()] if parent.is_dir() else []
        raise CohortError(
            f"no folder {dataset!r} in {str(parent)!r}{did_you_mean(dataset, there)}; --data DIR "
            f"or {DATA_VARIABLE} must name the folder that it lies in"
        )
    return entry


def data_folder(data_dir: Path | str | None) -> Path:
    """Return the resolved folder that data sets lie in, whether it is there or not.

    Parameters
    ----------
    data_dir
        As in `dataset_folder`.

    Raises
    ------
    CohortError
        If nothing names it.
    """
    given = data_dir or os.environ.get(DATA_VARIABLE)
    if not given:
        raise CohortError(
            f"nothing says where data sets are: give the folder that they lie in as --data DIR or "
            f"in the environment variable {DATA_VARIABLE}"
        )
    return home_expanded(given).resolve()


def home_expanded(path: Path | str) -> Path:
    """Return a path with ``~`` replaced, as a shell does.

    Raises
    ------
    CohortError
        If nobody knows the user's home, as in a container without one.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise CohortError(
            f"{str(path)!r} needs a home directory, and there is none: set HOME, or give a path "
            f"without '~'"
        ) from error

"""Files of saved predictions as tables; what a text file holds stays text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.errors import StudyError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["TABLES", "as_table", "read_predictions"]


def read_predictions(path: Path) -> pd.DataFrame:
    """Return a file of predictions as a table, its columns called as they are there.

    Parameters
    ----------
    path
        Ends in one of `TABLES`. An array without a name is one of predictions.

    Raises
    ------
    StudyError
        If there is no such file, or it cannot be read as a table.
    """
    if not path.is_file():
        raise StudyError(f"there is no table {str(path)!r}")
    try:
        return _READERS[path.suffix.lower()](path)
    except Exception as error:
        hint = ": save names as text, names.astype(str)" if "allow_pickle" in str(error) else ""
        raise StudyError(f"cannot read the table {str(path)!r}: {error}{hint}") from error


def as_table(given: Any) -> pd.DataFrame:  # noqa: ANN401 - a DataFrame or an array
    """Return predictions in hand as a table; a named index, or one of text, is a column."""
    import pandas as pd

    if isinstance(given, np.ndarray):
        return _of_arrays({"y_pred": given})
    table: pd.DataFrame = given
    if table.index.names != [None]:
        return table.reset_index()
    return table if isinstance(table.index, pd.RangeIndex) else table.reset_index(names="")


def _read_text(path: Path) -> pd.DataFrame:
    import pandas as pd

    from pfactor_bench.cohorts.tables import read_columns

    return pd.DataFrame(read_columns(path), dtype=object)


def _read_parquet(path: Path) -> pd.DataFrame:
    import pandas as pd

    return as_table(pd.read_parquet(path))


def _read_array(path: Path) -> pd.DataFrame:
    return _of_arrays({"y_pred": np.load(path, allow_pickle=False)})


def _read_arrays(path: Path) -> pd.DataFrame:
    with np.load(path, allow_pickle=False) as arrays:
        found = dict(arrays)
    return _of_arrays({"y_pred": found["arr_0"]} if list(found) == ["arr_0"] else found)


def _of_arrays(arrays: Mapping[str, NDArray[Any]]) -> pd.DataFrame:
    import pandas as pd

    for name, values in arrays.items():
        if not values.ndim or values.size != len(values):
            raise StudyError(
                f"array {name!r} has shape {values.shape}: give one number a window or a subject"
            )
    lengths = {name: len(values) for name, values in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise StudyError(f"arrays differ in length: {lengths}: give all of them a value a row")
    columns = {
        name: values.astype(str) if values.dtype.kind == "S" else values
        for name, values in arrays.items()
    }
    return pd.DataFrame({name: values.reshape(-1) for name, values in columns.items()})


_READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".csv": _read_text,
    ".tsv": _read_text,
    ".parquet": _read_parquet,
    ".npy": _read_array,
    ".npz": _read_arrays,
}

#: Endings of the files that are read.
TABLES = tuple(_READERS)

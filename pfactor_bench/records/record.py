"""The record: everything a run found, as one JSON file that judging and rendering read.

The arrays that a figure needs (curves, predictions per subject, saliency) stand beside it in
``arrays.npz``; every single prediction in ``predictions.parquet``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pfactor_bench.errors import RecordError
from pfactor_bench.files import write_atomically
from pfactor_bench.records.migrations import SCHEMA_VERSION, migrate, present_name
from pfactor_bench.types import (
    Claim,
    Finding,
    Interval,
    Measurement,
    Requirement,
    Timing,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "ARRAYS_FILE",
    "PREDICTIONS_FILE",
    "RECORD_FILE",
    "SCHEMA_VERSION",
    "Record",
    "find_measurement",
    "finding_of",
    "read_arrays",
    "read_record",
    "record_of",
    "write_record",
]

_T = TypeVar("_T")

#: No count or seed comes near, and no reader of JSON need keep more.
_MOST_DIGITS = 18

RECORD_FILE = "record.json"
ARRAYS_FILE = "arrays.npz"
PREDICTIONS_FILE = "predictions.parquet"


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What one run of one suite found.

    Parameters
    ----------
    suite, cohort, split, cases, provenance, missing
        As `pfactor_bench.records.schema` has them; ``missing`` are the cases without a result.
    measurements, findings, claims, verdicts, timings
        See `pfactor_bench.types`. Checks that run a study again stand among the findings once for
        each regime, whose audit they are part of; all others once.
    """

    suite: Mapping[str, Any]
    cohort: Mapping[str, Any]
    split: Mapping[str, Any]
    cases: tuple[Mapping[str, Any], ...]
    measurements: tuple[Measurement, ...]
    findings: tuple[Finding, ...]
    claims: tuple[Claim, ...]
    provenance: Mapping[str, Any]
    verdicts: tuple[Verdict, ...] = ()
    timings: tuple[Timing, ...] = ()
    missing: tuple[Mapping[str, Any], ...] = ()
    schema_version: int = field(default=SCHEMA_VERSION)

    def __repr__(self) -> str:
        from pfactor_bench.records.display import record_line

        return record_line(self)

    def _repr_html_(self) -> str:
        from pfactor_bench.records.display import record_html

        return record_html(self)

    def judged(self, verdicts: tuple[Verdict, ...]) -> Record:
        """Return the same record with other verdicts."""
        return replace(self, verdicts=verdicts)


def find_measurement(record: Record, name: str) -> Measurement | None:
    """Return the measurement called `name`, or None."""
    return next((found for found in record.measurements if found.name == name), None)


def write_record(record: Record, folder: Path) -> Path:
    """Write ``record.json`` into `folder` and return its path."""
    # allow_nan=False: a NaN in a record is a bug, and JSON has no word for it.
    text = json.dumps(asdict(record), indent=1, ensure_ascii=False, allow_nan=False)
    path = folder / RECORD_FILE
    # Half of a surrogate pair, which UTF-8 cannot hold, becomes JSON's own escape for it.
    write_atomically(path, f"{text}\n".encode(errors="backslashreplace"))
    return path


def read_record(path: Path | str) -> Record:
    """Read a record from its file or from the folder that holds it.

    Raises
    ------
    RecordError
        If there is none, it was not written by this project, or by a newer version of it.
    """
    path = Path(path)
    if path.is_dir():
        path = path / RECORD_FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"), parse_int=_whole_number)
    except FileNotFoundError:
        raise RecordError(
            f"no record at {str(path)!r}: give a record.json or the folder that holds one"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise RecordError(f"cannot read the record {str(path)!r}: {error}") from error
    version = data.get("schema_version") if isinstance(data, dict) else None
    if type(version) is not int or not 1 <= version <= SCHEMA_VERSION:
        raise RecordError(
            f"{str(path)!r} has schema_version {version!r}, this version reads 1 to "
            f"{SCHEMA_VERSION}: use the version that wrote it, or run the suite again"
        )
    try:
        return record_of(data)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise RecordError(f"{str(path)!r} is not a complete record: {error}") from error


def finding_of(row: Mapping[str, Any]) -> Finding:
    """Return the finding that parsed JSON of the present schema holds.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it holds none.
    """
    return _value(Finding, row, kinds=tuple(row["kinds"]), evidence=tuple(row.get("evidence", ())))


def read_arrays(folder: Path) -> dict[str, NDArray[np.float64]]:
    """Read the arrays that stand beside a record, by their present names."""
    import zipfile
    import zlib

    import numpy as np

    path = folder / ARRAYS_FILE
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            return {present_name(name): stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise RecordError(f"cannot read {str(path)!r}, which the figure needs: {error}") from error


def record_of(data: Mapping[str, Any]) -> Record:
    """Return the record that parsed JSON of any known schema holds.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it holds none; the message names the field.
    """
    # Pydantic takes a fifth of a second to import.
    from pfactor_bench.records.schema import check_record

    data = migrate(data)
    check_record(data)
    return Record(
        suite=data["suite"],
        cohort=data["cohort"],
        split=data["split"],
        cases=tuple(data["cases"]),
        measurements=tuple(
            _value(Measurement, row, ci=ci and _value(Interval, ci))
            for row in data["measurements"]
            for ci in [row.get("ci")]
        ),
        findings=tuple(map(finding_of, data["findings"])),
        claims=tuple(
            _value(Claim, row, requirement=_value(Requirement, row["requirement"]))
            for row in data["claims"]
        ),
        provenance=data["provenance"],
        verdicts=tuple(_value(Verdict, row) for row in data["verdicts"]),
        timings=tuple(_value(Timing, row) for row in data["timings"]),
        missing=tuple(data.get("missing", ())),
        schema_version=data["schema_version"],
    )


def _value(kind: type[_T], row: Mapping[str, Any], **given: object) -> _T:
    """Return a row as a value; fields that a later version added are ignored."""
    known = [one.name for one in fields(kind)]  # type: ignore[arg-type]
    return kind(**{**{name: row[name] for name in known if name in row}, **given})


def _whole_number(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"the number {digits[:20]}... has {len(digits)} digits")
    return int(digits)

"""The record: everything a run found, as one JSON file that judging and rendering read.

The arrays that a figure needs (curves, predictions per person, saliency) stand beside it in
``arrays.npz``; every single prediction in ``predictions.parquet``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pfactor_bench.errors import RecordError
from pfactor_bench.files import write_atomically
from pfactor_bench.records.migrations import SCHEMA_VERSION, migrate
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
    from pathlib import Path

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

RECORD_FILE = "record.json"
ARRAYS_FILE = "arrays.npz"
PREDICTIONS_FILE = "predictions.parquet"


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What one run of one suite found.

    Parameters
    ----------
    suite
        ``name, title, question, file, sha256`` and the parsed YAML under ``definition``.
    cohort
        ``name, target, unit, sfreq, ch_names, n_subjects, n_windows, n_times, score_mean, score_sd,
        fingerprint, notes, provenance, planted, people``. ``people`` holds ``subjects``, ``scores``
        and ``n_windows`` of everybody; None in records that schema 1 was written in.
    split
        ``name`` and ``folds``, each with ``name, train_subjects, test_subjects, n_train_windows,
        n_test_windows``.
    cases
        One mapping per case: ``id, regime, model, seed, n_parameters, n_trainable``.
    measurements, findings, claims, verdicts, timings
        See `pfactor_bench.types`. Checks that run a study again stand among the findings once for
        each regime, whose audit they are part of; all others once.
    provenance
        ``version, commit, dirty, python, platform, machine, cpu, n_cpus, threads, device, packages,
        date, command``.
    missing
        One mapping per case that has no result: ``id, regime, seed, reason``.
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


def read_record(path: Path) -> Record:
    """Read a record from its file or from the folder that holds it.

    Raises
    ------
    RecordError
        If there is none, it was not written by this project, or by a newer version of it.
    """
    if path.is_dir():
        path = path / RECORD_FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecordError(
            f"no record at {str(path)!r}: give a record.json or the folder that holds one"
        ) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RecordError(f"cannot read the record {str(path)!r}: {error}") from error
    version = data.get("schema_version") if isinstance(data, dict) else None
    if type(version) is not int or not 1 <= version <= SCHEMA_VERSION:
        raise RecordError(
            f"{str(path)!r} has schema_version {version!r}, this version reads 1 to "
            f"{SCHEMA_VERSION}: use the version that wrote it, or run the suite again"
        )
    try:
        return record_of(data)
    except (KeyError, TypeError, ValueError) as error:
        raise RecordError(f"{str(path)!r} is not a complete record: {error!r}") from error


def finding_of(row: Mapping[str, Any]) -> Finding:
    """Return the finding that parsed JSON of the present schema holds.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it holds none.
    """
    return Finding(**{**row, "kinds": tuple(row["kinds"]), "evidence": tuple(row["evidence"])})


def read_arrays(folder: Path) -> dict[str, NDArray[np.float64]]:
    """Read the arrays that stand beside a record."""
    import zipfile
    import zlib

    import numpy as np

    path = folder / ARRAYS_FILE
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise RecordError(f"cannot read {str(path)!r}, which the figure needs: {error}") from error


def record_of(data: Mapping[str, Any]) -> Record:
    """Return the record that parsed JSON of any known schema holds.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it holds none.
    """
    data = migrate(data)
    return Record(
        suite=data["suite"],
        cohort=data["cohort"],
        split=data["split"],
        cases=tuple(data["cases"]),
        measurements=tuple(
            Measurement(**{**row, "ci": Interval(**row["ci"]) if row["ci"] else None})
            for row in data["measurements"]
        ),
        findings=tuple(map(finding_of, data["findings"])),
        claims=tuple(
            Claim(**{**row, "requirement": Requirement(**row["requirement"])})
            for row in data["claims"]
        ),
        provenance=data["provenance"],
        verdicts=tuple(Verdict(**row) for row in data["verdicts"]),
        timings=tuple(Timing(**row) for row in data["timings"]),
        missing=tuple(data.get("missing", ())),
        schema_version=data["schema_version"],
    )

"""A cohort on disk that many processes open at once, with one copy of its windows in memory."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pfactor_bench.errors import CohortError
from pfactor_bench.files import ensure_writable, write_atomically
from pfactor_bench.types import Cohort, InjectedSignal

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["open_shared", "share_cohort"]

#: Written last: where it stands, everything stands.
_FACTS = "cohort.json"


def share_cohort(cohort: Cohort, folder: Path) -> Path:
    """Write a cohort for other processes, once, and return where.

    Parameters
    ----------
    cohort
        What to share.
    folder
        Gets a folder named after the cohort's fingerprint. Workers on other machines must see it
        under the same path.

    Raises
    ------
    OutputError
        If the folder cannot be written to.
    """
    path = folder.resolve() / f"cohort-{cohort.fingerprint[:16]}"
    with contextlib.suppress(CohortError):
        open_shared.__wrapped__(path)
        return path
    ensure_writable(path)
    _write_array(path / "X.npy", cohort.X)
    _write_array(path / "y.npy", cohort.y)
    write_atomically(path / "table.parquet", cohort.table.to_parquet(index=False) or b"")
    facts: dict[str, Any] = {
        "name": cohort.name,
        "sfreq": cohort.sfreq,
        "ch_names": list(cohort.ch_names),
        "unit": cohort.unit,
        "target": cohort.target,
        "fingerprint": cohort.fingerprint,
        "injected": asdict(cohort.injected) if cohort.injected else None,
    }
    write_atomically(path / _FACTS, json.dumps(facts, ensure_ascii=False).encode())
    return path


@lru_cache(maxsize=2)
def open_shared(path: Path) -> Cohort:
    """Open a shared cohort; its windows are mapped, not read, and a second call costs nothing.

    Raises
    ------
    CohortError
        If it is not there or not complete.
    """
    try:
        facts = json.loads((path / _FACTS).read_text(encoding="utf-8"))
        X = np.load(path / "X.npy", mmap_mode="r", allow_pickle=False)
        y = np.load(path / "y.npy", allow_pickle=False)
        table = pd.read_parquet(path / "table.parquet")
    except (OSError, ValueError, EOFError) as error:
        raise CohortError(
            f"cannot open the windows in {str(path)!r} ({error}): the run's folder must be visible "
            f"under this path wherever its cases run"
        ) from error
    injected = facts.pop("injected")
    return Cohort(
        **{**facts, "ch_names": tuple(facts["ch_names"])},
        X=X,
        y=y,
        table=table,
        provenance={},
        injected=injected
        and InjectedSignal(ch_names=tuple(injected["ch_names"]), frequency=injected["frequency"]),
    )


def _write_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array so that a reader finds all of it or none, without a second copy in memory."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            np.save(stream, array, allow_pickle=False)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise

"""Test-first benchmark and leakage audit for cross-subject EEG regression.

The names below are the public interface; each is imported when it is first used, so that importing
the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from pfactor_bench._version import __version__ as __version__

if TYPE_CHECKING:
    from pfactor_bench.auditing.audit import Audit, audit
    from pfactor_bench.cohorts import COHORTS, make_cohort
    from pfactor_bench.config import Suite, load_suite
    from pfactor_bench.pipeline.run import run
    from pfactor_bench.records.record import Record, read_record
    from pfactor_bench.splits.splitters import SPLITTERS, split_from_indices
    from pfactor_bench.types import Cohort, Fold, Split

__all__ = [
    "COHORTS",
    "SPLITTERS",
    "Audit",
    "Cohort",
    "Fold",
    "Record",
    "Split",
    "Suite",
    "audit",
    "load_suite",
    "make_cohort",
    "read_record",
    "run",
    "split_from_indices",
]

_HOMES = {
    "COHORTS": "cohorts",
    "SPLITTERS": "splits.splitters",
    "Audit": "auditing.audit",
    "Cohort": "types",
    "Fold": "types",
    "Record": "records.record",
    "Split": "types",
    "Suite": "config",
    "audit": "auditing.audit",
    "load_suite": "config",
    "make_cohort": "cohorts",
    "read_record": "records.record",
    "run": "pipeline.run",
    "split_from_indices": "splits.splitters",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

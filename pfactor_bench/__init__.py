"""Test-first benchmark and leakage audit for cross-subject EEG regression.

The names below are the public interface; each is imported when it is first used, so that importing
the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from pfactor_bench._version import __version__ as __version__

if TYPE_CHECKING:
    from pfactor_bench import testing
    from pfactor_bench.auditing.audit import audit
    from pfactor_bench.auditing.result import Audit
    from pfactor_bench.checks.engine.effort import Effort
    from pfactor_bench.cohorts import COHORTS, from_braindecode, make_cohort
    from pfactor_bench.config import Suite, load_suite
    from pfactor_bench.errors import (
        CheckpointError,
        CohortError,
        ConfigError,
        EnvironmentProblemError,
        ExecutionError,
        ModelError,
        OutputError,
        PfactorBenchError,
        RecordError,
        StudyError,
        UnknownNameError,
    )
    from pfactor_bench.pipeline.run import Execution, run
    from pfactor_bench.records.record import Record, read_record
    from pfactor_bench.splits.splitters import SPLITTERS, split_from_indices
    from pfactor_bench.studies.declaration import declare
    from pfactor_bench.types import Cohort, Finding, Fold, Split, Verdict

__all__ = [
    "COHORTS",
    "SPLITTERS",
    "Audit",
    "CheckpointError",
    "Cohort",
    "CohortError",
    "ConfigError",
    "Effort",
    "EnvironmentProblemError",
    "Execution",
    "ExecutionError",
    "Finding",
    "Fold",
    "ModelError",
    "OutputError",
    "PfactorBenchError",
    "Record",
    "RecordError",
    "Split",
    "StudyError",
    "Suite",
    "UnknownNameError",
    "Verdict",
    "audit",
    "declare",
    "from_braindecode",
    "load_suite",
    "make_cohort",
    "read_record",
    "run",
    "split_from_indices",
    "testing",
]

#: Where each stands; a module stands for itself.
_HOMES = {
    "COHORTS": "cohorts",
    "SPLITTERS": "splits.splitters",
    "Audit": "auditing.result",
    "CheckpointError": "errors",
    "Cohort": "types",
    "CohortError": "errors",
    "ConfigError": "errors",
    "Effort": "checks.engine.effort",
    "EnvironmentProblemError": "errors",
    "Execution": "pipeline.run",
    "ExecutionError": "errors",
    "Finding": "types",
    "Fold": "types",
    "ModelError": "errors",
    "OutputError": "errors",
    "PfactorBenchError": "errors",
    "Record": "records.record",
    "RecordError": "errors",
    "Split": "types",
    "StudyError": "errors",
    "Suite": "config",
    "UnknownNameError": "errors",
    "Verdict": "types",
    "audit": "auditing.audit",
    "declare": "studies.declaration",
    "from_braindecode": "cohorts",
    "load_suite": "config",
    "make_cohort": "cohorts",
    "read_record": "records.record",
    "run": "pipeline.run",
    "split_from_indices": "splits.splitters",
    "testing": "testing",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(f"{__name__}.{_HOMES[name]}")
    return home if name == _HOMES[name] else getattr(home, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

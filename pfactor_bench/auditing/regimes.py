"""The regimes of a suite, audited as if they were a stranger's study."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING

from pfactor_bench.auditing.audit import audit
from pfactor_bench.auditing.result import Audit
from pfactor_bench.checks.engine.effort import QUICK
from pfactor_bench.execution.cases import cached_cases
from pfactor_bench.execution.preparation import encoders_of
from pfactor_bench.files import write_atomically
from pfactor_bench.models.identity import code_hash, digest
from pfactor_bench.records.record import finding_of
from pfactor_bench.splits.splitters import make_split
from pfactor_bench.studies.adapters import regime_study

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pfactor_bench.pipeline.stages import Run
    from pfactor_bench.types import Case, CaseResult

__all__ = ["audit_regime", "audit_windows", "audited_cases", "kept_audit"]

#: Longer training would only cost time: a prediction that may not move may not after one step.
_MAX_EPOCHS = 4
#: How often a quick audit trains a regime with a handful of folds.
_RUNS = 12
#: What decides about an audit's answer besides the case.
_CODE = ("auditing", "checks", "studies", "splits")


def audited_cases(cases: Iterable[Case]) -> dict[str, Case]:
    """Return the case that stands for each regime when it is audited: that of its first seed."""
    found: dict[str, Case] = {}
    for case in cases:
        found.setdefault(case.regime, case)
    return found


def audit_regime(run: Run, case: Case) -> Audit:
    """Audit one case of a suite on its own cohort, split and budget, at quick effort.

    A suite that has a folder keeps the audit there, and it is not run again.

    Parameters
    ----------
    run
        The suite. Of its budget at most four epochs are used: an audit trains a dozen times.
    case
        Model, regime and seed. A pretrained regime keeps the suite's encoders, so that what is
        audited is what it does with them; LK022 looks at whom they have seen.
    """
    if (known := kept_audit(run, case)) is not None:
        return known
    suite = run.suite
    study = regime_study(
        case,
        lambda cohort: make_split(suite.split, cohort.table),
        replace(suite.budget, epochs=min(suite.budget.epochs, _MAX_EPOCHS)),
        encoders={fold: encoder.tensors for fold, encoder in encoders_of(run, case).items()},
    )
    study.__name__ = case.regime  # type: ignore[attr-defined]
    found = audit(study, run.cohort, effort="quick", progress=False)
    if run.out is not None:
        path = _path(run, case)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(found.to_dict()).encode())
    return found


def kept_audit(run: Run, case: Case) -> Audit | None:
    """Return the audit of a case that an earlier run of this very code kept, else None."""
    if run.out is None:
        return None
    try:
        stored = json.loads(_path(run, case).read_text(encoding="utf-8"))
        values = {field.name: stored[field.name] for field in fields(Audit)}
        values["findings"] = tuple(map(finding_of, stored["findings"]))
        return Audit(**{**values, "notes": tuple(stored["notes"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def audit_windows(result: CaseResult) -> float:
    """Return on how many windows, epoch after epoch, an audit of a case trains, about.

    Compared with what a run trained on, it says what an audit costs. A comparison of seconds would
    come out otherwise on a busy machine, and two runs of one suite would have two records.
    """
    per_run = sum(
        (timing.windows or 0) * min(budget.epochs, _MAX_EPOCHS) / budget.epochs
        for timing, budget in zip(result.timings, result.budgets, strict=False)
    )
    return _RUNS * per_run


def _path(run: Run, case: Case) -> Path:
    """Return the file of an audit, beside the case: its name is the hash of all that decides it."""
    (cached,) = cached_cases(run, (case,))
    key = digest([cached.key, asdict(QUICK), code_hash(*_CODE)])
    return cached.path.parent / f"audit-{key[:20]}.json"

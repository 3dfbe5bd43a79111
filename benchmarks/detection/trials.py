"""One audit of the benchmark: through which door, on what, and what is injected there."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pfactor_bench._version import __version__
from pfactor_bench.auditing.result import Audit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pfactor_bench.records.record import Record

__all__ = ["DOORS", "Door", "Part", "Trial", "run_trial"]

Door: TypeAlias = Literal["study", "estimator", "model", "predictions", "suite"]
Part: TypeAlias = Literal["door", "severity", "permutation"]

#: What a user types, the plain door first.
DOORS: dict[Door, str] = {
    "study": "`audit file.py:study`, nothing declared",
    "estimator": "`audit(estimator)` of scikit-learn",
    "model": "`audit` of a model by its name or factory",
    "predictions": "`audit predictions.csv`, claims beside it",
    "suite": "`run suite.yaml --audit`",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """One audit.

    Parameters
    ----------
    door
        In `DOORS`.
    host
        What is audited, but for the leak: the same host without one is the clean twin.
    enter
        Called with an empty folder; None where what is injected changes nothing.
    leak, kinds
        What is injected, and what it is in `pfactor_bench.checks.engine.kinds.KINDS`.
    part
        Whether it counts for its door, for a severity-response curve, or for permuted studies.
    severity
        How much is injected, where that is the question.
    """

    door: Door
    host: str
    enter: Callable[[Path], Audit | Record | None]
    leak: str = ""
    kinds: tuple[int, ...] = ()
    part: Part = "door"
    severity: float | None = None

    @property
    def id(self) -> str:
        """The trial in one line, the key of its result."""
        injected = self.leak or "clean"
        return f"{self._place} | {injected}" + (
            "" if self.severity is None else f" {self.severity:g}"
        )

    @property
    def twin(self) -> str:
        """The id of the same without a leak."""
        return f"{self._place} | clean"

    @property
    def _place(self) -> str:
        return f"{self.part} | {self.door} | {self.host}"


def run_trial(trial: Trial, folder: Path) -> dict[str, Any]:
    """Run a trial and return its row: what was injected, and what was said."""
    began = time.perf_counter()
    found = trial.enter(folder)
    row = {
        "id": trial.id,
        "part": trial.part,
        "door": trial.door,
        "host": trial.host,
        "leak": trial.leak,
        "kinds": list(trial.kinds),
        "severity": trial.severity,
        "twin": trial.twin,
        "date": date.today().isoformat(),  # noqa: DTZ011 - the day, as whoever runs it says
        "version": __version__,
        "has_effect": found is not None,
        "seconds": round(time.perf_counter() - began, 3),
    }
    if found is None:
        return row
    told = [one for one in found.findings if one.status in {"fail", "warn", "error"}]
    fails = any(one.status == "fail" for one in told)
    return {
        **row,
        "verdict": found.verdict if isinstance(found, Audit) else "leaky" if fails else "clean",
        "n_runs": found.n_runs if isinstance(found, Audit) else None,
        # A suite audits each regime: the worst of several findings of a check stands for it.
        "statuses": {
            one.code: one.status for one in sorted(told, key=lambda one: one.status == "fail")
        },
        "explanations": {one.code: one.explanation for one in told if one.status != "warn"},
        "cost": {
            one.code: round(one.seconds, 3)
            for one in found.findings
            if one.status not in {"not_applicable", "skipped"}
        },
    }

"""What an audit found, and what follows from it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pfactor_bench.auditing.display import audit_frame, audit_html, audit_line

if TYPE_CHECKING:
    import pandas as pd

    from pfactor_bench.types import Finding

__all__ = ["Audit"]

SCHEMA_VERSION = 1


AuditVerdict: TypeAlias = Literal["clean", "leaky", "inconclusive"]


#: Held-out targets, and other held-out subjects' signal: without these nothing is called clean.
_CORE = ("LK101", "LK102")


_EXIT_CODES: dict[AuditVerdict, int] = {"clean": 0, "leaky": 1, "inconclusive": 3}


@dataclass(frozen=True, kw_only=True, slots=True)
class Audit:
    """What an audit found.

    Parameters
    ----------
    target, kind
        What was audited: its name, and whether it is a study, a model, an estimator or a table.
    cohort, fingerprint
        Name and fingerprint of the cohort it was audited on.
    seed
        Of the study and of all changes: the same seed repeats the audit.
    n_runs
        How often the target was run.
    findings
        One per check, in the order of their codes.
    notes
        What was read from where, of saved predictions.
    """

    target: str
    kind: str
    cohort: str
    fingerprint: str
    seed: int
    n_runs: int
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return audit_line(self)

    def _repr_html_(self) -> str:
        return audit_html(self)

    @property
    def verdict(self) -> AuditVerdict:
        """``leaky``, ``clean`` or ``inconclusive``.

        Leaky if a check failed, clean if both core relations ran in every fold: then none of the
        checks that applied found a leak, which does not mean that there is none.
        """
        statuses = {finding.status for finding in self.findings}
        if "fail" in statuses:
            return "leaky"
        return "inconclusive" if "error" in statuses or self._unexamined else "clean"

    @property
    def exit_code(self) -> int:
        """0 clean, 1 leaky, 3 inconclusive; 2 is left for input that cannot be audited.

        Where some checks only were asked for, 0 says that none of them found a leak.
        """
        asked_for_some = any(finding.status == "skipped" for finding in self.findings)
        undecided = any(finding.status == "error" for finding in self.findings)
        if self.verdict == "inconclusive" and asked_for_some and not undecided:
            return 0
        return _EXIT_CODES[self.verdict]

    @property
    def headline(self) -> str:
        """What the leak is, in the first sentence of the first check that found one."""
        failed = [finding for finding in self.findings if finding.status == "fail"]
        # Relations, where there are any, say what is wrong with the number itself.
        failed.sort(key=lambda finding: finding.code not in _CORE)
        return failed[0].explanation.partition(". ")[0] if failed else ""

    @property
    def reason(self) -> str:
        """Why the verdict is inconclusive, and what would settle it; empty where it is not."""
        if self.verdict != "inconclusive":
            return ""
        undecided = [finding for finding in self.findings if finding.status == "error"]
        finding = (undecided or self._unexamined)[0]
        if finding.status == "skipped":
            return f"{finding.code} was not asked for, and clean needs {' and '.join(_CORE)}"
        if self.kind == "predictions":
            return (
                "predictions can be looked at and not run again: audit the study that made them, "
                "such as my_study.py:study"
            )
        return f"{finding.explanation}. {finding.fix}".strip()

    @property
    def _unexamined(self) -> list[Finding]:
        """The core relations that have no answer."""
        return [
            finding
            for finding in self.findings
            if finding.code in _CORE and finding.status not in {"pass", "warn"}
        ]

    def to_frame(self) -> pd.DataFrame:
        """Return a row per check: ``status, title, explanation, fix, n_evidence, seconds``."""
        return audit_frame(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the audit as plain values."""
        return {
            "schema_version": SCHEMA_VERSION,
            "target": self.target,
            "kind": self.kind,
            "cohort": self.cohort,
            "fingerprint": self.fingerprint,
            "seed": self.seed,
            "n_runs": self.n_runs,
            "verdict": self.verdict,
            "exit_code": self.exit_code,
            "reason": self.reason,
            "notes": list(self.notes),
            "findings": [asdict(finding) for finding in self.findings],
        }

    def to_json(self) -> str:
        """Return the audit as JSON."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

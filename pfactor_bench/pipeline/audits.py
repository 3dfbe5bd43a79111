"""What the audits of a suite's regimes found, as part of its record."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from pfactor_bench.auditing.regimes import audit_regime, audit_windows, audited_cases, kept_audit
from pfactor_bench.checks import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pfactor_bench.auditing.result import Audit
    from pfactor_bench.pipeline.stages import Run
    from pfactor_bench.records.record import Record
    from pfactor_bench.types import Case, Finding

#: By regime, its audit, or why it was left out.
Audits: TypeAlias = "Mapping[str, Audit | str]"

#: Why a session of pytest lacks an audit.
NOT_ASKED = "not checked: the test of its audit was not among those run; run test_audit, too"

#: What a run does not have for the checks and the audit of a regime does.
_BY_AUDIT = "study"


def audit_regimes(
    run: Run, *, wanted: bool | None, on_audit: Callable[[str], object] = lambda _regime: None
) -> dict[str, Audit | str]:
    """Audit the regimes of a suite that ran, each from its first seed.

    Parameters
    ----------
    run
        The suite, its cases trained.
    wanted
        Whether to audit; None audits regimes whose audit costs less than the run did.
    on_audit
        Called with the regime before its audit begins.
    """
    found: dict[str, Audit | str] = {}
    for regime, case in audited_cases(run.suite.cases).items():
        reason = _why_not(run, case, wanted=wanted)
        if reason is None:
            on_audit(regime)
        found[regime] = audit_regime(run, case) if reason is None else reason
    return found


def with_audits(record: Record, audits: Audits) -> Record:
    """Return a record with the findings of its regimes' audits.

    Parameters
    ----------
    record
        As `pfactor_bench.pipeline.conclude.conclude` made it.
    audits
        Of every regime. Checks that run a study again, for which the run alone has no input, then
        stand among the findings once for each.
    """
    by_audit = {entry.code for entry in catalogue() if _BY_AUDIT in entry.needs}
    findings: list[Finding] = []
    for finding in record.findings:
        if finding.code in by_audit:
            findings += [_of(finding, regime, found) for regime, found in audits.items()]
        else:
            findings.append(finding)
    return replace(record, findings=tuple(findings))


def _of(finding: Finding, regime: str, found: Audit | str) -> Finding:
    """Return what became of one check in the audit of one regime."""
    if isinstance(found, str):
        return replace(finding, status="skipped", explanation=found, regime=regime)
    (own,) = (one for one in found.findings if one.code == finding.code)
    return replace(own, regime=regime)


def _why_not(run: Run, case: Case, *, wanted: bool | None) -> str | None:
    """Return why a regime is not audited, None where it is."""
    results = run.results
    if wanted is False:
        return "not checked: the run was asked to leave audits out; run with --audit"
    if case not in results:
        return f"not checked: {case.id} has no result"
    if wanted or kept_audit(run, case) is not None:
        return None
    if run.device.type != "cpu":
        return (
            "not checked: cases were trained on a GPU, and an audit, which trains on the CPU, may "
            "take far longer; run with --audit"
        )
    trained = sum(timing.windows or 0 for result in results.values() for timing in result.timings)
    audit = audit_windows(results[case])
    if audit < trained:
        return None
    return (
        f"not checked: an audit would train about {audit / trained:.2g} times as long as the whole "
        f"run; run with --audit"
    )

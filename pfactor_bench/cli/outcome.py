"""What a stored run came to: a line for each claim, and the exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record

#: Some cases have no result.
MISSING = 3


def verdict_lines(record: Record) -> str:
    """Return a line per claim, per check that found something, and per audit or case left out."""
    from pfactor_bench.report.sections.evidence import left_out_audits
    from pfactor_bench.report.text import plain

    # plain: an exception's message may hold a terminal's control sequences.
    lines = [
        f"{verdict.status:<12} {verdict.level:<6} {plain(verdict.claim)}: "
        f"{plain(verdict.explanation)}"
        for verdict in record.verdicts
    ]
    lines += [
        f"{finding.status:<12} check  {plain(finding.label)} {plain(finding.title)}: "
        f"{plain(finding.explanation)}"
        for finding in record.findings
        if finding.status in {"fail", "error"}
    ]
    lines += [
        f"{'not checked':<12} audit  {plain(regime)}: {plain(why.removeprefix('not checked: '))}"
        for regime, why in left_out_audits(record).items()
    ]
    lines += [
        f"{'missing':<12} case   {plain(case['id'])}: {plain(case['reason'])}"
        for case in record.missing
    ]
    return "\n".join(lines)


def exit_code(record: Record) -> int:
    """Return 3 where cases have no result, else 1 for a leak or a gate that does not hold."""
    from pfactor_bench.claims import gate_failures

    if record.missing:
        return MISSING
    leaks = any(finding.status in {"fail", "error"} for finding in record.findings)
    return int(leaks or bool(gate_failures(record.verdicts)))

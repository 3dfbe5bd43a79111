"""An audit as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.report.text import escape, table

if TYPE_CHECKING:
    from pfactor_bench.auditing.result import Audit
    from pfactor_bench.types import Finding

__all__ = ["VERDICTS", "audit_report", "worst_first"]

VERDICTS = {
    "clean": "no leak found, which is not the same as clean",
    "leaky": "leaks found",
    "inconclusive": "undecided",
}


#: What a reader must see first.
_ORDER = ("fail", "error", "warn", "pass", "not_applicable", "skipped")


def audit_report(result: Audit) -> str:
    """Return an audit as Markdown: what was found, why it matters, and how to fix it."""
    from pfactor_bench.checks import catalogue

    pages = {entry.code: entry for entry in catalogue()}
    parts = [
        f"# Audit of {escape(result.target)}",
        _summary(result),
        *(escape(note, limit=5000) for note in result.notes),
    ]
    for finding in worst_first(result):
        if finding.status in {"fail", "error", "warn"}:
            why = pages[finding.code].why
            parts += [
                f"## {finding.code} {escape(finding.title)}: {finding.status}",
                escape(finding.explanation, limit=5000),
                f"Why it matters: {escape(why, limit=5000)}",
                f"How to fix it: {escape(finding.fix, limit=5000)}",
                *_evidence_table(finding),
            ]
    rows = [
        [finding.code, finding.status, escape(finding.title), escape(finding.explanation)]
        for finding in result.findings
    ]
    parts += ["## Every check", table(["check", "status", "looks for", "says"], rows)]
    parts += ["## What this audit cannot see"]
    parts += [f"- {page.code}: {escape(page.blind, limit=5000)}" for page in pages.values()]
    return "\n\n".join(parts) + "\n"


def _summary(result: Audit) -> str:
    said = result.headline or result.reason
    return (
        f"Verdict: **{result.verdict}** ({VERDICTS[result.verdict]}), on cohort "
        f"{escape(result.cohort)} with seed {result.seed}, {result.n_runs} runs."
        f"{' ' + escape(said, limit=5000) if said else ''}"
    )


def worst_first(result: Audit) -> list[Finding]:
    """Return the findings in the order in which a reader must see them."""
    return sorted(result.findings, key=lambda finding: (_ORDER.index(finding.status), finding.code))


def _evidence_table(finding: Finding) -> list[str]:
    if not finding.evidence:
        return []
    columns = list(dict.fromkeys(key for row in finding.evidence for key in row))
    rows = [[escape(row.get(column, "")) for column in columns] for row in finding.evidence]
    left = finding.n_evidence - len(finding.evidence)
    more = [f"and {left} more rows"] if left > 0 else []
    return [table([escape(column) for column in columns], rows), *more]

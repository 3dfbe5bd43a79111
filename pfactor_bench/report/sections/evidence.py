"""What the checks found, and the sentence about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.report.section import Section
from pfactor_bench.report.text import Markdown, count, escape, paragraphs, table

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record
    from pfactor_bench.types import Finding

#: What a reader must see first comes first; what could not be looked for is a long list, so last.
_STATUSES = {
    "fail": "**fail**",
    "error": "**error**",
    "warn": "warn",
    "pass": "pass",
    "skipped": "skipped",
    "not_applicable": "not applicable",
}
_NO_PROOF = "Passing checks does not prove the absence of leakage."


def leak_answer(record: Record) -> str:
    """Return ``found``, ``none found`` or ``not known``: a check that broke off decided nothing."""
    statuses = {finding.status for finding in record.findings}
    if "fail" in statuses:
        return "found"
    return "none found" if statuses & {"pass", "warn"} and "error" not in statuses else "not known"


def leak_sentence(record: Record) -> Markdown:
    """Return whether the checks found a leak, and what was left undecided."""
    of = {status: [f for f in record.findings if f.status == status] for status in _STATUSES}
    looked = len({f.code for f in (*of["pass"], *of["warn"], *of["fail"])})
    if of["fail"]:
        names = ", ".join(f"{escape(f.label)} {escape(f.title)}" for f in of["fail"])
        found = f"**The checks found a leak: {names}.**"
    elif looked:
        found = (
            f"{count(looked, 'check')} looked for leaks: none found, which is not the same as "
            f"clean."
        )
    else:
        found = "**No check looked for leaks.**"
    if of["warn"]:
        found += f" {count(len(of['warn']), 'check')} warned: {_warnings(of['warn'])}."
    if of["error"]:
        broken = f"{count(len(of['error']), 'check')} broke off and decided nothing"
        found += f" **{broken}: {_codes(of['error'])}.**"
    return Markdown(found + _not_audited(record))


def left_out_audits(record: Record) -> dict[str, str]:
    """Return why regimes were not audited, by regime, where a whole audit was left out."""
    audited = {found.regime for found in record.findings if found.status != "skipped"}
    return {
        found.regime: found.explanation
        for found in record.findings
        if found.regime is not None and found.regime not in audited
    }


def _text(record: Record) -> list[Markdown]:
    """Return every check once, failures first, then the evidence of those that found something."""
    order = list(_STATUSES)
    # Regimes stay in the record's order.
    findings = sorted(record.findings, key=lambda found: (order.index(found.status), found.code))
    rows = [[f.label, f.title, Markdown(_STATUSES[f.status]), f.explanation] for f in findings]
    parts = [Markdown(f"{leak_sentence(record)} {_NO_PROOF}")]
    if rows:
        parts.append(table(["check", "looks for", "status", "what it found"], rows))
    parts += [_evidence(found) for found in findings if found.status in ("fail", "error", "warn")]
    return parts


def _codes(findings: list[Finding]) -> str:
    return ", ".join(escape(finding.label) for finding in findings)


def _not_audited(record: Record) -> str:
    return "".join(
        f" **Not audited: {escape(regime)}** ({escape(why)})."
        for regime, why in left_out_audits(record).items()
    )


def _warnings(findings: list[Finding]) -> str:
    """Return what each found beside its code, which alone tells a reader nothing."""
    return "; ".join(f"{escape(f.label)}, {escape(f.explanation, limit=160)}" for f in findings)


def _evidence(finding: Finding) -> Markdown:
    parts = [f"### {escape(finding.label)}: {escape(finding.title)}"]
    if finding.fix:
        parts.append(f"What to do: {escape(finding.fix)}")
    if finding.evidence:
        columns = list(dict.fromkeys(key for row in finding.evidence for key in row))
        parts.append(
            table(
                columns,
                [[_cell(row.get(column)) for column in columns] for row in finding.evidence],
            )
        )
        if finding.n_evidence > len(finding.evidence):
            parts.append(f"The first {len(finding.evidence)} of {finding.n_evidence:,} rows.")
    return paragraphs(*map(Markdown, parts)) if len(parts) > 1 else Markdown()


def _cell(value: object) -> object:
    return "–" if value is None else f"{value:.4g}" if isinstance(value, float) else value


SECTION = Section(order=50, heading="Checks", text=_text)

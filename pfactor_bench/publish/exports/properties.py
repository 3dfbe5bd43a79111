"""What a JUnit file says beside a test's name: the number, its interval, and how many subjects."""

from __future__ import annotations

from pfactor_bench.claims import required
from pfactor_bench.records.record import Record, find_measurement
from pfactor_bench.report.text import plain
from pfactor_bench.types import Claim, Finding


def claim_properties(claim: Claim, record: Record) -> list[tuple[str, str]]:
    """Return what was claimed, measured and judged, as a CI server keeps it."""
    verdict = next((one for one in record.verdicts if one.claim == claim.id), None)
    found = find_measurement(record, claim.measurement)
    rows: list[tuple[str, object]] = [
        ("claim", claim.text),
        ("level", claim.level),
        ("measurement", claim.measurement),
        ("required", required(claim.requirement)),
        ("verdict", verdict.status if verdict else None),
        ("explanation", verdict.explanation if verdict else None),
        ("subjects_needed", verdict.subjects_needed if verdict else None),
        ("value", found.value if found else None),
        ("missing_because", found.missing_because if found else None),
        ("n_subjects", found.n_subjects if found else None),
    ]
    if found is not None and found.ci is not None:
        ci = found.ci
        rows += [("interval_low", ci.low), ("interval_high", ci.high), ("interval_level", ci.level)]
    return _known(rows)


def finding_properties(finding: Finding) -> list[tuple[str, str]]:
    """Return what a check looked for and what came of it."""
    return _known(
        [
            ("check", finding.code),
            ("regime", finding.regime),
            ("title", finding.title),
            ("status", finding.status),
            ("explanation", finding.explanation),
            ("fix", finding.fix or None),
            ("rows_of_evidence", finding.n_evidence),
            ("leak_kinds", " ".join(map(str, finding.kinds)) or None),
        ]
    )


def _known(rows: list[tuple[str, object]]) -> list[tuple[str, str]]:
    return [(name, plain(value)) for name, value in rows if value is not None]

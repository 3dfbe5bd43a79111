"""A record in a line, and as a notebook shows it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pfactor_bench.types import html

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record

__all__ = ["record_html", "record_line"]

_WANTED = ("fail", "error", "warn")


def record_line(record: Record) -> str:
    """Return what came of a run, in a line: its claims, its leaks, and what is missing."""
    return f"<Record of {record.suite['name']!r}: {_summary(record)}>"


def record_html(record: Record) -> str:
    """Return the verdicts and the checks that found something, with all else folded."""
    texts = {claim.id: claim.text for claim in record.claims}
    verdicts = [
        [one.status, one.level, texts.get(one.claim, one.claim), one.explanation]
        for one in record.verdicts
    ]
    found = [
        html.card(f"{one.status} {one.code} {one.title}", one.explanation, one.fix)
        for one in record.findings
        if one.status in _WANTED
    ]
    numbers = [
        [one.name, one.missing_because if one.value is None else f"{one.value:.4g}", one.n_subjects]
        for one in record.measurements
    ]
    missing = [[case["id"], case["reason"]] for case in record.missing]
    checks = [[one.code, one.status, one.title, one.explanation] for one in record.findings]
    return html.card(
        f"{record.suite['title']}: {_summary(record)}",
        record.suite["question"],
        html.rows(verdicts, ("verdict", "level", "claim", "because")),
        html.listing(found),
        html.rows(missing, ("no result", "because")),
        html.folded(f"{len(checks)} checks", html.rows(checks)),
        html.folded(f"{len(numbers)} measurements", html.rows(numbers)),
        html.folded("provenance", html.rows(record.provenance.items())),
    )


def _summary(record: Record) -> str:
    claims = Counter(verdict.status for verdict in record.verdicts)
    checks = Counter(one.status for one in record.findings if one.status in _WANTED)
    parts = [f"{n} {_many(n, 'claim')} {status}" for status, n in claims.items()]
    parts += [f"{n} {_many(n, 'check')} {status}" for status, n in checks.items()]
    if record.missing:
        parts.append(f"{len(record.missing)} {_many(len(record.missing), 'case')} missing")
    return ", ".join(parts) or "nothing judged"


def _many(n: int, noun: str) -> str:
    return noun if n == 1 else f"{noun}s"

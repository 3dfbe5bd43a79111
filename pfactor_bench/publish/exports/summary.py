"""A run in a few lines, for the summary of a CI job."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pfactor_bench.report.sections.summary import answers_table, regime_lines
from pfactor_bench.report.text import md, paragraphs, plain, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pfactor_bench.records.record import Record
    from pfactor_bench.types import Finding

#: GitHub drops a step's summary of more than a mebibyte altogether.
_MOST_BYTES = 2**20 - 2**10


def summary_text(record: Record) -> str:
    """Return verdict, subjects, leaks, claims and failed checks as Markdown."""
    found = [f for f in record.findings if f.status in ("fail", "error")]
    parts = [
        md("## {}", record.suite["title"]),
        *regime_lines(record),
        answers_table(record),
        _failures(found),
    ]
    return paragraphs(*parts) + "\n"


def append_step_summary(text: str) -> None:
    """Append to the summary of the GitHub step that is running; without one do nothing.

    What does not fit is left out: GitHub would show nothing at all.
    """
    named = os.environ.get("GITHUB_STEP_SUMMARY")
    if not named:
        return
    path = Path(named)
    written = path.stat().st_size if path.exists() else 0
    content = f"{text}\n".encode()
    if written + len(content) <= _MOST_BYTES:
        with path.open("ab") as stream:
            stream.write(content)


def verdict_summary(record: Record) -> Iterator[str]:
    """Yield what a terminal shows of the claims: all that are reported, and gates that fail."""
    for verdict in record.verdicts:
        if verdict.level == "report" or verdict.status != "holds":
            yield f"{plain(verdict.claim)} {verdict.status}: {plain(verdict.explanation)}"
    gates = [verdict for verdict in record.verdicts if verdict.level == "gate"]
    if gates:
        held = sum(verdict.status == "holds" for verdict in gates)
        yield f"{held} of {len(gates)} gates hold"


def _failures(found: list[Finding]) -> str:
    rows = [[f.label, f.status, f.explanation, f.fix] for f in found]
    return table(["check", "status", "what it found", "what to do"], rows) if rows else ""

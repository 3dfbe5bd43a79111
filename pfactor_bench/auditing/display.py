"""An audit in a line, as a notebook shows it, and as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.auditing.report import VERDICTS, worst_first
from pfactor_bench.types import html

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from pfactor_bench.auditing.result import Audit
    from pfactor_bench.types import Finding

__all__ = ["audit_frame", "audit_html", "audit_line"]

#: What the reader has to do something about; everything else is folded.
_WANTED = ("fail", "error", "warn")


def audit_line(result: Audit) -> str:
    """Return what came of an audit, in a line: the verdict, and what it rests on."""
    return (
        f"<Audit of {result.target!r} on {result.cohort!r}: {result.verdict}; "
        f"{_counted(result.findings)}; {result.n_runs} runs>"
    )


def audit_html(result: Audit) -> str:
    """Return the verdict and what to do, with every check folded below."""
    wanted = [
        html.card(f"{one.status} {one.code} {one.title}", one.explanation, one.fix)
        for one in worst_first(result)
        if one.status in _WANTED
    ]
    every = [[one.code, one.status, one.title, one.explanation] for one in result.findings]
    headers = ("check", "status", "looks for", "says")
    return html.card(
        f"{result.target}: {result.verdict}, {VERDICTS[result.verdict]}",
        f"a {result.kind}, on cohort {result.cohort} with seed {result.seed}, {result.n_runs} runs",
        html.listing(wanted),
        html.folded(f"every check: {_counted(result.findings)}", html.rows(every, headers)),
    )


def audit_frame(result: Audit) -> pd.DataFrame:
    """Return a row per check, its code the index."""
    import pandas as pd

    columns = ("code", "status", "title", "explanation", "fix", "n_evidence", "seconds")
    table = pd.DataFrame(
        [[getattr(one, name) for name in columns] for one in result.findings], columns=columns
    )
    return table.set_index("code")


def _counted(findings: Iterable[Finding]) -> str:
    """Return how many checks ended how, and the codes of those that did not pass."""
    codes: dict[str, list[str]] = {}
    for one in findings:
        codes.setdefault(one.status, []).append(one.code)
    parts = [
        f"{len(codes[status])} {status} ({' '.join(codes[status])})"
        for status in _WANTED
        if status in codes
    ]
    parts += [
        f"{len(codes[status])} {status.replace('_', ' ')}"
        for status in codes
        if status not in _WANTED
    ]
    return ", ".join(parts) or "no check"

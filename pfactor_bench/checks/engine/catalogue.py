"""The catalogue as a page: every check's docstring, and an index by kind of leak."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.checks.engine.kinds import KINDS
from pfactor_bench.checks.engine.registry import ARGUMENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pfactor_bench.checks.engine.registry import CatalogueEntry

__all__ = ["catalogue_page"]

_INTRODUCTION = """\
# Leakage checks

Every check in the order of its code: how it finds what it looks for, why that matters, how to fix
it, and what it cannot see. A check of severity *leak* looks for what makes a number wrong, one of
severity *weakness* for what makes it say less than it seems to. No leak found is not the same as no
leak.

The page is made by `python -m pfactor_bench.checks`, from the checks themselves.
"""


def catalogue_page(entries: Sequence[CatalogueEntry]) -> str:
    """Return the catalogue as Markdown.

    Parameters
    ----------
    entries
        Pages of checks, in the order that they are to have.
    """
    parts = [_INTRODUCTION, "## By kind of leak\n", _index(entries), ""]
    parts += [_section(entry) for entry in entries]
    return "\n".join(parts)


def _index(entries: Sequence[CatalogueEntry]) -> str:
    """Return a row per kind of leak; checks that serve no single kind are in the last one."""
    rows = ["| kind | leak | found by |", "| ---: | --- | --- |"]
    rows += [
        f"| {kind} | {name} | {_links(entry for entry in entries if kind in entry.kinds)} |"
        for kind, name in KINDS.items()
    ]
    rows.append(f"| | health of the target itself | {_links(e for e in entries if not e.kinds)} |")
    return "\n".join(rows)


def _links(entries: Iterable[CatalogueEntry]) -> str:
    return ", ".join(f"[{one.code}](#{one.code.lower()})" for one in entries)


def _section(entry: CatalogueEntry) -> str:
    facts = {
        "severity": entry.severity,
        "kinds": "; ".join(f"{kind}, {KINDS[kind]}" for kind in entry.kinds),
        "needs": "; ".join(ARGUMENTS[name] for name in entry.needs),
        "needs a column": " or ".join(f"`{name}`" for name in entry.columns),
        "also uses": "; ".join(ARGUMENTS[name] for name in entry.optional),
    }
    texts = {
        "How it is detected": entry.detected,
        "Why it matters": entry.why,
        "How to fix it": entry.fix,
        "What it cannot see": entry.blind,
        "Source": entry.source,
    }
    parts = [
        f'<a id="{entry.code.lower()}"></a>',
        f"## {entry.code}: {entry.title}",
        "\n".join(f"- {name}: {fact}" for name, fact in facts.items() if fact),
        *(f"**{heading}.** {text}" for heading, text in texts.items()),
    ]
    return "\n\n".join(parts) + "\n"

"""The subcommand ``pfactor-bench checks``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from pfactor_bench.checks import CatalogueEntry

GROUP = "audit"
HELP = "list the leakage checks, or explain one"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``pfactor-bench checks`` takes."""
    parser.add_argument("code", nargs="?", help="such as LK003")


def run(options: argparse.Namespace) -> int:
    """List the checks, or show the page of one, and return the exit code."""
    from pfactor_bench.checks import catalogue
    from pfactor_bench.errors import UnknownNameError

    entries = {entry.code: entry for entry in catalogue()}
    if options.code is None:
        for entry in entries.values():
            print(f"{entry.code}  {entry.title}")  # noqa: T201
        return 0
    if options.code not in entries:
        raise UnknownNameError("check", options.code, entries)
    print(_page(entries[options.code]))  # noqa: T201
    return 0


def _page(entry: CatalogueEntry) -> str:
    kinds = ", ".join(map(str, entry.kinds))
    parts = {
        "How it is detected": entry.detected,
        "Why it matters": entry.why,
        "How to fix it": entry.fix,
        "What it cannot see": entry.blind,
        "Source": entry.source,
    }
    text = "".join(f"\n\n{heading}\n  {body}" for heading, body in parts.items() if body)
    return f"{entry.code}  {entry.title}  (leak type {kinds}){text}"

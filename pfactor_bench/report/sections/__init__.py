"""The sections of a report: a module each, whose `SECTION` says all about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.registry import found_in

if TYPE_CHECKING:
    from pfactor_bench.report.section import Section

__all__ = ["all_sections"]


def all_sections() -> tuple[Section, ...]:
    """Return every section of this folder in the order in which a reader meets them."""
    found: tuple[Section, ...] = found_in(__name__, "SECTION")
    return found

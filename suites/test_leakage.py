"""No declared check finds a leak."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from pfactor_bench.plugin import SuiteCheck


def test_check(suite_check: SuiteCheck, record_property: Callable[[str, object], None]) -> None:
    """A check passes; what does not apply is skipped with its reason; an error is a failure."""
    finding = suite_check.finding
    record_property("status", finding.status)
    if finding.status in {"fail", "error"}:
        pytest.fail(f"{finding.title}: {finding.explanation} {finding.fix}")
    if finding.status in {"not_applicable", "skipped"}:
        pytest.skip(finding.explanation)

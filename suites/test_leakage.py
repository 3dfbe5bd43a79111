"""No declared check finds a leak, and every regime passes the audit that strangers get."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pfactor_bench.testing import read_expected_failures, settle

if TYPE_CHECKING:
    import pytest

    from pfactor_bench.plugin.hooks import SuiteAudit, SuiteCheck

_EXPECTED = read_expected_failures(Path(__file__).with_name("expected_failures.yaml"))


def test_check(suite_check: SuiteCheck) -> None:
    """A check passes; what does not apply is skipped with its reason; an error is a failure."""
    finding = suite_check.finding
    settle([finding], _EXPECTED.get(suite_check.run.suite.name))


def test_audit(suite_audit: SuiteAudit, request: pytest.FixtureRequest) -> None:
    """A regime does not notice what it must not know: other people's signal, held-out scores."""
    found = suite_audit.audit()
    request.node.user_properties += [("verdict", found.verdict), ("runs", found.n_runs)]
    settle(found.findings, _EXPECTED.get(suite_audit.id))

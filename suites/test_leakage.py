"""No declared check finds a leak, and every regime passes the audit that strangers get."""

from __future__ import annotations

from pfactor_bench.plugin.suite_tests import test_audit, test_check

__all__ = ["test_audit", "test_check"]

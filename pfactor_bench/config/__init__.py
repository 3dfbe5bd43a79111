"""Suite files: read, and checked with line numbers before anything heavy is imported."""

from __future__ import annotations

from pfactor_bench.config.bundled import EXPECTED_FAILURES, bundled_suites
from pfactor_bench.config.claims import misplaced_claim
from pfactor_bench.config.suite import Suite, load_suite

__all__ = ["EXPECTED_FAILURES", "Suite", "bundled_suites", "load_suite", "misplaced_claim"]

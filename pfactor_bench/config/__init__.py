"""Suite files: read, and checked with line numbers before anything heavy is imported."""

from __future__ import annotations

from pfactor_bench.config.claims import misplaced_claim
from pfactor_bench.config.suite import Suite, load_suite

__all__ = ["Suite", "load_suite", "misplaced_claim"]

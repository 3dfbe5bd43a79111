"""Every case stands beside the train mean, and every claim gets the verdict it deserves."""

from __future__ import annotations

from pfactor_bench.plugin.suite_tests import test_case_is_compared_with_train_mean, test_claim

__all__ = ["test_case_is_compared_with_train_mean", "test_claim"]

"""What may be claimed, and judging claims against measurements."""

from __future__ import annotations

from pfactor_bench.claims.requirement import check_claim, required
from pfactor_bench.claims.verdict import MIN_SUBJECTS_TO_HOLD, POWER, gate_failures, judge

__all__ = [
    "MIN_SUBJECTS_TO_HOLD",
    "POWER",
    "check_claim",
    "gate_failures",
    "judge",
    "required",
]

"""Any local BIDS folder: tables, recordings, preprocessing, and what is kept of them."""

from __future__ import annotations

from pfactor_bench.cohorts.bids.cohort import bids

__all__ = ["bids"]

"""Tiny suites and cohorts with regimes, for the tests of regimes, sources and finished cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.config import load_suite

if TYPE_CHECKING:
    from pathlib import Path

    from pfactor_bench.config import Suite

REGIME_SUITE = """\
name: tiny-regimes
title: A tiny suite of regimes
question: Does it run?
cohort: {kind: synthetic, n_subjects: 8, n_windows: 3}
split: {kind: grouped-k-fold, n_folds: 2}
model:
  name: EEGNet
source:
  kind: target
  cohort: {kind: synthetic, n_subjects: 5, n_windows: 3, seed: 7, prefix: source}
  budget: {epochs: 1}
regimes: [from-scratch, linear-probe]
seeds: [1, 2]
budget: {epochs: 1}
"""

#: The same subjects in source and target.
SHARED_SOURCE = REGIME_SUITE.replace(", prefix: source", "")


def suite_of(folder: Path, text: str = REGIME_SUITE) -> Suite:
    """Write a suite into `folder` and load it."""
    path = folder / "suite.yaml"
    path.write_text(text, encoding="utf-8")
    return load_suite(path)

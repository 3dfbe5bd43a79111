"""A suite that is over in a second, for tests that need one to have run."""

from __future__ import annotations

TINY_SUITE = """\
name: tiny
title: A tiny suite
question: Does it run?
cohort: {kind: synthetic, n_subjects: 9, n_windows: 4}
split: {kind: last-subjects}
model:
  name: EEGConformer
  args: {num_layers: 1, num_heads: 2, final_fc_length: auto}
regimes: [from-scratch]
seeds: [1]
budget: {epochs: 1}
claims:
  - id: error
    text: The error is small.
    measurement: from-scratch/seed-1/train_mse
    equals: 0
    tolerance: 100
    level: gate
"""

"""Suites of many cases that take milliseconds each, sound and with injected faults."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pfactor_bench.config import load_suite

if TYPE_CHECKING:
    from pathlib import Path

    from pfactor_bench.config import Suite

#: The smallest model that learns; `fault` runs first, and knows the seed.
MODEL = """\
import os, signal, time, torch
from pathlib import Path
from torch import nn

def build(*, n_chans, n_outputs, n_times, **_given):
    seed, here = torch.initial_seed(), Path(__file__).parent
    {fault}
    return nn.Sequential(nn.Flatten(), nn.Linear(n_chans * n_times, n_outputs))
"""

SUITE = """\
name: tiny-cases
title: Many tiny cases
question: Do they all get done?
cohort: {{kind: synthetic, n_subjects: 9, n_windows: 4}}
split: {{kind: grouped-k-fold, n_folds: 2}}
model:
  name: model.py:build
regimes: {regimes}
seeds: {seeds}
budget: {{epochs: 1}}
engine: {engine}
claims:
  - id: beats-train-mean
    text: It beats the train mean.
    measurement: from-scratch/skill
    above: 0
"""


def tiny_suite(
    folder: Path,
    *,
    seeds: int = 6,
    fault: str = "pass",
    regimes: str = "[from-scratch]",
    engine: str = "plain",
) -> Suite:
    """Write a suite of `seeds` cases and its model into `folder`, and load it.

    Parameters
    ----------
    fault
        A statement that may use ``seed``, ``here`` (the folder) and what the model imports.
    """
    (folder / "model.py").write_text(MODEL.format(fault=fault), encoding="utf-8")
    path = folder / "suite.yaml"
    path.write_text(SUITE.format(seeds=seeds, regimes=regimes, engine=engine), encoding="utf-8")
    return load_suite(path)


def timeless(folder: Path) -> dict[str, Any]:
    """Return a record without what says when, where and how fast."""
    record: dict[str, Any] = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    # Who tests may be editing meanwhile.
    del record["timings"], record["provenance"]["date"], record["provenance"]["dirty"]
    for finding in record["findings"]:
        del finding["seconds"]
    return record

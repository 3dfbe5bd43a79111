"""How long an epoch takes, for each seed, regime and device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from pfactor_bench.timing import TrainingEpoch

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from pfactor_bench.plugin import SuiteTiming


def test_training_epoch(suite_timing: SuiteTiming, benchmark: BenchmarkFixture) -> None:
    """Time one epoch, the device synchronised, after one that is not counted."""
    if suite_timing.device == "cuda" and not torch.cuda.is_available():
        pytest.skip("torch finds no CUDA device on this machine")
    epoch = TrainingEpoch(
        suite_timing.run.prepared, suite_timing.case, torch.device(suite_timing.device)
    )
    benchmark.group = f"{suite_timing.run.suite.name}: {suite_timing.case.regime}, one epoch"
    benchmark.pedantic(epoch, rounds=3, warmup_rounds=1)
    benchmark.extra_info.update(
        n_windows=epoch.n_windows,
        peak_bytes=epoch.peak_bytes,
        threads=torch.get_num_threads(),
        device=suite_timing.device,
    )

"""How long training and predicting take, for each seed, regime and device.

    pytest suites/test_timing.py --benchmark-save=mine            # keep the numbers
    pytest suites/test_timing.py --benchmark-compare=mine         # compare with them

A comparison with another machine's numbers is refused. ``joules`` is stored with a time where the
machine counts them: those of all its processors while the work was done once more.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest
import torch

from pfactor_bench.plugin.energy import energy_of
from pfactor_bench.plugin.timing import Prediction, TrainingEpoch

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from pfactor_bench.plugin.hooks import SuiteTiming


def test_training_epoch(suite_timing: SuiteTiming, benchmark: BenchmarkFixture) -> None:
    """Time one epoch, the device synchronised, after one that is not counted."""
    _time(suite_timing, benchmark, TrainingEpoch(*_what(suite_timing)))


@pytest.mark.parametrize("n_windows", [1, 256])
def test_prediction(suite_timing: SuiteTiming, benchmark: BenchmarkFixture, n_windows: int) -> None:
    """Time how long a prediction is waited for, of one window and of many."""
    _time(suite_timing, benchmark, Prediction(*_what(suite_timing), n_windows))


def _what(suite_timing: SuiteTiming) -> tuple[object, ...]:
    if suite_timing.device == "cuda" and not torch.cuda.is_available():
        pytest.skip("torch finds no CUDA device on this machine")
    return suite_timing.run.prepared, suite_timing.case, torch.device(suite_timing.device)


def _time(suite_timing: SuiteTiming, benchmark: BenchmarkFixture, work: object) -> None:
    case = suite_timing.case
    benchmark.group = f"{suite_timing.run.suite.name}: {case.regime}, {work.name}"
    benchmark.pedantic(work, rounds=3, warmup_rounds=1)
    benchmark.extra_info.update(
        seed=case.seed,
        device=suite_timing.device,
        engine=asdict(suite_timing.run.suite.engine),
        threads=suite_timing.run.prepared.threads,
        n_windows=work.n_windows,
        peak_bytes=work.peak_bytes,
    )
    if not benchmark.disabled:
        # Once more: what is timed is not to be disturbed.
        if (joules := energy_of(work)) is not None:
            benchmark.extra_info["joules"] = joules
        median = benchmark.stats.stats.median
        benchmark.extra_info.update(
            windows_per_second=work.n_windows / median, seconds_per_step=median / work.n_steps
        )

"""Training on windows that stay on disk is training."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch

from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.models.build import build_model
from pfactor_bench.models.heads import encoder_state
from pfactor_bench.splits.splitters import grouped_k_fold
from pfactor_bench.training import inputs
from pfactor_bench.training.case import run_case
from pfactor_bench.training.engine import run_group
from pfactor_bench.training.windows import MappedWindows, take, windows_at
from pfactor_bench.types import Budget, Case, EngineChoice, ModelSpec, TrainedBy

if TYPE_CHECKING:
    from pathlib import Path

    from pfactor_bench.types import Cohort

CPU = torch.device("cpu")


@pytest.fixture
def cohort() -> Cohort:
    """Return nine subjects of four windows each, in memory."""
    return synthetic(n_subjects=9, n_windows=4, seed=1)


@pytest.fixture
def on_disk(cohort: Cohort, tmp_path: Path) -> Cohort:
    """Return the same cohort as a memory map."""
    np.save(tmp_path / "X.npy", cohort.X)
    return replace(cohort, X=np.load(tmp_path / "X.npy", mmap_mode="r"))


def test_predictions_and_saliency_are_the_same(cohort: Cohort, on_disk: Cohort) -> None:
    """To the last bit: only where the windows come from differs."""
    case = Case(regime="from-scratch", model=ModelSpec(name="ShallowFBCSPNet"), seed=3)
    split = grouped_k_fold(n_folds=3)(cohort.subjects)
    results = [
        run_case(case, each, split, Budget(epochs=2), device=CPU, saliency=["all-held-out"])
        for each in (cohort, on_disk)
    ]

    pd.testing.assert_frame_equal(results[0].predictions, results[1].predictions)
    np.testing.assert_array_equal(results[0].saliency[0].map, results[1].saliency[0].map)


@pytest.mark.parametrize("start", ["from-scratch", "linear-probe"])
def test_fast_engine_learns_the_same_from_disk(
    cohort: Cohort, on_disk: Cohort, start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where windows are too many to be kept, and where only features of them are."""
    monkeypatch.setattr(inputs, "_KEPT_BYTES", 0)
    case = Case(regime=start, model=ModelSpec(name="ShallowFBCSPNet"), seed=3, start=start)
    split = grouped_k_fold(n_folds=3)(cohort.subjects)
    encoder = encoder_state(build_model(case.model, cohort))
    encoders = {case: dict.fromkeys([fold.name for fold in split.folds], encoder)}
    in_memory, from_disk = (
        run_group(
            EngineChoice(), [case], each, split, Budget(epochs=2), device=CPU, encoders=encoders
        )[case]
        for each in (cohort, on_disk)
    )

    assert from_disk.trained_by == TrainedBy(engine=EngineChoice())
    pd.testing.assert_frame_equal(in_memory.predictions, from_disk.predictions)


def test_windows_in_memory_are_a_tensor(cohort: Cohort) -> None:
    """Nothing changes for cohorts that fit."""
    assert isinstance(windows_at(cohort.X, np.arange(3), CPU), torch.Tensor)


def test_windows_on_disk_are_read_as_they_are_asked_for(cohort: Cohort, on_disk: Cohort) -> None:
    """By position, in slices, and in part."""
    positions = np.array([7, 2, 30, 4])
    windows = windows_at(on_disk.X, positions, CPU)
    expected = torch.from_numpy(cohort.X[positions])

    assert isinstance(windows, MappedWindows)
    assert (len(windows), windows.shape) == (4, (4, 8, 200))
    assert torch.equal(windows[torch.tensor([3, 0])], expected[[3, 0]])
    assert torch.equal(torch.cat(list(windows.split(3))), expected)
    assert torch.equal(torch.cat(list(take(windows, np.array([1, 2])).split(9))), expected[[1, 2]])


#: Goes through a file in random batches and prints by how many bytes the process has grown at most.
DRAW_BATCHES = """
import resource, sys
import numpy as np, torch
from pfactor_bench.training.windows import windows_at
X = np.load(sys.argv[1], mmap_mode="r")
windows = windows_at(X, np.arange(len(X)), torch.device("cpu"))
windows[torch.arange(32)].sum()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for batch in torch.randperm(len(X)).split(32):
    windows[batch].sum()
print(1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in other units elsewhere")
def test_memory_does_not_grow_with_the_cohort(tmp_path: Path) -> None:
    """800 MB are drawn in random batches in less than 100 MB."""
    X = np.lib.format.open_memmap(
        tmp_path / "X.npy", mode="w+", dtype=np.float32, shape=(125_000, 8, 200)
    )
    X[:] = 1
    del X
    grown = subprocess.run(
        [sys.executable, "-c", DRAW_BATCHES, str(tmp_path / "X.npy")],
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    assert int(grown) < 100e6

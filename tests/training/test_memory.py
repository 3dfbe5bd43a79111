"""What training many models at once takes of a process's memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

#: More models than fit into an ensemble, so that only its limit keeps the peak down.
PROGRAM = """
import re, warnings
from dataclasses import replace
from pathlib import Path

warnings.filterwarnings("ignore", "Montage name 'standard_1020'", FutureWarning)
import torch

torch.set_num_threads(1)
from pfactor_bench.cohorts import COHORTS
from pfactor_bench.splits.splitters import make_split
from pfactor_bench.training.device import warm_up
from pfactor_bench.training.engine import run_group
from pfactor_bench.types import Budget, Case, EngineChoice, Ingredient, ModelSpec

cohort = COHORTS["synthetic"](n_subjects=6, n_windows=12)
split = make_split(Ingredient(kind="last-subjects", args={}), cohort.table)
model = ModelSpec(name="EEGConformer")
cases = [Case(regime="from-scratch", model=model, seed=seed) for seed in range(48)]
cpu = torch.device("cpu")
warm_up()
for kind, group in (("plain", cases[:1]), ("fast", cases)):
    Path("/proc/self/clear_refs").write_text("5")
    run_group(EngineChoice(kind=kind), group, cohort, split, Budget(epochs=1), device=cpu)
    print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="only Linux tells a peak anew"
)
def test_many_models_take_little_more_than_one() -> None:
    """At most half more than the plain loop's process, however many there are."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True
    )
    plain, fast = map(int, done.stdout.split())
    assert fast <= 1.5 * plain

"""Times that can be trusted: the device is waited for, and machines are not mixed up."""

from __future__ import annotations

import gc
import json
import threading
import time
from queue import Queue
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from clock import Timed, leaves_work_queued, take_turns
from regime_suites import suite_of

from pfactor_bench.pipeline.stages import Run
from pfactor_bench.plugin import timing
from pfactor_bench.plugin.machine import pytest_benchmark_compare_machine_info
from pfactor_bench.plugin.timing import Prediction, TrainingEpoch
from pfactor_bench.training import engine as engines

if TYPE_CHECKING:
    from subprocess import CompletedProcess

CPU = torch.device("cpu")
DELAY = 0.05


class DelayedDevice:
    """Takes work at once and does it later, as a GPU does."""

    def __init__(self) -> None:
        self._queue: Queue[float] = Queue()
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            time.sleep(self._queue.get())
            self._queue.task_done()

    def launch(self, *_args: object, **_keywords: object) -> None:
        """Queue some work and return."""
        self._queue.put(DELAY)

    def synchronize(self, *_device: object) -> None:
        """Wait until all of it is done."""
        self._queue.join()


@pytest.fixture
def delayed() -> DelayedDevice:
    """Return a device that is busy for a while after each launch."""
    return DelayedDevice()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory):
    """Return a tiny suite made ready."""
    folder = tmp_path_factory.mktemp("timing")
    return Run(suite_of(folder), device="cpu", out=folder / "out").prepare()


def test_clock_waits_for_the_device(delayed: DelayedDevice) -> None:
    """It reads the work, not the queueing."""
    found = take_turns({"launch": delayed.launch}, rounds=3, synchronize=delayed.synchronize)
    assert found["launch"].median >= DELAY


def test_work_that_is_not_waited_for_is_noticed(delayed: DelayedDevice) -> None:
    """The same work passes once it waits."""

    def waited() -> None:
        delayed.launch()
        delayed.synchronize()

    assert leaves_work_queued(delayed.launch, delayed.synchronize)
    assert not leaves_work_queued(waited, delayed.synchronize)


@pytest.mark.parametrize("what", ["epoch", "prediction"])
def test_no_timing_case_forgets_to_wait(
    prepared, delayed: DelayedDevice, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Whatever the suites time, on a device that works with delay."""
    case = prepared.suite.cases[0]
    work = (
        TrainingEpoch(prepared, case, CPU)
        if what == "epoch"
        else Prediction(prepared, case, CPU, n_windows=2)
    )
    monkeypatch.setattr(engines, "run_group", delayed.launch)
    monkeypatch.setattr(timing, "predict", delayed.launch)
    monkeypatch.setattr(timing, "synchronize", delayed.synchronize)
    assert not leaves_work_queued(work, delayed.synchronize)
    monkeypatch.setattr(timing, "synchronize", lambda _device: None)
    assert leaves_work_queued(work, delayed.synchronize)


def test_epoch_and_prediction_run(prepared) -> None:
    """As the suites run them, and they know how much they did."""
    case = prepared.suite.cases[0]
    epoch = TrainingEpoch(prepared, case, CPU)
    epoch()
    Prediction(prepared, case, CPU, n_windows=300)()
    assert epoch.n_windows == len(prepared.split.folds[0].train)
    assert epoch.peak_bytes > 0


def test_works_take_turns_without_garbage_collection() -> None:
    """In alternating order, and the collector is back on afterwards."""
    order: list[str] = []
    collecting: list[bool] = []

    def work(name: str):
        return lambda: (order.append(name), collecting.append(gc.isenabled()))

    take_turns({"a": work("a"), "b": work("b")}, rounds=2, warm_up=0)
    assert ["a", "b", "b", "a"] == order
    assert not any(collecting)
    assert gc.isenabled()


def test_ratio_is_taken_round_by_round() -> None:
    """A disturbance that hits both in one round leaves the ratio alone."""
    slow, fast = (
        Timed(seconds=np.array([2.0, 20.0, 2.0])),
        Timed(seconds=np.array([1.0, 10.0, 1.0])),
    )
    assert fast.times_faster_than(slow).median == pytest.approx(2)
    assert fast.times_faster_than(slow).low == pytest.approx(2)


def test_other_machines_times_are_refused() -> None:
    """With what differs and what to do."""
    here = {"pfactor_bench": {"processor": "A", "threads": 2}}
    there = {"pfactor_bench": {"processor": "B", "threads": 2}}
    pytest_benchmark_compare_machine_info(here, {"machine_info": here})
    with pytest.raises(pytest.UsageError, match=r"processor 'A' here, 'B' there.*--benchmark-save"):
        pytest_benchmark_compare_machine_info(here, {"machine_info": there})


def test_stored_times_of_another_machine_stop_the_session(pytester_run) -> None:
    """The whole way through pytest-benchmark."""
    folder, run = pytester_run
    saved = run("--benchmark-save=mine")
    assert saved.returncode == 0, saved.stdout
    assert run("--benchmark-compare=0001").returncode == 0
    (stored,) = folder.rglob("*_mine.json")
    content = json.loads(stored.read_text(encoding="utf-8"))
    content["machine_info"]["pfactor_bench"]["processor"] = "another"
    stored.write_text(json.dumps(content), encoding="utf-8")
    refused = run("--benchmark-compare=0001")
    assert refused.returncode != 0
    assert "measured on another machine" in refused.stdout + refused.stderr


@pytest.fixture
def pytester_run(tmp_path):
    """Return a folder with one trivial benchmark, and a function that runs it."""
    import subprocess
    import sys

    (tmp_path / "test_one.py").write_text(
        "def test_one(benchmark):\n    benchmark.pedantic(int, rounds=2)\n", encoding="utf-8"
    )

    def run(*options: str) -> CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "test_one.py", *options]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return tmp_path, run

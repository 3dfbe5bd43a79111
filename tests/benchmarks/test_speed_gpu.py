"""benchmarks/speed_gpu.py: it runs at small size anywhere, and says so where there is no GPU."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest
import torch

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "speed_gpu.py"


@pytest.fixture(scope="module")
def speed_gpu():
    """Return the benchmark as a module."""
    sys.path.insert(0, str(BENCHMARK.parent))
    threads = torch.get_num_threads()
    spec = importlib.util.spec_from_file_location("speed_gpu", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its module up while it is made.
    sys.modules["speed_gpu"] = module
    spec.loader.exec_module(module)
    yield module
    torch.set_num_threads(threads)
    sys.path.remove(str(BENCHMARK.parent))


def test_small_run_on_a_cpu_writes_the_page(speed_gpu, tmp_path: Path) -> None:
    """With what a CPU can do, and none of it under a GPU's name."""
    arguments = ["--device", "cpu", "--models", "2", "--rounds", "1", "--epochs", "1"]
    assert speed_gpu.main([*arguments, "--out", str(tmp_path)]) == 0
    results = json.loads((tmp_path / "a-cpu" / "speed.json").read_text())
    assert ["plain", "fast"] == list(results["at_once"])
    assert all(row["models_per_second"] > 0 for row in results["at_once"].values())
    assert {row["fallback"] for row in results["at_once"].values()} == {None}
    assert {"cpu"} == set(results["alone"]["plain"]) == set(results["alone"]["fast"])
    page = (tmp_path / "a-cpu" / "speed.md").read_text()
    assert "# Speed on a CPU" in page
    assert (tmp_path / "a-cpu" / "speed.svg").stat().st_size > 1000


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_nothing_is_measured(speed_gpu, tmp_path: Path, capsys) -> None:
    """And it says why."""
    assert speed_gpu.main(["--out", str(tmp_path / "speed")]) == 0
    assert "skipped: torch finds no CUDA device" in capsys.readouterr().out
    assert not (tmp_path / "speed").exists()


@pytest.mark.timing
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device here")
def test_many_models_at_once_on_a_gpu(speed_gpu) -> None:
    """256 at once make 30 times as many models a second as the plain loop there."""
    found = speed_gpu.at_once(torch.device("cuda"), 256, rounds=3, epochs=4)
    assert found["fast"]["faster"] >= 30

"""Quick versions of benchmarks/calibration.py, with limits that leave room for chance."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "calibration.py"


@pytest.fixture(scope="module")
def calibration() -> Any:
    """Load the benchmark as a module."""
    spec = importlib.util.spec_from_file_location("calibration", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["calibration"] = module
    sys.path.insert(0, str(BENCHMARK.parent))
    spec.loader.exec_module(module)
    sys.path.remove(str(BENCHMARK.parent))
    return module


@pytest.fixture(
    scope="module", params=["shrunken ridge", "5 nearest", "ridge, held out", "ridge, repeated"]
)
def rates(calibration: Any, request: pytest.FixtureRequest) -> dict[str, float]:
    """Return what came of 150 cohorts of 40 subjects with a signal."""
    model, _, protocol = request.param.partition(", ")
    how = {"held out": {"n_folds": 1}, "repeated": {"n_repeats": 3}}.get(protocol, {})
    cell = calibration.Cell(model=model, target="zero-inflated", signal=0.3, n=40, **how)
    found: dict[str, float] = calibration.rates(cell, 150, seed=1)
    return found


def test_intervals_cover_what_they_speak_of(rates: dict[str, float]) -> None:
    """In 93 % or more, give or take what 150 cohorts allow."""
    least = stats.binom.ppf(0.002, 150, 0.93) / 150
    names = [name for name in ("skill", "gain", "r", "mse", "r2") if name in rates]
    assert {name: rates[name] for name in names if rates[name] < least} == {}


@pytest.mark.parametrize("n", [10, 30])
def test_model_of_noise_rarely_beats_the_train_mean(calibration: Any, n: int) -> None:
    """At most 3 % of cohorts, give or take what 300 allow."""
    cell = calibration.Cell(model="shrunken ridge", target="discrete", signal=0.0, n=n)
    rate = calibration.rates(cell, 300, seed=2)["skill > 0"]
    assert rate <= stats.binom.ppf(0.999, 300, 0.03) / 300


def test_command_writes_document_and_figure(
    calibration: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From two cohorts per cell and one in ten cells, which is enough to see that it works."""
    some = [*calibration.cells()][::10]
    monkeypatch.setattr(calibration, "cells", lambda: some)
    calibration.main(["--cohorts", "2", "--out", str(tmp_path)])
    capsys.readouterr()
    assert {"calibration.md", "calibration.svg"} == {path.name for path in tmp_path.iterdir()}

"""Quick versions of benchmarks/calibration.py, with limits that leave room for chance."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "calibration.py"


@pytest.fixture(scope="module")
def calibration() -> Any:
    """Load the benchmark as a module."""
    spec = importlib.util.spec_from_file_location("calibration", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["calibration"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("n", [8, 20, 50])
def test_model_of_noise_rarely_beats_the_train_mean(calibration: Any, n: int) -> None:
    """At most 5 % of null cohorts, judged as any claim is."""
    rate = calibration.null_rate(calibration.null_cohort, n, n_cohorts=300, seed=1)["skill"]
    assert rate <= stats.binom.ppf(0.999, 300, 0.05) / 300


@pytest.mark.parametrize("n", [8, 20, 130])
def test_overconfident_model_of_no_skill_rarely_beats_the_train_mean(
    calibration: Any,
    n: int,
) -> None:
    """The hardest null: related to the scores, and exactly as wrong as the mean."""
    rate = calibration.null_rate(calibration.BOUNDARY.sample, n, n_cohorts=500, seed=1)["skill"]
    assert rate <= stats.binom.ppf(0.999, 500, 0.05) / 500


def test_boundary_scenario_has_no_skill(calibration: Any) -> None:
    """Otherwise it would be no null."""
    assert pytest.approx(0.0, abs=1e-12) == calibration.BOUNDARY.truth["skill"]


@pytest.mark.parametrize("quantity", ["skill", "r", "difference"])
def test_interval_covers_the_truth(calibration: Any, quantity: str) -> None:
    """93 to 97 %, give or take what 800 cohorts of 20 normal people with a weak effect allow."""
    weak = calibration.SCENARIOS[1]
    shares = calibration.coverage(weak, 20, n_cohorts=800, seed=1, methods=("ours",))
    low = stats.binom.ppf(0.005, 800, 0.93) / 800
    high = stats.binom.ppf(0.995, 800, 0.97) / 800
    assert low <= shares[quantity, "ours"] <= high


def test_published_effect_is_found_four_times_in_five(calibration: Any) -> None:
    """At r = 0.137 with 416 people: 75 to 85 %, give or take what 800 cohorts allow."""
    found = calibration.power_rate(r=0.137, n=416, n_cohorts=800, seed=1)
    low = stats.binom.ppf(0.005, 800, 0.75) / 800
    high = stats.binom.ppf(0.995, 800, 0.85) / 800
    assert low <= found <= high


def test_command_writes_document_and_figure(
    calibration: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """From two cohorts per cell, which is enough to see that it works."""
    calibration.main(["--cohorts", "2", "--out", str(tmp_path)])
    capsys.readouterr()
    assert {"calibration.md", "calibration.svg"} == {path.name for path in tmp_path.iterdir()}

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
    """The hardest null: related to the targets, and exactly as wrong as the mean."""
    rate = calibration.null_rate(calibration.BOUNDARY.sample, n, n_cohorts=500, seed=1)["skill"]
    assert rate <= stats.binom.ppf(0.999, 500, 0.05) / 500


def test_boundary_scenario_has_no_skill(calibration: Any) -> None:
    """Otherwise it would be no null."""
    assert pytest.approx(0.0, abs=1e-12) == calibration.BOUNDARY.truth["skill"]


@pytest.fixture(scope="module", params=["weak, normal", "strong, heavy-tailed"])
def shares(calibration: Any, request: pytest.FixtureRequest) -> dict[tuple[str, str], float]:
    """Return the coverage of 800 cohorts of 20 subjects."""
    scenario = calibration.SCENARIOS[1 if request.param == "weak, normal" else -1]
    found: dict[tuple[str, str], float] = calibration.coverage(
        scenario, 20, n_cohorts=800, seed=1, methods=("ours",)
    )
    return found


@pytest.mark.parametrize(
    "quantity", ["skill", "r", "difference", "mse", "mae", "r2", "nrmse", "spearman_r"]
)
def test_interval_covers_the_truth(shares: dict[tuple[str, str], float], quantity: str) -> None:
    """93 to 97 %, give or take what 800 cohorts allow."""
    low = stats.binom.ppf(0.005, 800, 0.93) / 800
    high = stats.binom.ppf(0.995, 800, 0.97) / 800
    assert low <= shares[quantity, "ours"] <= high


def test_published_effect_is_found_four_times_in_five(calibration: Any) -> None:
    """At r = 0.137 with 416 subjects: 75 to 85 %, give or take what 800 cohorts allow."""
    found = calibration.power_rate(r=0.137, n=416, n_cohorts=800, seed=1)
    low = stats.binom.ppf(0.005, 800, 0.75) / 800
    high = stats.binom.ppf(0.995, 800, 0.85) / 800
    assert low <= found <= high


def test_command_writes_document_and_figure(
    calibration: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From two cohorts per cell, which is enough to see that it works."""
    monkeypatch.delenv("PFACTOR_BENCH_DATA", raising=False)
    calibration.main(["--cohorts", "2", "--out", str(tmp_path)])
    capsys.readouterr()
    assert {"calibration.md", "calibration.svg"} == {path.name for path in tmp_path.iterdir()}

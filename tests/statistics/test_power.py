"""Planning agrees with statsmodels, with simulation and with itself."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np
import pytest
from statsmodels.stats.power import TTestPower

from pfactor_bench.cli.power import add_arguments, run
from pfactor_bench.errors import ConfigError, OutputError
from pfactor_bench.experiments.learning_curve.fit import extrapolate_learning_curve
from pfactor_bench.statistics.power import (
    Effect,
    detectable_effect,
    parse_effect,
    power_at,
    power_curve,
    power_of_mean,
    power_table,
    subjects_needed,
)

if TYPE_CHECKING:
    from pathlib import Path

R = Effect(kind="r", size=0.137)


def test_published_effect_needs_416_subjects() -> None:
    """The number that every sample-size calculator gives for r = 0.137."""
    assert 416 == subjects_needed(R)


def test_27_subjects_show_it_one_time_in_ten() -> None:
    """What a fifth of HBN's first release can show."""
    assert pytest.approx(0.10, abs=0.005) == power_at(R, 27)


def test_power_of_skill_agrees_with_simulated_subjects() -> None:
    """For a calibrated predictor of normal targets, by the paired t-test."""
    rng = np.random.default_rng(0)
    rho, n = 0.4, 100
    x = rng.normal(size=(4_000, n))
    y = rho * x + np.sqrt(1 - rho**2) * rng.normal(size=x.shape)
    gain = y**2 - (y - rho * x) ** 2
    t = gain.mean(axis=1) / (gain.std(axis=1, ddof=1) / np.sqrt(n))
    simulated = float((t > 1.984).mean())
    assert simulated == pytest.approx(power_at(Effect(kind="skill", size=rho**2), n), abs=0.03)


@pytest.mark.parametrize(("effect", "n"), [(0.2, 30), (0.5, 12), (0.05, 2000)])
def test_power_of_a_mean_agrees_with_statsmodels(effect: float, n: int) -> None:
    """The noncentral t, upper tail."""
    expected = TTestPower().power(effect, nobs=n, alpha=0.025, alternative="larger")
    assert expected == pytest.approx(power_of_mean(effect, n), abs=1e-9)


@pytest.mark.parametrize("effect", [R, Effect(kind="skill", size=0.02)], ids=["r", "skill"])
def test_subjects_needed_is_the_smallest_number(effect: Effect) -> None:
    """One subject less is not enough."""
    n = subjects_needed(effect)
    assert power_at(effect, n - 1) < 0.8 <= power_at(effect, n)


@pytest.mark.parametrize("kind", ["r", "skill"])
def test_detectable_effect_has_the_wanted_power(kind: str) -> None:
    """There and back."""
    size = detectable_effect(kind, 60)  # type: ignore[arg-type]
    assert pytest.approx(0.8, abs=1e-6) == power_at(Effect(kind=kind, size=size or 0), 60)  # type: ignore[arg-type]


def test_four_subjects_detect_no_skill_at_all() -> None:
    """Not even a perfect predictor is shown with 80 % power."""
    assert detectable_effect("skill", 4) is None


def test_power_rises_with_subjects() -> None:
    """Along the whole curve."""
    assert (np.diff(power_curve(R, [10, 50, 100, 500, 1000])) > 0).all()


def test_table_has_a_row_for_the_subjects_at_hand_and_one_for_enough() -> None:
    """Between the round numbers."""
    assert {27, 416} <= {row["subjects"] for row in power_table(R, n=27)}


@pytest.mark.parametrize("text", ["0.14", "r=", "r=x", "r=0", "r=1.2", "skill=-0.1", "d=0.2", ""])
def test_unknown_effect_is_refused_with_the_fix(text: str) -> None:
    """The message shows both forms."""
    with pytest.raises(ConfigError, match=r"write r=0\.14 or skill=0\.02"):
        parse_effect(text)


def test_effect_allows_spaces_and_sign() -> None:
    """The direction of r does not matter for its power."""
    assert Effect(kind="r", size=0.14) == parse_effect(" r = -0.14 ")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"power": 1.0}, "power is 1.0"),
        ({"power": 0.01}, "power is 0.01"),
        ({"alpha": 0.0}, "alpha is 0.0"),
    ],
)
def test_impossible_plan_is_refused(settings: dict[str, float], message: str) -> None:
    """The message names the value and the range."""
    with pytest.raises(ConfigError, match=message):
        subjects_needed(R, **settings)


def test_effect_that_nobody_can_show_is_refused() -> None:
    """Instead of searching for ever."""
    with pytest.raises(ConfigError, match="plan for a larger effect"):
        subjects_needed(Effect(kind="r", size=1e-6))


def parsed(*arguments: str) -> argparse.Namespace:
    """Parse as the command line does."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(arguments)


def test_command_prints_subjects_and_present_power(capsys: pytest.CaptureFixture[str]) -> None:
    """Both answers in words, then the table."""
    run(parsed("--effect", "r=0.137", "--n", "27"))
    lines = capsys.readouterr().out.splitlines()
    assert (
        "r = 0.137: 416 subjects show it with 80% power (two-sided, alpha 0.05)",
        True,
    ) == (lines[0], lines[1].startswith("27 subjects show it with 10% power"))


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_command_draws_the_curve(tmp_path: Path, suffix: str) -> None:
    """In the format that the name asks for."""
    path = tmp_path / f"power{suffix}"
    run(parsed("--effect", "skill=0.05", "--n", "90", "--figure", str(path)))
    assert path.stat().st_size > 1_000


def test_figure_of_unknown_format_is_refused(tmp_path: Path) -> None:
    """With the formats that there are."""
    with pytest.raises(OutputError, match=r"ends in \.svg, \.png or \.pdf"):
        run(parsed("--effect", "r=0.3", "--figure", str(tmp_path / "power.xyz")))


@pytest.mark.parametrize("n", ["0", "3", "-5"])
def test_command_refuses_too_few_subjects(n: str) -> None:
    """Before it computes a root of something negative."""
    with pytest.raises(ConfigError, match="needs at least 4"):
        run(parsed("--effect", "r=0.3", "--n", n))


SIZES = (50, 100, 200, 400, 800)


def power_law(noise: float, seed: int = 0) -> np.ndarray:
    """Return targets 0.10 − 0.9 n^(−0.7), ten repetitions."""
    rng = np.random.default_rng(seed)
    truth = 0.10 - 0.9 * np.array(SIZES, dtype=float)[:, np.newaxis] ** -0.7
    return truth + noise * rng.normal(size=(len(SIZES), 10))


def test_learning_curve_finds_a_power_law_again() -> None:
    """Without noise, the limit to within the grid of exponents."""
    curve = extrapolate_learning_curve(SIZES, power_law(0.0), [3_000], seed=0)
    assert (0.10, 0.10 - 0.9 * 3_000**-0.7) == pytest.approx(
        (curve.limit, curve.targets[0]), abs=1e-3
    )


def test_learning_curve_spread_holds_most_truths_of_unrelated_repetitions() -> None:
    """Over 100 data sets, at twice the largest size; real repetitions share held-out subjects."""
    truth = 0.10 - 0.9 * 1_600**-0.7
    curves = [
        extrapolate_learning_curve(SIZES, power_law(0.01, seed), [1_600], seed=0, n_draws=200)
        for seed in range(100)
    ]
    covered = [c.spreads[0][0] <= truth <= c.spreads[0][1] for c in curves]
    assert 0.85 <= np.mean(covered) <= 1.0


def test_falling_learning_curve_is_extended_flat() -> None:
    """More training subjects are not extrapolated to ruin."""
    curve = extrapolate_learning_curve(SIZES, -power_law(0.0), [3_000], seed=0)
    assert (0.0, pytest.approx(-power_law(0.0).mean())) == (curve.gain, curve.targets[0])


@pytest.mark.parametrize(
    ("sizes", "targets", "message"),
    [
        ((10, 20, 30), np.zeros((3, 2)), "4 different numbers of subjects"),
        (SIZES, np.zeros((5, 1)), "at least two repetitions"),
        (SIZES, np.full((5, 2), np.nan), "NaN or infinity"),
    ],
)
def test_learning_curve_refuses_what_cannot_be_extended(
    sizes: tuple[int, ...], targets: np.ndarray, message: str
) -> None:
    """Too few sizes, no repetition, missing targets."""
    with pytest.raises(ConfigError, match=message):
        extrapolate_learning_curve(sizes, targets, [1_000], seed=0)

"""The published report on timing says what was measured, and nothing else."""

from __future__ import annotations

import copy
import importlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hostile import PAYLOADS
from regime_suites import suite_of

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "reports" / "timing"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the script that writes the page."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("timing_page")


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the script that measures."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("timing")


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    """Return the published record."""
    found: dict[str, Any] = json.loads((PUBLISHED / "timing.json").read_text(encoding="utf-8"))
    return found


def timed(regime: str, seed: int, *epochs: float) -> list[dict[str, Any]]:
    """Return the rows of a case whose epochs took so many seconds, round by round."""
    rows = [
        ("one epoch", 100, 4, list(epochs)),
        ("prediction of 1", 1, 1, [0.004] * len(epochs)),
        ("prediction of 256", 256, 1, [0.2] * len(epochs)),
    ]
    return [
        {
            "suite": "small",
            "regime": regime,
            "model": "EEGNet",
            "seed": seed,
            "device": "cpu",
            "engine": "fast",
            "threads": 1,
            "work": work,
            "n_windows": n_windows,
            "n_steps": n_steps,
            "seconds": seconds,
        }
        for work, n_windows, n_steps, seconds in rows
    ]


@pytest.fixture
def record() -> dict[str, Any]:
    """Return two regimes of two seeds, the second twice as fast whatever disturbs a round."""
    machine = {"processor": "P", "cores": 2, "instructions": "AVX2", "GPU": None, "load": 0.0}
    return {
        "machine": {**machine, "torch": "2.11.0", "python": "3.11.7"},
        "code": {"commit": "c" * 40, "dirty": False, "date": "2026-01-01"},
        "rounds": 3,
        "peak_bytes": 2**30,
        "cases": [
            *timed("from-scratch", 1, 1.0, 10.0, 1.2),
            *timed("from-scratch", 2, 1.0, 10.0, 1.2),
            *timed("linear-probe", 1, 0.5, 5.0, 0.6),
            *timed("linear-probe", 2, 0.5, 5.0, 0.6),
        ],
    }


def row_of(text: str, regime: str) -> list[str]:
    """Return the cells of a regime's first row."""
    line = next(line for line in text.splitlines() if f"| {regime} " in line)
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_published_report_is_its_record(page: ModuleType, published: dict[str, Any]) -> None:
    """After a change of the page, run ``python benchmarks/timing_page.py``."""
    assert page.page(published) == (PUBLISHED / "report.md").read_text(encoding="utf-8")


def test_published_figure_is_its_record(page: ModuleType, published: dict[str, Any]) -> None:
    """Nothing in it was drawn by hand."""
    assert page.draw(published)["timing.svg"] == (PUBLISHED / "timing.svg").read_bytes()


def test_every_seed_and_regime_of_the_suites_is_published(
    bench: ModuleType, published: dict[str, Any]
) -> None:
    """On the processor at least: none was left out because it was slow."""
    from pfactor_bench.config import load_suite

    measured = {
        (row["suite"], row["regime"], row["seed"], row["work"])
        for row in published["cases"]
        if row["device"] == "cpu"
    }
    declared = {
        (suite.name, case.regime, case.seed, work)
        for suite in map(load_suite, bench.SUITES)
        for case in suite.cases
        for work in ("one epoch", "prediction of 1", "prediction of 256")
    }
    assert declared == measured


def test_ratio_is_taken_round_by_round(page: ModuleType, record: dict[str, Any]) -> None:
    """A round in which everything took ten times as long changes none."""
    assert row_of(page.page(record), "linear-probe")[-1] == "0.50 [0.50, 0.50]"


def test_times_are_medians_over_rounds_and_seeds(page: ModuleType, record: dict[str, Any]) -> None:
    """With what they belong to."""
    text = page.page(record)
    assert row_of(text, "from-scratch")[5:9] == ["83", "1200.0", "4.00", "200.0"]
    assert "**An epoch of EEGNet over 100 windows takes 1200.0 ms" in text
    assert "none: timing on cuda was left out" in text


@pytest.mark.parametrize("hostile", PAYLOADS)
def test_names_keep_the_table_whole(page: ModuleType, record: dict[str, Any], hostile: str) -> None:
    """Whatever a suite calls its regimes and models."""
    spoilt = copy.deepcopy(record)
    for row in spoilt["cases"]:
        for key in ("suite", "regime", "model"):
            row[key] += hostile
    before, after = (page.page(one).splitlines() for one in (record, spoilt))
    assert [line.count("|") for line in before] == [line.count("|") for line in after]


def test_suite_is_timed_case_by_case(bench: ModuleType, tmp_path: Path) -> None:
    """Every regime and seed, an encoder made where one is needed, a time per round."""
    suite_of(tmp_path)
    rows = bench.time_suite(tmp_path / "suite.yaml", rounds=2)
    on_cpu = [row for row in rows if row["device"] == "cpu"]
    cases = {(row["regime"], row["seed"]) for row in on_cpu}
    assert {("from-scratch", 1), ("from-scratch", 2), ("linear-probe", 1), ("linear-probe", 2)} == (
        cases
    )
    assert len(on_cpu) == 3 * len(cases)
    assert {"fast"} == {row["engine"] for row in on_cpu if row["work"] == "one epoch"}
    assert all(len(row["seconds"]) == 2 and min(row["seconds"]) > 0 for row in rows)

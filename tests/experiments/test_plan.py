"""What a suite will cost: measured on a pilot, held to what a run then takes."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from tiny_cases import tiny_suite

from pfactor_bench.cli.main import main
from pfactor_bench.config import load_suite
from pfactor_bench.errors import ConfigError
from pfactor_bench.experiments.cost import pilot
from pfactor_bench.experiments.cost.hbn import hbn_shape, hbn_size
from pfactor_bench.experiments.cost.pilot import Shape
from pfactor_bench.experiments.cost.plan import Size, make_plan
from pfactor_bench.pipeline.stages import Run
from pfactor_bench.types import EngineChoice

ROOT = Path(__file__).parents[2]
HBN = ROOT / "suites" / "hbn.yaml"

#: Noise of the case study's shape, one held-out window for each four that are trained on.
SHAPE = Shape(
    ch_names=("Fz", "Cz", "Pz", "Oz", "C3", "C4", "P3", "P4"),
    sfreq=100.0,
    n_times=200,
    held_out=0.25,
)

FIFTY = """\
name: fifty
title: Fifty cases
question: How long do they take?
cohort: {kind: synthetic, n_subjects: 16, n_windows: 4}
split: {kind: last-subjects, fraction: 0.5}
models:
  - name: EEGNet
  - name: ShallowFBCSPNet
regimes: [from-scratch]
seeds: 25
budget: {epochs: 1}
"""


@pytest.fixture
def short_pilot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make pilots too short to be right, for tests of what is done with them."""
    monkeypatch.setattr(pilot, "_BATCHES", (1, 2))
    monkeypatch.setattr(pilot, "_ROUNDS", 1)
    monkeypatch.setattr(pilot, "_MOST_FOLDS", 1)


@pytest.fixture
def fifty(tmp_path: Path):
    """Return a suite of fifty short cases of two real models."""
    path = tmp_path / "fifty.yaml"
    path.write_text(FIFTY, encoding="utf-8")
    return load_suite(path)


@pytest.mark.timing
def test_plan_comes_true(fifty, tmp_path: Path, monkeypatch) -> None:
    """Within a factor of 1.5, on a cohort, a split and fifty cases that the pilot never saw.

    In time of the processor, which a busy neighbour does not take away.
    """
    monkeypatch.setattr(time, "perf_counter", time.process_time)
    suite = replace(fifty, engine=EngineChoice(kind="plain"))
    size = Size(n_subjects=16, n_windows=64, n_train=(32,))
    plan = make_plan(suite, replace(SHAPE, held_out=1.0), size, device="cpu", n_workers=1)
    prepared = Run(suite, device="cpu", out=tmp_path / "out").begin()
    began = time.process_time()
    prepared.train(suite.cases)
    measured = time.process_time() - began
    assert plan.n_cases == 50
    assert measured / 1.5 < plan.seconds < measured * 1.5


@pytest.mark.usefixtures("short_pilot")
def test_plan_adds_up(tmp_path: Path) -> None:
    """Twice the seeds, twice the work; ten thousand are planned as fast as six."""
    size = Size(n_subjects=9, n_windows=36, n_train=(18, 18))
    plan = make_plan(tiny_suite(tmp_path, seeds=10_000), SHAPE, size, device="cpu", n_workers=1)
    (kind,) = plan.kinds
    assert (plan.n_cases, kind.n_cases) == (10_000, 10_000)
    assert plan.work_seconds == pytest.approx(10_000 * kind.seconds)


@pytest.mark.usefixtures("short_pilot")
def test_workers_share_the_work(tmp_path: Path) -> None:
    """They import while the cohort is loaded, which is no part of a plan."""
    size = Size(n_subjects=9, n_windows=36, n_train=(18, 18))
    suite = tiny_suite(tmp_path, seeds=8)
    plan = make_plan(suite, SHAPE, size, device="cpu", n_workers=4)
    assert plan.seconds == pytest.approx(plan.work_seconds / 4)


@pytest.mark.usefixtures("short_pilot")
def test_cases_that_are_trained_at_once_are_one_workers(tmp_path: Path) -> None:
    """Three groups on two workers: one of them has two."""
    size = Size(n_subjects=9, n_windows=36, n_train=(18, 18))
    more = ", ".join(
        f"{{start: from-scratch, label: {label}, learning_rate: {rate}}}"
        for label, rate in (("slow", 1e-4), ("fast", 1e-2))
    )
    suite = tiny_suite(tmp_path, seeds=5, regimes=f"[from-scratch, {more}]", engine="fast")
    plan = make_plan(suite, SHAPE, size, device="cpu", n_workers=2)
    first, second, third = (5 * kind.seconds for kind in plan.kinds)
    expected = max(first, second, min(first, second) + third)
    assert plan.seconds == pytest.approx(expected)


@pytest.mark.usefixtures("short_pilot")
def test_pretraining_is_part_of_a_plan(tmp_path: Path) -> None:
    """One encoder for all folds of a source whose subjects are others."""
    from regime_suites import suite_of

    size = Size(n_subjects=8, n_windows=24, n_train=(12, 12))
    suite = suite_of(tmp_path)
    plans = [
        make_plan(suite, SHAPE, size, device="cpu", n_workers=1, n_source_windows=n_source_windows)
        for n_source_windows in (0, 10_000)
    ]
    assert plans[0].pretraining_seconds == 0
    assert plans[1].pretraining_seconds > 0


def test_hbn_is_as_large_as_its_tables_say(data_dir: Path) -> None:
    """Of every recording at rest, from the table that the package's sums were made from."""
    table = data_dir / "hbn" / "recordings_all_releases.csv.gz"
    if not table.exists():
        pytest.skip(f"no table of recordings: {table} is missing; set PFACTOR_BENCH_DATA")
    rest = pd.read_csv(table).query("task == 'RestingState'")
    size = hbn_size(load_suite(HBN))
    assert size.n_subjects == rest["subject"].nunique()
    assert size.n_windows == pytest.approx(rest["duration"].sum() / 2, abs=20)
    assert len(size.n_train) == 5
    assert size.n_train[0] == pytest.approx(0.8 * size.n_windows, rel=0.01)


def test_hbn_windows_have_the_suites_shape() -> None:
    """Seven channels, since Cz holds nothing, of 2 s at 100 Hz."""
    shape = hbn_shape(load_suite(HBN))
    assert (len(shape.ch_names), shape.n_times, shape.held_out) == (7, 200, pytest.approx(0.25))


def test_hbn_plan_of_another_cohort_is_refused(tmp_path: Path) -> None:
    """With a suite that will do."""
    with pytest.raises(ConfigError, match=r"'synthetic'.*suites/hbn\.yaml"):
        hbn_shape(tiny_suite(tmp_path))


def test_hbn_task_without_a_table_is_refused(tmp_path: Path) -> None:
    """Blocks of rest are not counted."""
    path = tmp_path / "blocks.yaml"
    path.write_text(HBN.read_text().replace("task: RestingState", "task: eyes-open"))
    with pytest.raises(ConfigError, match="'eyes-open'"):
        hbn_size(load_suite(path))


@pytest.mark.usefixtures("short_pilot")
def test_command_says_what_there_is_to_know(tmp_path: Path, capsys, monkeypatch) -> None:
    """Cases, time, memory, disk, and that no GPU was timed."""
    monkeypatch.setenv("CI", "true")
    tiny_suite(tmp_path)
    assert main(["plan", str(tmp_path / "suite.yaml"), "--device", "cpu", "--workers", "1"]) == 0
    printed = capsys.readouterr().out
    for part in (
        "from-scratch 6 ",
        "9 subjects, 36 windows, 2 folds",
        "on 1 process of this machine",
        "not estimated: no GPU was timed",
        "of finished cases",
        "windows that they share",
    ):
        assert part in " ".join(printed.split())
    assert not (tmp_path / "reports").exists()


@pytest.mark.usefixtures("short_pilot")
def test_hbn_plan_needs_no_data(capsys, monkeypatch) -> None:
    """It is asked before anything is fetched."""
    monkeypatch.delenv("PFACTOR_BENCH_DATA", raising=False)
    monkeypatch.setattr("pfactor_bench.experiments.cost.plan._WORTH_ASKING", float("inf"))
    assert main(["plan", str(HBN), "--hbn", "--device", "cpu"]) == 0
    assert "to fetch        307 GB" in capsys.readouterr().out

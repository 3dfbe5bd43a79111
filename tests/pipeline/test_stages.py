"""One run for the command, for pytest and for experiments: stages when they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tiny_cases import tiny_suite

from pfactor_bench.execution.cases import Execution
from pfactor_bench.pipeline import stages
from pfactor_bench.pipeline.stages import Run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the kind of every cohort that is loaded."""
    kinds: list[str] = []
    original = stages.load_cohort

    def counted(recipe, data_dir):
        kinds.append(recipe.kind)
        return original(recipe, data_dir)

    monkeypatch.setattr(stages, "load_cohort", counted)
    return kinds


def test_nothing_is_loaded_before_it_is_asked_for(tmp_path: Path, loaded: list[str]) -> None:
    """And then once."""
    run = Run(tiny_suite(tmp_path), device="cpu")
    assert loaded == []
    assert run.split.folds
    assert run.prepare().cohort.n_subjects == 9
    assert loaded == ["synthetic"]


def test_another_stage_leaves_the_run_as_it_is(tmp_path: Path, loaded: list[str]) -> None:
    """What is learnt from fewer subjects is no result of the suite."""
    run = Run(tiny_suite(tmp_path, seeds=1), device="cpu", out=tmp_path / "out")
    run.train(run.suite.cases)
    other = run.but(split=run.split)
    assert (other.cohort, other.results, len(run.results)) == (run.cohort, {}, 1)
    assert loaded == ["synthetic"]


@pytest.mark.parametrize(("workers", "n_warmed"), [(1, 0), (None, 1)])
def test_processes_are_warmed_for_whoever_asks_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int | None, n_warmed: int
) -> None:
    """A library must not fork behind its caller's back."""
    warmed: list[bool] = []
    monkeypatch.setattr(stages, "begin_warming", lambda: warmed.append(True))
    monkeypatch.setattr(stages, "will_use_processes", lambda *_: True)
    monkeypatch.setattr(stages, "run_cases", lambda _run, cases, **_: ({cases[0]: "done"}, {}))
    suite = tiny_suite(tmp_path, seeds=1)
    run = Run(suite, device="cpu", out=tmp_path / "out", execution=Execution(workers=workers))
    assert run.result(suite.cases[0]) == "done"
    assert len(warmed) == n_warmed

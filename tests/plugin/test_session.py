"""A suite during a pytest session: what is asked for is run together, and nothing else is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tiny_cases import tiny_suite

from pfactor_bench.errors import ExecutionError
from pfactor_bench.execution import cases as dispatch
from pfactor_bench.execution.cases import Execution
from pfactor_bench.pipeline.stages import Run
from pfactor_bench.training import engine as engines

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Return a list that gets the seeds of every group of cases that is trained, all of it here."""
    found: list[list[int]] = []
    original = engines.run_group

    def counted(engine, group, *given, **keywords):
        found.append([case.seed for case in group])
        return original(engine, group, *given, **keywords)

    monkeypatch.setattr(engines, "run_group", counted)
    monkeypatch.setattr(dispatch, "most_workers", lambda *_: 1)
    return found


def run_of(folder: Path, **options: object) -> Run:
    """Return a tiny suite during a session."""
    suite = tiny_suite(folder, **{"engine": "fast", **options})
    return Run(
        suite,
        out=folder / "out",
        device="cpu",
        execution=Execution(workers=None),
        patience=float("inf"),
    )


def test_cases_that_will_be_asked_for_are_trained_at_once(tmp_path: Path, groups) -> None:
    """By the first that is."""
    run = run_of(tmp_path, seeds=4)
    run.want(run.suite.cases)
    results = {run.result(case).predictions["y_pred"].sum() for case in run.suite.cases}
    assert groups == [[42, 43, 44, 45]]
    assert len(results) == 4


def test_cases_that_nobody_asks_for_are_not_trained(tmp_path: Path, groups) -> None:
    """Until someone does; what is there then is not trained again."""
    run = run_of(tmp_path, seeds=4)
    run.want(run.suite.cases[1:3])
    run.result(run.suite.cases[2])
    assert not run.is_complete
    assert [case["seed"] for case in run.whole_record().cases] == [42, 43, 44, 45]
    assert groups == [[43, 44], [42], [45]]


@pytest.mark.parametrize("failing", ["seed == 43", "seed"])
def test_case_that_failed_fails_its_own_test(tmp_path: Path, groups, failing: str) -> None:
    """With the reason, however many did; it is not tried again."""
    run = run_of(tmp_path, seeds=2, engine="plain", fault=f"assert not ({failing}), 'injected'")
    run.want(run.suite.cases)
    for _ in range(2):
        with pytest.raises(ExecutionError, match=r"'from-scratch/seed-43'.*injected"):
            run.result(run.suite.cases[1])
    if failing == "seed == 43":
        assert len(run.result(run.suite.cases[0]).curves) == 2
    assert len(groups) == 2


def test_report_has_the_cases_in_the_suites_order(tmp_path: Path, groups) -> None:
    """Whatever order tests ran in."""
    run = run_of(tmp_path, seeds=2)
    for case in reversed(run.suite.cases):
        run.result(case)
    assert groups == [[43], [42]]
    assert [case["seed"] for case in run.whole_record().cases] == [42, 43]
    assert run.publish().exists()

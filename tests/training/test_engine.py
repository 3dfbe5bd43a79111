"""Engines: which cases become one job, and that a job leaves what its cases leave alone."""

from __future__ import annotations

import pytest

from pfactor_bench.errors import UnknownNameError
from pfactor_bench.training.engine import group_cases
from pfactor_bench.types import Case, EngineChoice, ModelSpec

EEGNET, CONFORMER = ModelSpec(name="EEGNet"), ModelSpec(name="EEGConformer")
PLAIN, FAST = EngineChoice(kind="plain"), EngineChoice(kind="fast")
CASES = tuple(
    Case(regime=f"{model.name}/{start}", model=model, start=start, seed=seed)
    for model in (EEGNET, CONFORMER)
    for start in ("from-scratch", "full-finetune")
    for seed in range(5)
)


def test_plain_engine_trains_each_case_alone() -> None:
    """It is the reference."""
    assert group_cases(PLAIN, CASES) == tuple((case,) for case in CASES)


@pytest.mark.parametrize("engine", [PLAIN, FAST])
@pytest.mark.parametrize("n_workers", [1, 2, 40])
def test_every_case_is_in_one_group(engine: EngineChoice, n_workers: int) -> None:
    """None is lost, none is trained twice."""
    groups = group_cases(engine, CASES, n_workers=n_workers)
    assert sorted(CASES, key=id) == sorted((one for group in groups for one in group), key=id)


def test_cases_of_a_group_differ_in_their_seed_only() -> None:
    """Model, start and learning rate are shared."""
    for group in group_cases(FAST, CASES):
        assert len({case.regime for case in group}) == 1


def test_groups_leave_work_for_every_worker() -> None:
    """Five cases on two workers are no single group."""
    groups = group_cases(FAST, CASES[:5], n_workers=2)
    assert [3, 2] == [len(group) for group in groups]


def test_a_gpu_gets_as_many_as_there_are() -> None:
    """What fits is found out there."""
    many = tuple(Case(regime="from-scratch", model=EEGNET, seed=seed) for seed in range(256))
    assert [256] == [len(group) for group in group_cases(FAST, many, device="cuda")]
    assert 8 == max(len(group) for group in group_cases(FAST, many))


def test_unknown_engine_is_refused() -> None:
    """With the closest name."""
    with pytest.raises(UnknownNameError, match="did you mean 'fast'"):
        group_cases(EngineChoice(kind="fasst"), CASES)

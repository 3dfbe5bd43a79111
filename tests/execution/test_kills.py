"""Runs that are killed, here and under Dask: nothing is lost, nothing is computed twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from killing import (
    choose_devices,
    forty_cases,
    in_warm_process,
    run_killed,
    run_on_cluster,
    run_undisturbed,
)
from tiny_cases import timeless

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run of forty cases that nobody disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    forty_cases(folder)
    in_warm_process(run_undisturbed, folder)
    return folder


def assert_equal_reports(one: Path, other: Path) -> None:
    """Compare records but for times, and arrays, predictions and figures byte for byte."""
    assert timeless(one / "out") == timeless(other / "out")
    for name in ("arrays.npz", "predictions.parquet", "figure.svg"):
        assert (one / "out" / name).read_bytes() == (other / "out" / name).read_bytes(), name


@pytest.mark.slow
def test_run_killed_at_twenty_moments_ends_as_if_undisturbed(undisturbed, tmp_path: Path) -> None:
    """SIGKILL, half of the times in one process and half on two workers."""
    forty_cases(tmp_path)
    happened = in_warm_process(run_killed, tmp_path, 20, 1)
    assert happened["twice"] == []
    assert len(happened["computed"]) == len(set(happened["computed"])) <= 40
    # Kills among the cases, not only before and after them.
    assert len(set(happened["finished"])) > 8
    assert_equal_reports(undisturbed, tmp_path)


@pytest.mark.slow
def test_dask_gives_the_same_record(undisturbed, tmp_path: Path) -> None:
    """A real scheduler and two worker processes on loopback."""
    forty_cases(tmp_path)
    happened = in_warm_process(run_on_cluster, tmp_path, 0, 0)
    assert (happened["twice"], len(happened["computed"])) == ([], 40)
    assert_equal_reports(undisturbed, tmp_path)


@pytest.mark.slow
def test_dask_survives_dead_workers_and_a_new_scheduler(undisturbed, tmp_path: Path) -> None:
    """Workers are killed at random, and the scheduler once among them."""
    forty_cases(tmp_path)
    happened = in_warm_process(run_on_cluster, tmp_path, 7, 2)
    assert happened["killed"].count("scheduler") == 1
    # A worker that lost its scheduler may end a case that another has begun meanwhile.
    assert (happened["twice"], len(set(happened["computed"])) <= 40) == ([], True)
    assert_equal_reports(undisturbed, tmp_path)


@pytest.mark.parametrize(
    ("resources", "chosen"),
    [({"GPU": 1}, ["cuda", "cpu", "cuda"]), ({}, ["cpu", "cpu", "no worker of"])],
    ids=["with GPUs", "without"],
)
def test_cases_run_on_what_workers_offer(tmp_path: Path, resources: dict, chosen: list) -> None:
    """Wherever the run is started; GPUs that nobody has are refused with the fix."""
    found = in_warm_process(choose_devices, tmp_path, resources)
    assert [expected in got for expected, got in zip(chosen, found, strict=True)] == [True] * 3

"""The tests of a suite: of its leaks, its claims against the train mean, and its times.

``pytest my_suite.yaml`` runs them on that suite. A project that keeps its suites in a folder
imports them into test modules beside them, as ``suites/test_*.py`` of this repository do.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING

import pytest

from pfactor_bench.config import EXPECTED_FAILURES
from pfactor_bench.testing import read_expected_failures, settle

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import torch
    from pytest_benchmark.fixture import BenchmarkFixture

    from pfactor_bench.pipeline.stages import Run
    from pfactor_bench.plugin.items import (
        SuiteAudit,
        SuiteCase,
        SuiteCheck,
        SuiteClaim,
        SuiteTiming,
    )
    from pfactor_bench.plugin.timing import Prediction, TrainingEpoch


def test_check(suite_check: SuiteCheck) -> None:
    """A check passes; what does not apply is skipped with its reason; an error is a failure."""
    settle([suite_check.finding], _expected(suite_check.run, suite_check.run.suite.name))


def test_audit(suite_audit: SuiteAudit) -> None:
    """A regime does not notice what it must not know: other subjects' signal, held-out targets."""
    settle(suite_audit.audit().findings, _expected(suite_audit.run, suite_audit.id))


def test_case_is_compared_with_train_mean(suite_case: SuiteCase) -> None:
    """A case predicts a target for every held-out window, and its folds hold a subject out."""
    table = suite_case.run.result(suite_case.case).predictions
    held_out = table[table["role"] == "test"]
    n_expected = sum(len(fold.test) for fold in suite_case.run.split.folds)
    if not len(held_out) == n_expected > 0:
        pytest.fail(f"{len(held_out)} predictions for {n_expected} held-out windows")
    if held_out["y_pred"].isna().any():
        pytest.fail(f"{held_out['y_pred'].isna().sum()} predictions are no numbers")


def test_claim(suite_claim: SuiteClaim) -> None:
    """A gate holds; any other claim is written down with its verdict."""
    verdict = suite_claim.verdict
    if verdict.level == "gate" and verdict.status != "holds":
        pytest.fail(f"{suite_claim.claim.text} {verdict.status}: {verdict.explanation}")


def test_training_epoch(suite_timing: SuiteTiming, benchmark: BenchmarkFixture) -> None:
    """Time one epoch, the device synchronised, after one that is not counted."""
    from pfactor_bench.plugin.timing import TrainingEpoch

    device = _device(suite_timing)
    work = TrainingEpoch(suite_timing.run.begin(), suite_timing.case, device)
    _time(suite_timing, benchmark, work)


@pytest.mark.parametrize("n_windows", [1, 256])
def test_prediction(suite_timing: SuiteTiming, benchmark: BenchmarkFixture, n_windows: int) -> None:
    """Time how long a prediction is waited for, of one window and of many."""
    from pfactor_bench.plugin.timing import Prediction

    device = _device(suite_timing)
    work = Prediction(suite_timing.run.begin(), suite_timing.case, device, n_windows)
    _time(suite_timing, benchmark, work)


def _expected(run: Run, test: str) -> Mapping[str, str] | None:
    """Return the failures that the ledger beside a suite's file expects of a test."""
    return _ledger(run.suite.path.with_name(EXPECTED_FAILURES)).get(test)


@cache
def _ledger(path: Path) -> Mapping[str, Mapping[str, str]]:
    return read_expected_failures(path) if path.is_file() else {}


def _device(suite_timing: SuiteTiming) -> torch.device:
    import torch

    if suite_timing.device == "cuda" and not torch.cuda.is_available():
        pytest.skip("torch finds no CUDA device on this machine")
    return torch.device(suite_timing.device)


def _time(
    suite_timing: SuiteTiming, benchmark: BenchmarkFixture, work: TrainingEpoch | Prediction
) -> None:
    from pfactor_bench.plugin.energy import energy_of

    case = suite_timing.case
    benchmark.group = f"{suite_timing.run.suite.name}: {case.regime}, {work.name}"
    benchmark.pedantic(work, rounds=3, warmup_rounds=1)  # type: ignore[no-untyped-call]
    benchmark.extra_info.update(
        seed=case.seed,
        device=suite_timing.device,
        engine=asdict(suite_timing.run.suite.engine),
        threads=suite_timing.run.training.threads,
        n_windows=work.n_windows,
        peak_bytes=work.peak_bytes,
    )
    if benchmark.stats is not None:  # as it is where times are not asked for
        # Once more: what is timed is not to be disturbed.
        if (joules := energy_of(work)) is not None:
            benchmark.extra_info["joules"] = joules
        median = benchmark.stats.stats.median
        benchmark.extra_info.update(
            windows_per_second=work.n_windows / median, seconds_per_step=median / work.n_steps
        )

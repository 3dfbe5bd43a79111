"""Windows locked to a response: their place in time is found as an input, and as a proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.detection.careful import careful, participants
from benchmarks.detection.honest import band_features
from pfactor_bench.checks import run_check
from pfactor_bench.checks.metamorphic.probe import Probe
from pfactor_bench.studies.changes import with_columns
from pfactor_bench.studies.harness import Runner
from pfactor_bench.studies.sandbox import Limits

if TYPE_CHECKING:
    from pfactor_bench.studies.contract import Study
    from pfactor_bench.types import Cohort

_STRIDE = 1000
_PLAIN = participants(n_windows=6)


def _locked() -> Cohort:
    """Cut windows at a response whose delay grows with the target."""
    delay = np.round(100 * (_PLAIN.y - _PLAIN.y.min())).astype(int)
    start = _STRIDE * (_PLAIN.table["start"].to_numpy() // 200) + delay
    return with_columns(_PLAIN, {"start": start, "stop": start + 200})


_LOCKED = _locked()


def _delay(cohort: Cohort) -> np.ndarray:
    return (cohort.table["start"].to_numpy(dtype=np.float64) % _STRIDE)[:, None] / 100


def _time_on_task(cohort: Cohort) -> np.ndarray:
    start = cohort.table["start"].to_numpy(dtype=np.float64)[:, None] / 1000
    return np.hstack([band_features(cohort.X), start])


def _status(code: str, study: Study, cohort: Cohort, **more: object) -> str:
    probe = Probe(Runner(study, seed=0, limits=Limits(seconds=60)), cohort)
    return run_check(code, study=probe, **more).status


def test_skill_of_the_response_survives_in_noise() -> None:
    """Timing is kept where all signal is replaced."""
    assert _status("LK105", careful(inputs=_delay), _LOCKED) == "fail"


def test_place_that_is_alike_within_a_subject_is_an_input() -> None:
    """It moves predictions only where subjects swap it."""
    assert _status("LK110", careful(inputs=_delay), _LOCKED) == "warn"


@pytest.mark.parametrize(("inputs", "status"), [((), "warn"), (("start",), "pass")])
def test_time_on_task_is_not_accused(inputs: tuple[str, ...], status: str) -> None:
    """On a grid of windows it tells no target; it is an input, to be declared."""
    study = careful(inputs=_time_on_task)
    assert _status("LK110", study, _PLAIN, inputs=inputs) == status
    assert _status("LK105", study, _PLAIN) == "pass"


def test_start_that_follows_the_target_is_a_proxy() -> None:
    """Whoever cuts windows so is told before anything is trained."""
    finding = run_check("LK016", cohort=_LOCKED)
    assert "first start of a window" in {row["proxy"] for row in finding.evidence}
    assert run_check("LK016", cohort=_PLAIN).status == "pass"

"""Skill without signal: what is declared may tell the target, what is not fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.detection.careful import careful, participants
from benchmarks.detection.careful_parts import calibrated
from benchmarks.detection.honest import band_features
from pfactor_bench.checks import run_check
from pfactor_bench.checks.metamorphic.probe import Probe
from pfactor_bench.studies.changes import with_columns
from pfactor_bench.studies.declaration import declaration_of
from pfactor_bench.studies.harness import Runner
from pfactor_bench.studies.sandbox import Limits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pfactor_bench.studies.contract import Study
    from pfactor_bench.types import Cohort, Finding

_COHORT = participants(n_windows=6)
_WITH_AGE = with_columns(_COHORT, {"age": 12 + 3 * _COHORT.y, "item": 2 * _COHORT.y})


def _audited(study: Study, cohort: Cohort) -> Finding:
    runner = Runner(study, seed=0, limits=Limits(seconds=60))
    return run_check("LK105", study=Probe(runner, cohort, declared=declaration_of(study)))


def _with(*names: str) -> Study:
    """Return ridge regression of band power and of columns, which declares the age."""

    def inputs(cohort: Cohort) -> NDArray[np.float64]:
        columns = 3 * cohort.table[list(names)].to_numpy(dtype=np.float64)
        return np.hstack([band_features(cohort.X), columns])

    return careful(inputs=inputs, declares={"inputs": ["age"]})


@pytest.mark.parametrize(("names", "status"), [(["age"], "pass"), (["age", "item"], "fail")])
def test_skill_of_a_declared_column_is_no_leak(names: list[str], status: str) -> None:
    """It is swapped where the signal is noise; what else tells the target still fails."""
    finding = _audited(_with(*names), _WITH_AGE)
    assert finding.status == status, finding.explanation


def test_skill_of_declared_labels_is_told() -> None:
    """A subject's labelled windows tell the target without any signal, which is declared."""
    study = careful(finish=calibrated(2), declares={"access": "own-labelled-2"})
    finding = _audited(study, _COHORT)
    assert (finding.status, "declared" in finding.explanation) == ("warn", True)

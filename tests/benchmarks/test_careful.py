"""Honest studies that look leaky: they are many, each is another, and none is accused."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.detection.careful import participants
from benchmarks.detection.careful_studies import CAREFUL, UNDECIDED
from pfactor_bench.auditing.audit import audit
from pfactor_bench.studies.contract import read_answer, table_columns

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from pfactor_bench.studies.contract import Study

_COHORT = participants()
#: These answer as another does, and get there on another way.
_SAME_ANSWER = {
    "features in a file",
    "grid over groups",
    "folds in threads",
    "folds by joblib",
    "bagged in threads",
}


def _predictions(study: Study) -> NDArray[np.float64]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answer = read_answer(table_columns(study(_COHORT, seed=0)), _COHORT)
    found = [np.column_stack([one.positions, one.y_pred]) for one in answer.folds]
    return np.concatenate(found).round(9)


def test_each_study_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty at least keep the contract, and no two of them answer alike."""
    monkeypatch.setenv("TRICKY_CACHE", str(tmp_path))
    answers = {name: _predictions(study).tobytes() for name, study in CAREFUL.items()}
    others = [answer for name, answer in answers.items() if name not in _SAME_ANSWER]
    assert len(set(others)) == len(others) >= 60


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "random quarters averaged",
        "two labelled windows a subject",
        "stops by itself, one stream",
        "dropout at test time that nobody seeds",
        "age, sex and site declared",
    ],
)
def test_honest_study_is_clean(name: str) -> None:
    """Not merely undecided: these have been the hardest to judge."""
    found = audit(CAREFUL[name], _COHORT)
    assert found.verdict == "clean", (found.reason, found)


@pytest.mark.slow
def test_undeclared_formula_is_undecided() -> None:
    """Nobody knows what it was fitted on."""
    assert audit(UNDECIDED["formula, not declared"], _COHORT).verdict == "inconclusive"

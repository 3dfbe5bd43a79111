"""Constants in predictions are told where no training target explains them, and not accused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeRegressor

from benchmarks.detection import careful_learners as learn
from benchmarks.detection.careful import careful, participants
from pfactor_bench.checks import run_check
from pfactor_bench.checks.metamorphic.probe import Probe
from pfactor_bench.studies.harness import Runner
from pfactor_bench.studies.sandbox import Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from pfactor_bench.studies.contract import Study
    from pfactor_bench.types import Cohort, Finding

_COHORT = participants(n_subjects=9, n_windows=6)


def _audited(study: Study) -> Finding:
    probe = Probe(Runner(study, seed=0, limits=Limits(seconds=60)), _COHORT)
    return run_check("LK113", study=probe)


def _then(change: Callable[[pd.Series], pd.Series]) -> Study:
    """Return ridge regression whose predictions are changed by a constant."""
    return careful(finish=lambda _, table: table.assign(y_pred=change(table["y_pred"])))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda y: y.clip(-0.1, 0.1), "clipped at -0.1 and 0.1"),
        (lambda y: y.clip(lower=-0.3), "clipped at -0.3"),
        (lambda y: y + 0.25, "shifted by 0.25"),
        (lambda y: 0.6 * y + 0.4 * 0.5, "shrunk by 0.6 towards 0.5"),
        (lambda y: 0.6 * y, "shrunk by 0.6 towards"),
    ],
)
def test_constant_is_told(change: Callable[[pd.Series], pd.Series], said: str) -> None:
    """What it is, and never as a leak: where it comes from, no answer tells."""
    finding = _audited(_then(change))
    assert (finding.status, said in finding.explanation) == ("warn", True), finding.explanation


_HONEST = {
    "ridge": learn.linear,
    "clipped to the training range": learn.clipped,
    "shrunk by training subjects": learn.shrunk,
    "scaled target": learn.with_target("standard"),
    "logarithm": learn.log_target,
    "neighbours": learn.neighbours_of_subjects,
    "tree": learn.estimator(DecisionTreeRegressor, max_depth=2),
    "no intercept": learn.estimator(Ridge, fit_intercept=False),
    "mean": learn.the_mean,
}


@pytest.mark.parametrize("name", _HONEST)
def test_what_is_learnt_from_training_targets_is_not(name: str) -> None:
    """Clips, scales and piles that follow them."""
    finding = _audited(careful(learner=_HONEST[name]))
    assert finding.status in {"pass", "not_applicable"}, finding.explanation


def _table(y_pred: np.ndarray, cohort: Cohort) -> pd.DataFrame:
    fold = np.unique(cohort.subjects, return_inverse=True)[1] // 3
    return pd.DataFrame(
        {"sample_id": cohort.table["sample_id"], "fold": fold.astype(str), "y_pred": y_pred}
    )


def _saved(y_pred: np.ndarray) -> Finding:
    return run_check("LK038", predictions=_table(y_pred, _COHORT), cohort=_COHORT)


def test_pile_in_saved_predictions_is_told() -> None:
    """At a value that is no target."""
    y_pred = np.random.default_rng(0).standard_normal(len(_COHORT.y))
    assert _saved(y_pred.clip(max=0.5)).status == "warn"
    assert _saved(y_pred.clip(min=-0.5)).status == "warn"


def test_clip_to_the_range_of_targets_is_not() -> None:
    """Nor are predictions of few values, or of one."""
    y_pred = np.random.default_rng(0).standard_normal(len(_COHORT.y))
    target = float(np.sort(np.unique(_COHORT.y))[-3])
    for honest in (y_pred, y_pred.clip(max=target), y_pred.round(0), 0 * y_pred):
        assert _saved(honest).status == "pass"


def test_study_is_asked_itself() -> None:
    """A pile is told once, by the check that can run the study."""
    y_pred = np.random.default_rng(0).standard_normal(len(_COHORT.y)).clip(max=0.5)
    finding = run_check(
        "LK038", predictions=_table(y_pred, _COHORT), cohort=_COHORT, study=object()
    )
    assert finding.status == "not_applicable"

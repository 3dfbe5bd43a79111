"""Channels typed EEG that carry the target: found by what no electrode does, and by their skill."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.detection.careful import participants
from benchmarks.detection.honest import band_features, plain_ridge, predictions_table, subject_folds
from pfactor_bench.checks import run_check
from pfactor_bench.checks.metamorphic.probe import Probe
from pfactor_bench.checks.static.channels import unlike_eeg
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.studies.changes import changed
from pfactor_bench.studies.harness import Runner
from pfactor_bench.studies.sandbox import Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from pfactor_bench.studies.contract import Study
    from pfactor_bench.types import Cohort, Finding

_PLAIN = synthetic(n_subjects=12, n_windows=6, seed=5, amplitude=0.0)


def _with_channel(make: Callable[[Cohort, np.random.Generator], np.ndarray]) -> Cohort:
    X = np.array(_PLAIN.X)
    X[:, 3] = make(_PLAIN, np.random.default_rng(0))
    return changed(_PLAIN, X=X)


def _held(values: np.ndarray) -> np.ndarray:
    return np.repeat(values[:, None], _PLAIN.X.shape[-1], axis=1)


def _per_subject(cohort: Cohort, rng: np.random.Generator) -> np.ndarray:
    subject = np.unique(cohort.subjects, return_inverse=True)[1]
    return rng.standard_normal(cohort.n_subjects)[subject]


_UNLIKE = {
    "the target itself": lambda cohort, _: _held(cohort.y),
    "a value a subject": lambda cohort, rng: _held(_per_subject(cohort, rng)),
    "a trigger": lambda cohort, rng: rng.integers(0, 5, cohort.X[:, 3].shape),
    "the target under noise": lambda cohort, rng: (
        _held(cohort.y) + 0.1 * rng.standard_normal(cohort.X[:, 3].shape)
    ),
}
_LIKE = {
    "the reference, flat everywhere": lambda cohort, _: np.zeros(cohort.X[:, 3].shape),
    "a dead stretch": lambda cohort, _: cohort.X[:, 3] * (np.arange(200) < 100),
    "a loud electrode": lambda cohort, _: 50 * cohort.X[:, 3],
    "an offset for each subject": lambda cohort, rng: (
        cohort.X[:, 3] + _held(_per_subject(cohort, rng))
    ),
}


@pytest.mark.parametrize("name", _UNLIKE)
def test_channel_that_no_electrode_records_is_named(name: str) -> None:
    """And no other channel with it."""
    assert set(unlike_eeg(_with_channel(_UNLIKE[name]))) == {_PLAIN.ch_names[3]}


@pytest.mark.parametrize("name", _LIKE)
def test_odd_electrode_is_not_named(name: str) -> None:
    """Flat, loud and shifted electrodes exist."""
    assert unlike_eeg(_with_channel(_LIKE[name])) == {}


def test_cohort_with_such_a_channel_is_warned() -> None:
    """Nothing says yet that a model uses it."""
    finding = run_check("LK037", cohort=_with_channel(_UNLIKE["the target itself"]))
    assert (finding.status, _PLAIN.ch_names[3] in finding.explanation) == ("warn", True)
    assert run_check("LK037", cohort=_PLAIN).status == "pass"


def _audited(study: Study, cohort: Cohort) -> Finding:
    probe = Probe(Runner(study, seed=0, limits=Limits(seconds=60)), cohort)
    return run_check("LK111", study=probe)


def _means(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Learn from each channel's mean."""
    import pandas as pd

    from benchmarks.detection.honest import ridge

    X = cohort.X.mean(axis=-1).astype(np.float64)
    return pd.concat(
        predictions_table(cohort, test, ridge(X[train], cohort.y[train], 0.1)(X[test]), fold)
        for fold, train, test in subject_folds(cohort, seed)
    )


def _without_it(cohort: Cohort, *, seed: int) -> pd.DataFrame:
    """Leave the channel out."""
    return plain_ridge(changed(cohort, X=np.delete(cohort.X, 3, axis=1)), seed=seed)


def test_model_of_a_channel_with_the_target_fails() -> None:
    """The channel is no electrode's, tells the target, and predictions follow it."""
    finding = _audited(_means, _with_channel(_UNLIKE["the target itself"]))
    assert finding.status == "fail", finding.explanation
    assert "'E75'" in finding.explanation


def test_model_that_leaves_the_channel_out_is_not_accused() -> None:
    """It lies in the cohort and reaches no prediction."""
    finding = _audited(_without_it, _with_channel(_UNLIKE["the target itself"]))
    assert finding.status in {"pass", "not_applicable"}, finding.explanation


def test_channel_without_the_target_is_a_warning() -> None:
    """Whatever it is, it is no EEG, and it enters."""
    finding = _audited(_means, _with_channel(_UNLIKE["a value a subject"]))
    assert finding.status == "warn", finding.explanation


def test_skill_of_one_electrode_is_told_and_not_accused() -> None:
    """An honest model of one real channel cannot be told from one of a hidden target."""
    finding = _audited(plain_ridge, participants())
    assert finding.status == "warn", finding.explanation
    assert "'Cz' alone" in finding.explanation


def test_skill_of_several_electrodes_passes() -> None:
    """Each half of the channels is missed."""
    cohort = participants()
    X = np.array(cohort.X)
    X -= X.mean(axis=-1, keepdims=True)
    for channel in (0, 2, 4, 6, 7):
        X[:, channel] *= np.exp(0.1 * cohort.y)[:, None]
    X[:, 1] = _PLAIN.X[: len(X), 1].mean()
    rng = np.random.default_rng(2)
    X[:, 1] = rng.standard_normal(X[:, 1].shape)
    finding = _audited(plain_ridge, changed(cohort, X=X))
    assert finding.status == "pass", finding.explanation


def test_study_without_skill_is_not_asked_for_channels() -> None:
    """There is nothing that could rest on one."""
    finding = _audited(plain_ridge, _PLAIN)
    assert finding.status == "not_applicable", finding.explanation
    assert band_features(_PLAIN.X).shape[0] == len(_PLAIN.y)

"""What an audit takes as its cohort and its effort, in the words that users use."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import pfactor_bench
from benchmarks.detection.honest import plain_ridge
from pfactor_bench.auditing.cohorts import cohort_of
from pfactor_bench.checks.engine.effort import EFFORTS, QUICK, effort_of
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.errors import CohortError, ConfigError, UnknownNameError

if TYPE_CHECKING:
    from pfactor_bench.types import Cohort


def _recording(number: int, **description: object) -> Any:
    """Return what stands in a braindecode data set for one recording of two windows."""
    signal = np.random.default_rng(number).standard_normal((2, 2, 50)) * 1e-5

    class Recording:
        raw = SimpleNamespace(info={"sfreq": 100.0}, ch_names=["Cz", "Pz"])
        metadata = pd.DataFrame({"i_start_in_trial": [0, 50], "i_stop_in_trial": [50, 100]})

        def __len__(self) -> int:
            return len(signal)

        def __getitem__(self, window: int) -> tuple[Any, float]:
            return signal[window], 0.0

    recording = Recording()
    recording.description = pd.Series({"subject": f"s{number}", **description})
    return recording


def _windows() -> Any:
    return SimpleNamespace(datasets=[_recording(n, p_factor=0.5 * n, age=9 + n) for n in range(6)])


def _cohort_of(given: object, target: str | None = None) -> Cohort:
    return cohort_of(given, target=target, data_dir=None)


def test_windows_of_braindecode_are_a_cohort() -> None:
    """With the entry of the descriptions that is to be predicted."""
    cohort = _cohort_of(_windows(), "p_factor")
    assert (cohort.n_subjects, cohort.target, cohort.X.shape) == (6, "p_factor", (12, 2, 50))


def test_audit_takes_windows_of_braindecode() -> None:
    """From Python, in one call."""
    result = pfactor_bench.audit(
        plain_ridge, _windows(), target="p_factor", effort="quick", only=["LK100"]
    )
    statuses = {one.code: one.status for one in result.findings}
    assert (result.cohort, statuses["LK100"]) == ("braindecode", "pass")


@pytest.mark.parametrize("name", ["synthetic", None])
def test_cohort_is_found_by_name(name: str | None) -> None:
    """The case study's stands for none."""
    assert _cohort_of(name).fingerprint == synthetic().fingerprint


@pytest.mark.parametrize("path", ["suites/case_study.yaml", Path("suites/case_study.yaml")])
def test_cohort_of_a_suite_is_found_by_its_file(
    path: Path | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given as subjects give paths."""
    monkeypatch.chdir(Path(__file__).parents[2])
    assert _cohort_of(path).fingerprint == synthetic().fingerprint


@pytest.mark.parametrize(
    ("given", "target", "error", "message"),
    [
        (_windows(), None, CohortError, r"target=\.\.\.; there are 'subject', 'p_factor', 'age'"),
        (_windows(), "p_facto", CohortError, "has no 'p_facto': did you mean 'p_factor'"),
        (SimpleNamespace(datasets=["raw"]), "age", CohortError, "are not cut into windows"),
        (SimpleNamespace(datasets=[]), "age", CohortError, "the windows of .* are empty"),
        (_recording(0, age=9), "age", CohortError, "has 1 subjects with a 'age': at least 3"),
        (np.zeros(3), None, CohortError, "the cohort is 'ndarray': give a Cohort"),
        ("synthetic", "age", CohortError, "target='age' is for windows of braindecode"),
        ("syntetic", None, UnknownNameError, "unknown cohort 'syntetic': did you mean"),
        ("arrays", None, ConfigError, "needs 'dataset' and 'target' and 'sfreq' and 'channels'"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_is_no_cohort_is_refused_with_the_fix(
    given: object, target: str | None, error: type[Exception], message: str
) -> None:
    """Before anything runs."""
    with pytest.raises(error, match=message):
        _cohort_of(given, target)


@pytest.mark.parametrize("name", EFFORTS)
def test_effort_is_given_by_name_or_as_such(name: str) -> None:
    """The command's words are Python's."""
    assert effort_of(name) is effort_of(EFFORTS[name])


def test_unknown_effort_is_refused() -> None:
    """With the closest name."""
    with pytest.raises(UnknownNameError, match="unknown effort 'quik': did you mean 'quick'"):
        pfactor_bench.audit(plain_ridge, effort="quik")


def test_effort_object_is_taken() -> None:
    """For whoever wants numbers of their own."""
    result = pfactor_bench.audit(
        plain_ridge, synthetic(n_subjects=6, n_windows=3), effort=QUICK, only=["LK100"]
    )
    assert result.n_runs == QUICK.unchanged

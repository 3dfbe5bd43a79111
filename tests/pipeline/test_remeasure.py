"""A stored run measured again: the same numbers from the same predictions, and nothing trained."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from pfactor_bench.cli.main import main
from pfactor_bench.errors import RecordError
from pfactor_bench.pipeline.remeasure import remeasure
from pfactor_bench.records.record import PREDICTIONS_FILE, read_arrays, read_record

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def report(tiny_report: Path, tmp_path: Path) -> Path:
    """Return a copy of a finished report."""
    return Path(shutil.copytree(tiny_report, tmp_path / "report"))


def edit(report: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a stored record as an earlier version would have written it."""
    path = report / "record.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")


def test_measuring_again_finds_the_same_numbers(report: Path) -> None:
    """All of them, those that cannot be computed again among them, in the same order."""
    before = read_record(report).measurements
    assert before == remeasure(report, data_dir=None).measurements


def test_intervals_of_an_earlier_version_are_replaced(report: Path) -> None:
    """That is what it is for."""

    def older(data: dict[str, Any]) -> None:
        for row in data["measurements"]:
            if row["ci"]:
                row["ci"] |= {"low": -9.0, "method": "an earlier one"}

    expected = read_record(report).measurements
    edit(report, older)
    remeasure(report, data_dir=None)
    methods = {m.ci.method for m in read_record(report).measurements if m.ci}
    assert (True, False) == (
        expected == read_record(report).measurements,
        "an earlier one" in methods,
    )


def test_predictions_in_another_order_are_refused(report: Path) -> None:
    """A target is joined by the place of a window; another order would be another result."""
    path = report / PREDICTIONS_FILE
    pd.read_parquet(path).iloc[::-1].to_parquet(path)
    with pytest.raises(RecordError, match="not of the windows that the split holds out"):
        remeasure(report, data_dir=None)


def test_arrays_stay_what_they_are(report: Path) -> None:
    """Curves and maps are not made from predictions, and are still there."""
    before = read_arrays(report)
    remeasure(report, data_dir=None)
    after = read_arrays(report)
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_findings_and_timings_are_the_runs(report: Path) -> None:
    """Nothing was run again."""
    before = read_record(report)
    after = remeasure(report, data_dir=None)
    assert (before.findings, before.timings) == (after.findings, after.timings)


def test_provenance_says_who_measured_again(report: Path) -> None:
    """Beside the commit that trained."""
    commit = read_record(report).provenance["commit"]
    facts = remeasure(report, data_dir=None).provenance
    assert (commit, True) == (facts["commit"], "commit" in facts["measured_again"])


def test_claims_are_judged_by_the_new_numbers(report: Path) -> None:
    """The command prints them, and its exit code is that of judging."""

    def older(data: dict[str, Any]) -> None:
        data["verdicts"][0]["status"] = "fails"

    edit(report, older)
    assert (0, "holds") == (
        main(["remeasure", str(report)]),
        read_record(report).verdicts[0].status,
    )


def test_other_data_are_refused(report: Path) -> None:
    """The predictions belong to the cohort of the run."""
    edit(report, lambda data: data["cohort"].update(fingerprint="0" * 64))
    with pytest.raises(RecordError, match="other data than the predictions belong to"):
        remeasure(report, data_dir=None)


def test_other_split_is_refused(report: Path) -> None:
    """A prediction is held-out only by the split it was made with."""
    edit(report, lambda data: data["split"]["folds"][0].update(test_subjects=["sub-00"]))
    with pytest.raises(RecordError, match="no longer divides the subjects"):
        remeasure(report, data_dir=None)


def test_missing_predictions_are_said(report: Path) -> None:
    """Without them there is nothing to measure."""
    (report / "predictions.parquet").unlink()
    with pytest.raises(RecordError, match="cannot read the predictions"):
        remeasure(report, data_dir=None)


def test_suite_without_its_case_is_refused(report: Path) -> None:
    """A record that does not hold what its suite declares is not complete."""
    edit(report, lambda data: data["cases"].clear())
    with pytest.raises(RecordError, match="no case 'from-scratch/seed-1'"):
        remeasure(report, data_dir=None)

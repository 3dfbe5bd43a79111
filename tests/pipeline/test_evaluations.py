"""The ledger of evaluations outlives a run, and counts settings rather than runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tiny_cases import tiny_suite

from pfactor_bench.cohorts import load_cohort
from pfactor_bench.config import load_suite
from pfactor_bench.errors import RecordError
from pfactor_bench.pipeline.evaluations import EVALUATIONS_FILE, evaluations, keep_evaluations
from pfactor_bench.pipeline.run import run
from pfactor_bench.splits.splitters import make_split

if TYPE_CHECKING:
    from pathlib import Path

    from pfactor_bench.types import Finding


def _evaluated(folder: Path, suite_text: str) -> int:
    """Evaluate a suite once more in a folder and return how many entries its ledger has."""
    path = folder / "suite.yaml"
    path.write_text(suite_text, encoding="utf-8")
    suite = load_suite(path)
    cohort = load_cohort(suite.cohort, None)
    entries = evaluations(suite, cohort, make_split(suite.split, cohort.table), folder)
    keep_evaluations(entries, folder)
    return len(entries)


def test_settings_are_counted_once(tmp_path: Path) -> None:
    """A run that is repeated, or that claims and calls itself otherwise, is the same evaluation."""
    tiny_suite(tmp_path)
    text = (tmp_path / "suite.yaml").read_text(encoding="utf-8")
    assert _evaluated(tmp_path, text) == 1
    assert _evaluated(tmp_path, text.replace("above: 0", "above: 0.1")) == 1
    assert _evaluated(tmp_path, text.replace("title: Many", "title: Few")) == 1
    assert _evaluated(tmp_path, text.replace("engine: plain", "engine: fast")) == 1
    assert _evaluated(tmp_path, text.replace("epochs: 1", "epochs: 2")) == 2
    assert _evaluated(tmp_path, text.replace("n_folds: 2", "n_folds: 3")) == 3


def _reuse(folder: Path) -> Finding:
    record = run(tiny_suite(folder, seeds=1), out=folder / "out", audit=False, progress=False)
    return next(finding for finding in record.findings if finding.code == "LK021")


def test_run_counts_what_its_folder_has_seen(tmp_path: Path) -> None:
    """Ten settings on the same held-out subjects are a warning, and a run adds its own."""
    first = _reuse(tmp_path)
    assert (first.status, first.explanation[-2:]) == ("pass", " 1")
    ledger = tmp_path / "out" / EVALUATIONS_FILE
    (mine,) = ledger.read_text(encoding="utf-8").splitlines()
    held_out = mine.partition(", ")[0]
    others = "".join(f'{held_out}, "setting": "{number}"}}\n' for number in range(9))
    ledger.write_text(others, encoding="utf-8")
    assert _reuse(tmp_path).status == "warn"
    assert ledger.read_text(encoding="utf-8").splitlines()[-1] == mine


@pytest.mark.parametrize("line", ["{", '{"held_out": "a"}', "[1]", "3"])
def test_broken_ledger_is_refused(line: str, tmp_path: Path) -> None:
    """It is not begun anew, which would forget."""
    tiny_suite(tmp_path)
    (tmp_path / EVALUATIONS_FILE).write_text(f"{line}\n", encoding="utf-8")
    text = (tmp_path / "suite.yaml").read_text(encoding="utf-8")
    with pytest.raises(RecordError, match="cannot read the evaluations"):
        _evaluated(tmp_path, text)

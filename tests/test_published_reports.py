"""The reports that are published here are what their records say."""

from __future__ import annotations

from pathlib import Path

import pytest

from pfactor_bench.record import read_arrays, read_record
from pfactor_bench.report.figure import draw_figure
from pfactor_bench.report.markdown import report_text

REPORTS = sorted(path.parent for path in Path(__file__).parents[1].glob("reports/*/record.json"))


@pytest.mark.parametrize("folder", REPORTS, ids=lambda folder: folder.name)
def test_report_is_its_records(folder: Path) -> None:
    """Nothing in it was typed."""
    written = (folder / "report.md").read_text(encoding="utf-8")
    assert report_text(read_record(folder)) == written


@pytest.mark.parametrize("folder", REPORTS, ids=lambda folder: folder.name)
def test_figure_is_its_records(folder: Path) -> None:
    """Nothing in it was drawn by hand."""
    drawn = draw_figure(read_record(folder), read_arrays(folder))
    assert drawn["figure.svg"] == (folder / "figure.svg").read_bytes()

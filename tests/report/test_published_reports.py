"""The reports that are published here are what their records say."""

from __future__ import annotations

from pathlib import Path

import pytest

from pfactor_bench.records.record import read_arrays, read_record
from pfactor_bench.report import draw_figures, report_text

REPORTS = sorted(path.parent for path in Path(__file__).parents[2].glob("reports/*/record.json"))


@pytest.mark.parametrize("folder", REPORTS, ids=lambda folder: folder.name)
def test_report_is_its_records(folder: Path) -> None:
    """Nothing in it was typed."""
    written = (folder / "report.md").read_text(encoding="utf-8")
    assert report_text(read_record(folder)) == written


@pytest.mark.parametrize("folder", REPORTS, ids=lambda folder: folder.name)
def test_figures_are_its_records(folder: Path) -> None:
    """Nothing in them was drawn by hand, and none was left behind."""
    drawn = draw_figures(read_record(folder), read_arrays(folder))
    published = {path.name: path.read_bytes() for path in folder.glob("*.svg")}
    assert published == {name: svg for name, svg in drawn.items() if name.endswith(".svg")}
    assert {path.name for path in folder.glob("*.png")} == {n for n in drawn if n.endswith(".png")}


@pytest.mark.parametrize("folder", REPORTS, ids=lambda folder: folder.name)
def test_figures_are_shown_in_the_report(folder: Path) -> None:
    """A figure that nobody sees was drawn for nothing."""
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert [path.name for path in folder.glob("*.png") if f"]({path.name})" not in text] == []

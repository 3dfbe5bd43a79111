"""Reports: a pure function of a record and the arrays beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pfactor_bench.record import read_arrays, write_atomically
from pfactor_bench.report.comparison import comparison_is_drawn, draw_comparison
from pfactor_bench.report.figure import draw_figure
from pfactor_bench.report.ladder import ladder_is_drawn
from pfactor_bench.report.ladder_figure import draw_ladder
from pfactor_bench.report.markdown import report_text
from pfactor_bench.report.people_figures import draw_cohort, draw_split
from pfactor_bench.report.shuffles import draw_shuffles
from pfactor_bench.report.spread import draw_spread
from pfactor_bench.report.timing import draw_timing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from pfactor_bench.record import Record

__all__ = ["draw_figures", "render"]


def render(record: Record, folder: Path) -> Path:
    """Write ``report.md`` and its figures, each as SVG and PNG, into `folder`.

    ``figure`` and ``split`` are always drawn; ``ladder``, ``comparison``, ``cohort``, ``shuffles``,
    ``spread`` and ``timing`` where the record holds what they show.

    Parameters
    ----------
    record
        What to show.
    folder
        Where it goes, and where the record's arrays stand.

    Returns
    -------
    Path
        Of the report.
    """
    figures = draw_figures(record, read_arrays(folder))
    for name, content in figures.items():
        write_atomically(folder / name, content)
    path = folder / "report.md"
    write_atomically(path, report_text(record).encode())
    return path


def draw_figures(record: Record, arrays: Mapping[str, NDArray[Any]]) -> dict[str, bytes]:
    """Return every figure of a report as SVG and PNG, by file name.

    Parameters
    ----------
    record, arrays
        What to show, and the arrays beside it.
    """
    figures = draw_figure(record, arrays)
    if ladder_is_drawn(record):
        figures |= draw_ladder(record)
    if comparison_is_drawn(record):
        figures |= draw_comparison(record)
    for draw in (draw_split, draw_cohort, draw_spread, draw_timing):
        figures |= draw(record)
    return figures | draw_shuffles(record, arrays)

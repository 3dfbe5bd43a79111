"""Reports: a pure function of a record and the arrays beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.record import read_arrays, write_atomically
from pfactor_bench.report.comparison import comparison_is_drawn, draw_comparison
from pfactor_bench.report.figure import draw_figure
from pfactor_bench.report.ladder import ladder_is_drawn
from pfactor_bench.report.ladder_figure import draw_ladder
from pfactor_bench.report.markdown import report_text

if TYPE_CHECKING:
    from pathlib import Path

    from pfactor_bench.record import Record

__all__ = ["render"]


def render(record: Record, folder: Path) -> Path:
    """Write ``figure.svg``, ``figure.png`` and ``report.md`` into `folder`.

    Where there are simple predictors or several regimes, ``ladder.svg`` and ``ladder.png`` too;
    with several regimes, ``comparison.svg`` and ``comparison.png``.

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
    figures = draw_figure(record, read_arrays(folder))
    if ladder_is_drawn(record):
        figures |= draw_ladder(record)
    if comparison_is_drawn(record):
        figures |= draw_comparison(record)
    for name, content in figures.items():
        write_atomically(folder / name, content)
    path = folder / "report.md"
    write_atomically(path, report_text(record).encode())
    return path

"""Reports: a pure function of a record and the arrays beside it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from pfactor_bench.files import write_atomically
from pfactor_bench.records.record import read_arrays
from pfactor_bench.report.figures.comparison import draw_comparison
from pfactor_bench.report.figures.figure import draw_figure
from pfactor_bench.report.figures.ladder_figure import draw_ladder
from pfactor_bench.report.figures.people_figures import draw_cohort, draw_split
from pfactor_bench.report.figures.timing import draw_timing
from pfactor_bench.report.markdown import report_text
from pfactor_bench.report.sections.comparison import comparison_is_drawn
from pfactor_bench.report.sections.ladder import ladder_is_drawn
from pfactor_bench.report.sections.shuffles import draw_shuffles
from pfactor_bench.report.sections.spread import draw_spread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from pfactor_bench.records.record import Record

    Arrays = Mapping[str, NDArray[Any]]

__all__ = ["draw_figures", "draw_figures_side_by_side", "render"]


def draw_figures(record: Record, arrays: Arrays) -> dict[str, bytes]:
    """Return every figure of a report as SVG and PNG, by file name.

    Parameters
    ----------
    record, arrays
        What to show, and the arrays beside it.
    """
    return draw_figure(record, arrays) | _smaller_figures(record, arrays)


def draw_figures_side_by_side(record: Record, arrays: Arrays) -> dict[str, bytes]:
    """Return what `draw_figures` does, the largest figure drawn by a second process meanwhile.

    For a program that does nothing else: the second process begins as a copy of this one, which
    must not be in the middle of anything. Where there is one core, or copies are not safe, one
    process draws all.
    """
    if sys.platform != "linux" or len(os.sched_getaffinity(0)) == 1:
        return draw_figures(record, arrays)
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Imported once, before there are two.
    import matplotlib.backends.backend_agg
    import matplotlib.backends.backend_svg
    import matplotlib.figure  # noqa: F401

    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as second:
        largest = second.submit(draw_figure, record, arrays)
        smaller = _smaller_figures(record, arrays)
        return largest.result() | smaller


def render(
    record: Record,
    folder: Path,
    *,
    draw: Callable[[Record, Arrays], Mapping[str, bytes]] = draw_figures,
) -> Path:
    """Write ``report.md`` and its figures, each as SVG and PNG, into `folder`.

    ``figure`` and ``split`` are always drawn; ``ladder``, ``comparison``, ``cohort``, ``shuffles``,
    ``spread`` and ``timing`` where the record holds what they show.

    Parameters
    ----------
    record
        What to show.
    folder
        Where it goes, and where the record's arrays stand.
    draw
        Draws the figures: `draw_figures` or `draw_figures_side_by_side`.

    Returns
    -------
    Path
        Of the report.
    """
    for name, content in draw(record, read_arrays(folder)).items():
        write_atomically(folder / name, content)
    path = folder / "report.md"
    write_atomically(path, report_text(record).encode())
    return path


def _smaller_figures(record: Record, arrays: Arrays) -> dict[str, bytes]:
    figures: dict[str, bytes] = {}
    if ladder_is_drawn(record):
        figures |= draw_ladder(record)
    if comparison_is_drawn(record):
        figures |= draw_comparison(record)
    for draw in (draw_split, draw_cohort, draw_spread, draw_timing):
        figures |= draw(record)
    return figures | draw_shuffles(record, arrays)

"""Reports: a pure function of a record and the arrays beside it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pfactor_bench.files import write_atomically
from pfactor_bench.records.record import read_arrays
from pfactor_bench.report.sections import all_sections
from pfactor_bench.report.text import paragraphs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pfactor_bench.records.record import Record
    from pfactor_bench.report.section import Arrays

__all__ = ["draw_figures", "draw_figures_side_by_side", "render", "report_text"]

#: Which figure takes as long to draw as all the others.
_LARGEST = "figure"


def report_text(record: Record) -> str:
    """Return the report of a record as GitHub-flavoured Markdown.

    Parameters
    ----------
    record
        What to report. Of two records that differ only in when, where and how fast they were made,
        the texts differ only in the sections Timing and Provenance.
    """
    return paragraphs(*(section.shown(record) for section in all_sections())) + "\n"


def draw_figures(record: Record, arrays: Arrays) -> dict[str, bytes]:
    """Return every figure of a report as SVG and PNG, by file name.

    Parameters
    ----------
    record, arrays
        What to show, and the arrays beside it.
    """
    return _draw_largest(record, arrays) | _draw_smaller(record, arrays)


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
        largest = second.submit(_draw_largest, record, arrays)
        smaller = _draw_smaller(record, arrays)
        return largest.result() | smaller


def render(
    record: Record,
    folder: Path,
    *,
    draw: Callable[[Record, Arrays], Mapping[str, bytes]] = draw_figures,
) -> Path:
    """Write ``report.md`` and its figures, each as SVG and PNG, into `folder`.

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


def _draw_largest(record: Record, arrays: Arrays) -> dict[str, bytes]:
    return _drawn(record, arrays, lambda file: file == _LARGEST)


def _draw_smaller(record: Record, arrays: Arrays) -> dict[str, bytes]:
    return _drawn(record, arrays, lambda file: file != _LARGEST)


def _drawn(record: Record, arrays: Arrays, chosen: Callable[[str], bool]) -> dict[str, bytes]:
    figures = (section.figure for section in all_sections())
    return {
        name: content
        for figure in figures
        if figure is not None and chosen(figure.file)
        for name, content in figure.draw(record, arrays).items()
    }

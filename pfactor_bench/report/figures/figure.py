"""The 3-panel figure: how it learned, what it predicts for subjects, its saliency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pfactor_bench.report.facts import regimes
from pfactor_bench.report.figures.curves import draw_training
from pfactor_bench.report.figures.panels import Source, draw_saliency, draw_subjects
from pfactor_bench.report.figures.sheet import Drawing
from pfactor_bench.report.figures.style import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from pfactor_bench.records.record import Record
    from pfactor_bench.report.section import Arrays

# Inches. A report's column is about ten inches wide, so points on the page are points in here.
_WIDTH = 10.4
_HEADING = 0.34
_LINES = 0.98
_PLOT = 2.5
_BELOW = 0.85
_ROW = _HEADING + _LINES + _PLOT + _BELOW
_STRIP = 0.55
_STRIP_GAP = 0.14
_LINE = 0.16
_TITLE = 11


@dataclass(frozen=True, slots=True)
class _Page:
    """Where things stand on the page, in inches from its left and top edges."""

    figure: Figure
    height: float

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        bottom = self.height - top - height
        return self.figure.add_axes(
            (left / _WIDTH, bottom / self.height, width / _WIDTH, height / self.height)
        )

    def write(
        self,
        left: float,
        top: float,
        text: str,
        *,
        size: float | None = None,
        weight: str = "normal",
    ) -> None:
        self.figure.text(
            left / _WIDTH, 1 - top / self.height, text, va="top", size=size, weight=weight
        )


def draw(record: Record, arrays: Arrays) -> Drawing:
    """Draw one row of three panels per regime.

    Parameters
    ----------
    record
        Whose figure it is.
    arrays
        The arrays beside it, as `pfactor_bench.measurements.held_out.pooled_arrays` returns them.
    """
    from matplotlib.figure import Figure

    names = list(regimes(record))
    height = _ROW * len(names)
    page = _Page(Figure(figsize=(_WIDTH, height)), height)
    for row, regime in enumerate(names):
        _draw_row(page, row * _ROW, Source(record, arrays, regime))
    return Drawing(page.figure, record.suite["title"])


def _draw_row(page: _Page, top: float, source: Source) -> None:
    model = label(regimes(source.record)[source.regime][0]["model"], limit=40)
    page.write(0.12, top + 0.1, f"{label(source.regime, limit=40)} · {model}", weight="bold")
    plots = top + _HEADING + _LINES
    curves = _PLOT - _STRIP - _STRIP_GAP
    errors = page.axes(0.6, plots, 2.1, curves)
    correlation = page.axes(0.6, plots + curves + _STRIP_GAP, 2.1, _STRIP)
    subjects = page.axes(4.15, plots, _PLOT, _PLOT)
    saliency, bar = page.axes(8.05, plots, 1.65, _PLOT), page.axes(9.76, plots, 0.09, _PLOT)
    panels = (
        (0.6, "Training", draw_training(errors, correlation, source)),
        (4.15, "Held-out subjects", draw_subjects(subjects, source)),
        (8.05, "Saliency (mean absolute gradient)", draw_saliency(saliency, bar, source)),
    )
    for left, title, lines in panels:
        page.write(left, top + _HEADING, title, weight="bold", size=_TITLE)
        for row, line in enumerate(lines):
            page.write(left, top + _HEADING + 0.24 + row * _LINE, line)
    subjects.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.17),
        ncols=6,
        frameon=False,
        handletextpad=0.1,
        columnspacing=0.9,
    )

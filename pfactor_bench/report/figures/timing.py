"""How fast training was, as a picture."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from pfactor_bench.report.figures import style
from pfactor_bench.report.figures.sheet import Sheet
from pfactor_bench.report.figures.strips import ROW, draw_strips
from pfactor_bench.report.sections.timing import speeds

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record
    from pfactor_bench.report.section import Arrays

_NAMES = 2.6
_NUMBERS = 1.9


def draw(record: Record, _arrays: Arrays) -> Sheet:
    """Draw windows per second, a row per regime and device, a dot per training."""
    # Not by name: two long names may look the same once they are cut.
    strips = [
        (f"{style.label(regime, limit=26)}, {style.label(device, limit=12)}", values)
        for (regime, device), values in speeds(record).items()
    ]
    sheet = Sheet(
        "Training speed on this machine",
        "dot: training in one fold from one seed; bar: median",
        plot=ROW * len(strips) + 0.2,
    )
    axes = sheet.axes(_NAMES, right=_NUMBERS)
    draw_strips(
        axes, strips, numbers=lambda values: f"median {median(values):,.0f} of {len(values):,}"
    )
    axes.set_xlabel("windows per second")
    return sheet

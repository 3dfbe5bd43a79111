"""Where the uncertainty of the error comes from: subjects, seeds, folds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.report.facts import regimes, value_of
from pfactor_bench.report.section import Figure, Section
from pfactor_bench.report.text import md, plain, table

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record
    from pfactor_bench.report.text import Markdown
    from pfactor_bench.types import Measurement

_HOW_TO_READ = md(
    "Of the mean squared error over subjects, by analysis of variance. Subjects × seed is what a "
    "seed changes for one subject and not for the next: more subjects make it smaller, too. A "
    "source whose estimate lies below 0 is given as 0.000; with few subjects or seeds a large "
    "source may look like none, and these numbers are no reason to do with fewer of either."
)


def parts_of_error(record: Record) -> list[tuple[str, Measurement]]:
    """Return what each source adds to the error of each regime, and whose it is."""
    return [
        (regime, found)
        for regime in regimes(record)
        for found in record.measurements
        if found.name.startswith(f"{regime}/variance/")
    ]


def source_of(found: Measurement) -> str:
    """Return the name of a source."""
    return found.name.rpartition("/")[2]


def _text(record: Record) -> list[Markdown]:
    rows = [
        [regime, source_of(found), value_of(found), found.missing_because or ""]
        for regime, found in parts_of_error(record)
    ]
    headers = ["regime", "source", "standard error it adds", ""]
    return [
        FIGURE.shown(record, "What each source alone adds to the standard error."),
        table(headers, rows),
        _HOW_TO_READ,
    ]


def _alt_text(record: Record) -> str:
    known = [(regime, found) for regime, found in parts_of_error(record) if found.value is not None]
    rows = "; ".join(
        f"{plain(regime)}, {plain(source_of(found))} {value_of(found)}" for regime, found in known
    )
    regime, most = max(known, key=lambda part: part[1].value or 0.0)
    return (
        f"Standard error of the mean squared error by source. The most comes from "
        f"{plain(source_of(most))} in {plain(regime)}. {rows}."
    )


FIGURE = Figure(
    file="variance",
    module="variance_components",
    alt=_alt_text,
    is_drawn=lambda record: any(found.value is not None for _, found in parts_of_error(record)),
)
SECTION = Section(
    order=90,
    heading="Where the uncertainty comes from",
    text=_text,
    is_shown=lambda record: bool(parts_of_error(record)),
    figure=FIGURE,
)

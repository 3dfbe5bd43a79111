"""What a section of a report is: one object, in a file of its own in `report/sections/`.

A section says where it stands, when it is shown, what it says, and what it shows. A module named
like it in `pfactor_bench.report.figures` draws the picture, and is imported only for drawing.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

from pfactor_bench.report.text import Markdown, md, paragraphs, picture

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from pfactor_bench.records.record import Record

    #: Those beside a record, by name.
    Arrays: TypeAlias = Mapping[str, NDArray[Any]]


def _always(_record: Record) -> bool:
    return True


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """The picture of a section.

    Parameters
    ----------
    file
        Name of its files, without the ending.
    module
        Of `pfactor_bench.report.figures`, whose ``draw(record, arrays)`` returns a
        `pfactor_bench.report.figures.sheet.Drawing`, or None where the arrays hold too little.
    alt
        Returns what it shows, for a reader who cannot see it; plain text, not escaped.
    is_drawn
        Returns whether the record holds what it shows.
    """

    file: str
    module: str
    alt: Callable[[Record], str]
    is_drawn: Callable[[Record], bool] = _always

    def shown(self, record: Record, caption: str) -> Markdown:
        """Return the picture above its caption; nothing where it is not drawn."""
        if not self.is_drawn(record):
            return Markdown()
        return picture(self.file, alt=self.alt(record), caption=caption)

    def draw(self, record: Record, arrays: Arrays) -> dict[str, bytes]:
        """Return its files by name, SVG and PNG: the same bytes for the same record."""
        if not self.is_drawn(record):
            return {}
        figures = "pfactor_bench.report.figures"
        with import_module(f"{figures}.style").house_style():
            drawing = import_module(f"{figures}.{self.module}").draw(record, arrays)
            return drawing.encode(self.file, description=self.alt(record)) if drawing else {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A section of a report.

    Parameters
    ----------
    order
        Where it stands: sections of smaller numbers come first.
    heading
        Without one, the text stands by itself.
    text
        Returns its paragraphs; empty ones are left out.
    is_shown
        Returns whether the record holds what the section is about.
    figure
        Its picture, which `text` puts in its place.
    """

    order: int
    heading: str = ""
    text: Callable[[Record], Sequence[Markdown]]
    is_shown: Callable[[Record], bool] = _always
    figure: Figure | None = None

    def shown(self, record: Record) -> Markdown:
        """Return the section as Markdown; nothing where it is not shown."""
        if not self.is_shown(record):
            return Markdown()
        heading = md("## {}", self.heading) if self.heading else ""
        return paragraphs(heading, *self.text(record))

"""Whatever data are called, a report has the structure that it has without them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hostile import PAYLOADS, spoil, text, with_losses
from hypothesis import HealthCheck, given, settings
from markdown_it import MarkdownIt

from pfactor_bench.report import report_text
from pfactor_bench.report.sections.figure import FIGURE

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record

#: As GitHub reads it, HTML included: a tag that came through would show as one.
_GITHUB = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def structure(report: str) -> list[tuple[str, str]]:
    """Return every block and inline element of a report, without its words."""
    found = []
    for block in _GITHUB.parse(report):
        found.append((block.type, block.tag))
        found += [(part.type, part.tag) for part in block.children or () if part.type != "text"]
    return found


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(hostile=text)
def test_report_keeps_its_structure(record: Record, hostile: str) -> None:
    """No heading, row, link, image, emphasis or tag comes or goes."""
    lossy = with_losses(record)
    assert structure(report_text(lossy)) == structure(report_text(spoil(lossy, hostile)))


@pytest.mark.parametrize("hostile", PAYLOADS)
def test_report_has_no_control_characters(record: Record, hostile: str) -> None:
    """Printed on a terminal it moves no cursor and hides no text."""
    assert not set("\x1b\x00\x07\u202e\u2066\u200f\x85") & set(report_text(spoil(record, hostile)))


@pytest.mark.parametrize("hostile", ["".join(PAYLOADS[:6]), "".join(PAYLOADS[6:])])
def test_figure_is_an_image_and_nothing_else(record: Record, arrays, hostile: str) -> None:
    """An SVG without script, link or handler, whatever it was drawn from."""
    spoiled = spoil(record, hostile)
    regimes = dict(zip([c["regime"] for c in record.cases], spoiled.cases, strict=True))
    renamed = {
        name.replace(old, case["regime"]): values
        for old, case in regimes.items()
        for name, values in arrays.items()
    }
    root = ET.fromstring(FIGURE.draw(spoiled, renamed)["figure.svg"])  # noqa: S314
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    attributes = [pair for element in root.iter() for pair in element.attrib.items()]
    assert not {"script", "foreignObject", "a", "iframe"} & tags
    assert [key for key, _ in attributes if key.startswith("on")] == []
    links = [value for key, value in attributes if key.endswith("href")]
    assert [link for link in links if not link.startswith(("#", "data:image/png;"))] == []

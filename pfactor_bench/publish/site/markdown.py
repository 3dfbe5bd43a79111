"""A report's Markdown as HTML that needs nothing else: no raw HTML, no address but its own."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.renderer import RendererHTML
    from markdown_it.token import Token

#: What a link or image may lead to: a heading of the page, or a file beside it.
_OWN = re.compile(r"#[\w-]*|[A-Za-z0-9][\w.-]*")


def report_html(text: str) -> str:
    """Return a report as HTML, with an anchor at every heading and tables that can be scrolled.

    Links lead to headings of the page and to files beside it only; any other stays text.
    """
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.validateLink = lambda url: _OWN.fullmatch(url) is not None  # type: ignore[method-assign]
    parser.add_render_rule("table_open", _open_table)
    parser.add_render_rule("table_close", _close_table)
    tokens = parser.parse(text)
    _anchor_headings(tokens)
    _align_cells(tokens)
    _plain_empty_headers(tokens)
    _scrolling_figures(tokens)
    rendered: str = parser.renderer.render(tokens, parser.options, {})
    return rendered


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _anchor_headings(tokens: Sequence[Token]) -> None:
    used: dict[str, int] = {}
    for opening, inline in itertools.pairwise(tokens):
        if opening.type != "heading_open":
            continue
        words = "".join(child.content for child in inline.children or ())
        anchor = slug(words) or "section"
        again = used.get(anchor, 0)
        used[anchor] = again + 1
        opening.attrSet("id", f"{anchor}-{again}" if again else anchor)


def _align_cells(tokens: Sequence[Token]) -> None:
    """Turn the styles of cells, which a strict content security policy forbids, into classes."""
    for token in tokens:
        if token.type in ("th_open", "td_open"):
            style = str(token.attrs.pop("style", ""))
            if style.endswith("right"):
                token.attrSet("class", "right")


def _plain_empty_headers(tokens: Sequence[Token]) -> None:
    """Turn a header without words into a plain cell: it would head its column with nothing."""
    for opening, inline, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opening.type == "th_open" and not inline.content.strip():
            opening.tag = closing.tag = "td"


def _scrolling_figures(tokens: Sequence[Token]) -> None:
    """Turn a paragraph of one image into a region that scrolls: a phone is too narrow for it."""
    number = 0
    for opening, inline, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        children = inline.children or ()
        if opening.type != "paragraph_open" or [one.type for one in children] != ["image"]:
            continue
        number += 1
        opening.tag = closing.tag = "div"
        opening.attrs |= {
            "class": "scroll figure",
            "role": "region",
            "aria-label": f"Figure {number}",
            "tabindex": "0",
        }


def _open_table(
    _renderer: RendererHTML, tokens: Sequence[Token], index: int, _options: object, _env: object
) -> str:
    # A region that scrolls must be reachable by keyboard, and needs a name of its own.
    number = sum(token.type == "table_open" for token in tokens[: index + 1])
    return f'<div class="scroll" role="region" aria-label="Table {number}" tabindex="0"><table>\n'


def _close_table(*_: object) -> str:
    return "</table></div>\n"

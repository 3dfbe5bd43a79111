"""The little HTML that a notebook shows of a value: every text in it is escaped here.

A function takes plain values and returns `Html`; whatever is not `Html` is text and is escaped, so
that a subject's name cannot open a tag, and a caller cannot forget it.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Html", "card", "folded", "listing", "rows", "text"]

#: Longer text is cut: a notebook shows a result, it does not store it.
_LIMIT = 2_000


class Html(str):
    """Markup that this module made: it is not escaped again."""

    __slots__ = ()


def text(value: object) -> Html:
    """Return a value as text that opens no tag and hides or reorders nothing."""
    if isinstance(value, Html):
        return value
    shown = "".join(one if one.isprintable() else " " for one in str(value))
    return Html(escape(shown if len(shown) <= _LIMIT else f"{shown[: _LIMIT - 1]}…"))


def card(title: object, *parts: object) -> Html:
    """Return a title in bold with parts below it, each in a paragraph of its own."""
    below = "".join(f"<div>{text(part)}</div>" for part in parts if part)
    return Html(f"<div><b>{text(title)}</b>{below}</div>")


def rows(cells: Iterable[Sequence[object]], headers: Sequence[object] = ()) -> Html:
    """Return a table; empty where it would have no rows."""
    body = "".join(
        "<tr>" + "".join(f'<td style="text-align:left">{text(cell)}</td>' for cell in row) + "</tr>"
        for row in cells
    )
    if not body:
        return Html("")
    head = "".join(f'<th style="text-align:left">{text(header)}</th>' for header in headers)
    return Html(f"<table>{head and f'<thead><tr>{head}</tr></thead>'}{body}</table>")


def listing(items: Iterable[object]) -> Html:
    """Return a list of points; empty where there are none."""
    body = "".join(f"<li>{text(item)}</li>" for item in items)
    return Html(f"<ul>{body}</ul>" if body else "")


def folded(summary: object, part: object) -> Html:
    """Return a part that is shown when its summary is clicked; empty where there is none."""
    shown = f"<details><summary>{text(summary)}</summary>{text(part)}</details>"
    return Html(shown if part else "")

"""Words and numbers from data, made safe to print.

A report is made of `Markdown`, and the only ways to make any are here. Words of ours are a template
of `md`; whatever stands in its places, in a table's cells or in a list is escaped, unless it is
`Markdown` already. So nothing that a suite, a cohort or an exception supplied has to be remembered.
In a figure it passes through `plain`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence

#: Longer text is cut: a report is read, a record is searched.
LIMIT = 500

_MOST_NAMES = 20

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_MARKDOWN = re.compile(r"[\\`*\[\]~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}
_BLOCK_START = re.compile(r"^(?:[-+](?= |$|[- ]+$)|#(?=#{0,5}(?: |$))|=(?==*$)|\d+(?=[.)](?: |$)))")
#: GitHub turns these into links and mentions without any markup; an invisible joiner stops it.
_LINK_LIKE = re.compile(
    r"(?<=:)(?=//)|(?<=@)|(?<=www)(?=\.)|(?<=mailto)(?=:)|(?<=xmpp)(?=:)", re.IGNORECASE
)
_WORD_JOINER = "\u2060"
_NUMERIC = re.compile(r"[-−]?\d|–$|$")


class Markdown(str):
    """Text that means to Markdown what it should; `escape` leaves it as it is."""

    __slots__ = ()


def plain(text: object, *, limit: int = LIMIT) -> str:
    """Return `text` on one line, without control characters, at most `limit` characters long.

    Terminal sequences and characters that reorder or hide text (Unicode categories C and Z except
    the plain space) are removed or become spaces.
    """
    visible = "".join(
        " " if character.isspace() or category.startswith("Z") else character
        for character in _ANSI.sub("", str(text))
        if character.isspace() or not (category := unicodedata.category(character)).startswith("C")
    )
    line = " ".join(visible.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def escape(text: object, *, limit: int = LIMIT) -> Markdown:
    """Return `text` so that it means nothing to Markdown: not in a line, not in a table's cell.

    What is `Markdown` already comes back unchanged. All other cannot end a cell or a line, open a
    tag, a link, emphasis, code or mathematics, or begin a block. Escaping comes after cutting, so
    that no escape is cut in half.
    """
    if isinstance(text, Markdown):
        return text
    line = _LINK_LIKE.sub(_WORD_JOINER, plain(text, limit=limit))
    line = "".join(_ENTITIES.get(character, character) for character in line)
    line = _MARKDOWN.sub(lambda found: f"\\{found[0]}", line)
    return Markdown(_BLOCK_START.sub(_escape_block_start, line))


def md(template: str, /, *values: object) -> Markdown:
    """Return words of ours with `values` in their places, each escaped; numbers take a format.

    Parameters
    ----------
    template
        As `str.format` takes it; a literal, never made from data.
    *values
        Of its places ``{}``, in order.
    """
    safe = (one if isinstance(one, (int, float)) else escape(one) for one in values)
    return Markdown(template.format(*safe))


def joined(separator: str, parts: Iterable[object]) -> Markdown:
    """Return `parts`, each escaped, with words of ours between them."""
    return Markdown(separator.join(map(escape, parts)))


def paragraphs(*parts: object) -> Markdown:
    """Return what there is of `parts`, each a block of its own."""
    return joined("\n\n", filter(None, parts))


def _escape_block_start(found: re.Match[str]) -> str:
    return f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}"


def code_block(lines: list[str], *, language: str = "sh") -> Markdown:
    """Return commands in a fence that none of them can close."""
    body = "\n".join(plain(line, limit=2000) for line in lines)
    longest = max((len(run) for run in re.findall("`+", body)), default=0)
    fence = "`" * max(3, longest + 1)
    return Markdown(f"{fence}{language}\n{body}\n{fence}")


def bullets(lines: Sequence[object]) -> Markdown:
    """Return a list."""
    return joined("\n", (md("- {}", line) for line in lines))


def table(headers: Sequence[object], rows: Sequence[Sequence[object]]) -> Markdown:
    """Return a table, columns of numbers aligned right."""
    from tabulate import tabulate

    names, *cells = [[escape(cell) for cell in row] for row in (headers, *rows)]
    sides = [
        "right" if all(_NUMERIC.match(cell) for cell in column) else "left"
        for column in zip(*cells, strict=True)
    ]
    return Markdown(
        tabulate(cells, headers=names, tablefmt="pipe", disable_numparse=True, colalign=sides)
    )


def picture(name: str, *, alt: str, caption: str) -> Markdown:
    """Return a report's figure with its caption.

    Parameters
    ----------
    name
        Of its files, without the ending.
    alt
        What it shows, for a reader who cannot see it; plain text.
    caption
        What stands below it.
    """
    return Markdown(
        f"![{escape(alt, limit=2000)}]({name}.png)\n\n"
        f"*{escape(caption)} [As vector graphics]({name}.svg).*"
    )


def name_list(names: Sequence[str]) -> Markdown:
    """Return names, the first ones only where there are many."""
    shown = joined(", ", (escape(name, limit=60) for name in names[:_MOST_NAMES]))
    left = len(names) - _MOST_NAMES
    return md("{} and {:,} more", shown, left) if left > 0 else shown


def value_in_words(value: object) -> str:
    """Return a JSON value as a reader would write it."""
    if value is None:
        return "not known"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def number(value: float) -> str:
    """Return a number with three decimals, or four digits where those would not do."""
    if value != 0 and not 0.0005 <= abs(value) < 100:  # noqa: PLR2004 - what three decimals show
        return f"{value:.4g}" if abs(value) >= 1 else f"{value:.1e}"
    return f"{value:.3f}"


def probability(value: float) -> str:
    """Return a probability in per cent."""
    return "below 0.1%" if value < 0.001 else f"{100 * value:.2g}%"  # noqa: PLR2004


def count(n: int, singular: str, plural: str | None = None) -> str:
    """Return a number with its noun, such as ``4 subjects``."""
    return f"{n:,} {singular if n == 1 else plural or singular + 's'}"

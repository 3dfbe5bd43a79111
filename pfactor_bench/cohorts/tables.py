"""Tables read as text: nothing is guessed, and no cell can swallow another."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["PLAIN_NUMBER", "as_numbers", "decoded", "read_columns", "same_but_spelling"]

#: A number as subjects write one. ``01`` is a name, and ``1_000`` nothing.
PLAIN_NUMBER = re.compile(r"[+-]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)

#: Words for a gap in any column; ``none`` is one in a column of targets only.
_GAPS = frozenset({"", "n/a", "na", "nan", "null", "#n/a", "<na>"})


def read_columns(path: Path) -> dict[str, list[str]]:
    """Return a ``.tsv`` or ``.csv`` file's cells as text, by column.

    A TSV has no quoting, as BIDS says; a CSV has.

    Parameters
    ----------
    path
        UTF-8, with or without a byte order mark, or else Latin-1.

    Raises
    ------
    ValueError
        If there is no header, a column stands twice, or a row has more cells than the header.
    """
    text = io.StringIO(decoded(path.read_bytes()), newline=None)
    if path.suffix.lower() == ".tsv":
        reader = csv.reader(text, delimiter="\t", quoting=csv.QUOTE_NONE)
    else:
        reader = csv.reader(text, strict=True)
    try:
        rows = [[cell.strip() for cell in row] for row in reader]
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from error
    rows = [row for row in rows if any(row)]
    if not rows:
        raise ValueError("it is empty")
    header = _without_empty_end(rows[0])
    _check_header(header)
    for row in rows[1:]:
        if len(_without_empty_end(row)) > len(header):
            raise ValueError(
                f"the row of {row[0]!r} has {len(_without_empty_end(row))} cells, the header "
                f"{len(header)}"
            )
    cells = [row + [""] * (len(header) - len(row)) for row in rows[1:]]
    return {name: [row[at] for row in cells] for at, name in enumerate(header)}


def decoded(content: bytes) -> str:
    """Return text that is UTF-8, UTF-16 with a byte order mark, or else Latin-1.

    Raises
    ------
    ValueError
        If it holds NUL characters, as no text does.
    """
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return content.decode("utf-16")
    if b"\0" in content:
        raise ValueError("it holds NUL characters: save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def as_numbers(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column of text with its gaps missing, as numbers if all that is left are numbers."""
    known = column.where(~column.str.casefold().isin(_GAPS))
    given = known.dropna()
    if len(given) and given.map(lambda cell: bool(PLAIN_NUMBER.fullmatch(cell))).all():
        return pd.to_numeric(known)
    return known


def same_but_spelling(names: Iterable[str], others: Iterable[str]) -> list[tuple[str, str]]:
    """Return pairs of different names that differ in case or in leading zeros only."""
    spelt: dict[str, list[str]] = {}
    for name in others:
        spelt.setdefault(_bare(name), []).append(name)
    return [
        (name, other)
        for name in sorted(names)
        for other in sorted(spelt.get(_bare(name), ()))
        if name != other
    ]


def _bare(name: str) -> str:
    return re.sub(r"(?<!\d)0+(?=\d)", "", name.casefold())


def _without_empty_end(row: list[str]) -> list[str]:
    return row[: max((at for at, cell in enumerate(row, 1) if cell), default=0)]


def _check_header(header: list[str]) -> None:
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise ValueError(f"column {twice[0]!r} stands twice in its header: keep one")
    quoted = [name for name in header if name.startswith('"') and name.endswith('"')]
    if quoted:
        raise ValueError(f"column {quoted[0]} stands in quotes, which a TSV does not have")

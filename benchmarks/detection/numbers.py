"""Numbers in README and documents, taken from the record instead of being typed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from benchmarks.detection.report import headline
from pfactor_bench.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["filled"]

_BLOCK = re.compile(r"(<!-- detection -->\n).*?(<!-- /detection -->)", re.DOTALL)


def filled(text: str, record: Mapping[str, Any]) -> str:
    """Return a document whose block between ``detection`` comments says what the record says.

    Raises
    ------
    RecordError
        If there is no such block.
    """
    if not _BLOCK.search(text):
        raise RecordError(
            "the document has no block '<!-- detection -->' … '<!-- /detection -->' to be filled"
        )
    return _BLOCK.sub(lambda match: f"{match[1]}{headline(record)}\n{match[2]}", text)

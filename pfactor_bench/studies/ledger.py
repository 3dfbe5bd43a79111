"""A ledger of test-set uses: one line for each time held-out people were scored.

A test set wears out by being looked at. The ledger is a text file that is only ever appended to, so
that it can be kept under version control and merged.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pfactor_bench.errors import RecordError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["enter_use", "read_ledger"]


def enter_use(path: Path, *, held_out: str, setting: str) -> None:
    """Append one use.

    Parameters
    ----------
    path
        The ledger's file.
    held_out
        Who was scored: `pfactor_bench.checks.reported.declared.held_out_fingerprint`.
    setting
        A hash or name of what was scored on them.
    """
    line = json.dumps({"held_out": held_out, "setting": setting})
    with path.open("ab") as stream:
        # An editor or a merge may have left the last line without its end.
        is_whole = not stream.tell() or path.read_bytes().endswith(b"\n")
        stream.write((b"" if is_whole else b"\n") + f"{line}\n".encode())


def read_ledger(path: Path) -> tuple[dict[str, str], ...]:
    """Return all uses, oldest first; none where there is no file yet.

    Raises
    ------
    RecordError
        If a line is not an entry; the message names it.
    """
    if not path.exists():
        return ()
    entries = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            entry = json.loads(line)
            entries.append({"held_out": str(entry["held_out"]), "setting": str(entry["setting"])})
        except (ValueError, KeyError, TypeError) as error:
            raise RecordError(
                f"line {number} of the ledger {str(path)!r} is no entry: {line[:60]!r}"
            ) from error
    return tuple(entries)

"""The ledger of evaluations: which settings were evaluated on which held-out subjects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pfactor_bench.checks.reported.declared import held_out_fingerprint
from pfactor_bench.errors import RecordError
from pfactor_bench.files import write_atomically
from pfactor_bench.models.identity import digest

if TYPE_CHECKING:
    from pathlib import Path

    from pfactor_bench.config import Suite
    from pfactor_bench.types import Cohort, Split

__all__ = ["EVALUATIONS_FILE", "evaluations", "keep_evaluations"]

EVALUATIONS_FILE = "evaluations.jsonl"

#: Keys of a suite that change no prediction, but for rounding.
_SAID_ONLY = frozenset(
    {"name", "title", "question", "claims", "saliency", "threads", "engine", "quick"}
)


def evaluations(
    suite: Suite, cohort: Cohort, split: Split, out: Path | None
) -> tuple[dict[str, str], ...]:
    """Return the evaluations kept in a folder and, last, this one unless it is among them.

    Parameters
    ----------
    suite, cohort, split
        What is evaluated, and on whom.
    out
        The report's folder; None keeps nothing.

    Raises
    ------
    RecordError
        If the folder's ledger cannot be read.
    """
    trained = {key: value for key, value in suite.definition.items() if key not in _SAID_ONLY}
    this = {"held_out": held_out_fingerprint(cohort, split), "setting": digest(trained)}
    kept = () if out is None else _read(out / EVALUATIONS_FILE)
    return kept if this in kept else (*kept, this)


def keep_evaluations(entries: tuple[dict[str, str], ...], out: Path) -> None:
    """Write a ledger, a line an evaluation."""
    lines = "".join(f"{json.dumps(entry)}\n" for entry in entries)
    write_atomically(out / EVALUATIONS_FILE, lines.encode())


def _read(path: Path) -> tuple[dict[str, str], ...]:
    if not path.exists():
        return ()
    try:
        entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return tuple({key: str(one[key]) for key in ("held_out", "setting")} for one in entries)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordError(
            f"cannot read the evaluations {str(path)!r} ({error}): mend the line, or remove the "
            f"file, which forgets how often these subjects were evaluated on"
        ) from error

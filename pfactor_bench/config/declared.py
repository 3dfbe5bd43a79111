"""What was fixed before any result, read from a file of declarations (``--declare FILE``).

.. code-block:: yaml

    exclusions:
      excluded: {sub-07: flat channels}
      sha256: 3f5a…                       # as it was written down beforehand
      all_subjects: [sub-01, sub-02]      # optional: nobody else may be missing
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pfactor_bench.config.file import read_section
from pfactor_bench.config.parse import parse

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Exclusions", "read_exclusions"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Exclusions:
    """Who is left out of a cohort.

    Parameters
    ----------
    excluded
        Subject to reason.
    sha256
        The `digest` as it was written down before any result.
    all_subjects
        Every subject who was recruited; empty where only those excluded are listed.
    """

    excluded: dict[str, str]
    sha256: str = ""
    all_subjects: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The sha256 of who is left out and why."""
        return hashlib.sha256(json.dumps(self.excluded, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Keys:
    exclusions: Exclusions


def read_exclusions(path: Path) -> Exclusions:
    """Read the exclusions in a file of declarations.

    Raises
    ------
    ConfigError
        With file and line, if it is no such file; without a hash, with that of the list.
    """
    top = read_section(path, "declaration")
    exclusions = parse(top, _Keys).exclusions
    if not exclusions.sha256:
        raise top.values["exclusions"].error(
            f"exclusions has no 'sha256': that of the list is now "
            f"{exclusions.digest}; write it down where its date is kept, such "
            f"as a registration or a commit, and here"
        )
    return exclusions

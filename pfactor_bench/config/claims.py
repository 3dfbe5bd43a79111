"""The claims of a suite file."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from pfactor_bench.claims import check_claim
from pfactor_bench.config.file import FileSection, read_section
from pfactor_bench.errors import ConfigError
from pfactor_bench.types import Claim, Requirement

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pfactor_bench.config.keys import ClaimKeys


def make_claims(given: Sequence[ClaimKeys], top: FileSection) -> tuple[Claim, ...]:
    """Return the suite's claims; none is a fine number.

    Raises
    ------
    ConfigError
        With file and line, if two share an id or no measurement could decide one: see
        `pfactor_bench.claims.check_claim`.
    """
    claims = tuple(_claim(keys) for keys in given)
    ids = [claim.id for claim in claims]
    for claim, entry in zip(claims, top.values.get("claims", []), strict=True):
        if ids.count(claim.id) > 1:
            raise top.error(f"claim {claim.id!r} stands twice: give each its own id", "claims")
        try:
            check_claim(claim)
        except ConfigError as error:
            raise entry.error(str(error)) from error
    return claims


def misplaced_claim(path: Path, claim_id: str, message: str) -> ConfigError:
    """Return an error that points at a claim's id in its suite file, for what shows later."""
    top = read_section(path)
    for entry in top.values.get("claims", []):
        if isinstance(entry, FileSection) and entry.values.get("id") == claim_id:
            return entry.error(message, "id")
    return top.error(message, "claims")


def _claim(keys: ClaimKeys) -> Claim:
    return Claim(
        id=keys.id,
        text=keys.text,
        measurement=keys.measurement,
        requirement=Requirement(
            **{one.name: getattr(keys, one.name) for one in fields(Requirement)}
        ),
        level=keys.level,
    )

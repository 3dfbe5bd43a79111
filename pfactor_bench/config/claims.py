"""The claims of a suite file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.claims import check_claim
from pfactor_bench.config.file import Section, read_section
from pfactor_bench.errors import ConfigError
from pfactor_bench.types import Claim, Requirement

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["misplaced_claim", "read_claims"]

_REQUIREMENTS = ("above", "below", "near", "equals")


def read_claims(top: Section) -> tuple[Claim, ...]:
    """Return the suite's claims; none is a fine number.

    Raises
    ------
    ConfigError
        With file and line, if two share an id, a level is unknown, or no measurement could decide
        one: see `pfactor_bench.claims.check_claim`.
    """
    claims = tuple(_read_claim(top, entry) for entry in top.get("claims", list, default=[]))
    ids = [claim.id for claim in claims]
    for claim_id in ids:
        if ids.count(claim_id) > 1:
            raise top.error(f"claim {claim_id!r} stands twice: give each its own id", "claims")
    return claims


def misplaced_claim(path: Path, claim_id: str, message: str) -> ConfigError:
    """Return an error that points at a claim's id in its suite file, for what shows later."""
    top = read_section(path)
    for entry in top.get("claims", list, default=[]):
        if isinstance(entry, Section) and entry.values.get("id") == claim_id:
            return entry.error(message, "id")
    return top.error(message, "claims")


def _read_claim(top: Section, entry: object) -> Claim:
    if not isinstance(entry, Section):
        raise top.error(f"claim {entry!r} is no section: it needs 'id' and 'measurement'", "claims")
    entry.check_keys(["id", "text", "measurement", "level", *_REQUIREMENTS, "tolerance", "margin"])
    level = entry.get("level", str, default="report")
    if level not in {"gate", "report"}:
        raise entry.error(f"level is {level!r}: it is 'gate' or 'report'", "level")
    claim = Claim(
        id=entry.get("id", str),
        text=entry.get("text", str),
        measurement=entry.get("measurement", str),
        requirement=Requirement(
            **{name: entry.get(name, float, default=None) for name in _REQUIREMENTS},
            tolerance=entry.get("tolerance", float, default=0.0),
            margin=entry.get("margin", float, default=0.0),
        ),
        level=level,
    )
    try:
        check_claim(claim)
    except ConfigError as error:
        raise entry.error(str(error)) from error
    return claim

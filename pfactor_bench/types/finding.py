"""What a check found."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - pydantic reads the annotations
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["CheckStatus", "Finding", "Scalar"]

CheckStatus: TypeAlias = Literal["pass", "fail", "warn", "not_applicable", "skipped", "error"]
Scalar: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What one check found.

    Parameters
    ----------
    code
        The check's, ``"LK003"``.
    title
        What it looks for, in a line.
    kinds
        The leak kinds it covers.
    status
        ``pass``, ``fail``, ``warn``, ``not_applicable``, ``skipped`` or ``error``.
    explanation
        One or two sentences for a person.
    fix
        What to do about it; empty where nothing is wrong.
    evidence
        Rows that show it, the first ones only.
    n_evidence
        How many rows there were.
    seconds
        What the check cost.
    """

    code: str
    title: str
    kinds: tuple[int, ...]
    status: CheckStatus
    explanation: str
    fix: str = ""
    evidence: tuple[Mapping[str, Scalar], ...] = ()
    n_evidence: int = 0
    seconds: float = 0.0

"""What a check found."""

from __future__ import annotations

from collections.abc import Mapping  # pydantic reads the annotations
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
        The leak types it covers.
    status
        ``pass``, ``fail``, ``warn``, ``not_applicable``, ``skipped`` or ``error``.
    explanation
        One or two sentences for a subject.
    fix
        What to do about it; empty where nothing is wrong.
    evidence
        Rows that show it, the first ones only.
    n_evidence
        How many rows there were.
    seconds
        What the check cost.
    regime
        The regime of a suite that was audited; None for what was found in a whole run or study.
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
    regime: str | None = None

    @property
    def label(self) -> str:
        """The check's code, and in brackets the regime that was audited."""
        return self.code if self.regime is None else f"{self.code} ({self.regime})"

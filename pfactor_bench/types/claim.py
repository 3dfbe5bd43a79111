"""Claims and what became of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

__all__ = ["Claim", "ClaimLevel", "Requirement", "Verdict", "VerdictStatus"]

VerdictStatus: TypeAlias = Literal["holds", "fails", "inconclusive"]
ClaimLevel: TypeAlias = Literal["gate", "report"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Requirement:
    """What a claim asks of its measurement. Exactly one of the first four is set.

    Parameters
    ----------
    above, below
        The threshold that the whole interval has to clear.
    near
        A value that the whole interval has to stay within `margin` of: practical equivalence.
    equals, tolerance
        A reference value and the largest difference allowed: for reproductions, not for inference.
    margin
        What still counts as no difference, in the measurement's unit. It moves the threshold of
        `above` down and that of `below` up ("no worse than"), and is the half-width of `near`.
    """

    above: float | None = None
    below: float | None = None
    near: float | None = None
    equals: float | None = None
    tolerance: float = 0.0
    margin: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A sentence about one measurement that can be judged. It holds no data.

    Parameters
    ----------
    id
        Short and stable.
    text
        The sentence.
    measurement
        The name of the measurement it speaks of.
    requirement
        What must be true of it.
    level
        A ``gate`` fails the run; a ``report`` is written down.
    """

    id: str
    text: str
    measurement: str
    requirement: Requirement
    level: ClaimLevel = "report"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What became of a claim.

    Parameters
    ----------
    claim
        The claim's id.
    status
        ``holds``, ``fails`` or ``inconclusive``.
    level
        The claim's.
    explanation
        Why, in a sentence.
    subjects_needed
        How many subjects would settle an inconclusive claim with 80 % power if the measured value
        were the truth; None where no number would, or none can be given.
    """

    claim: str
    status: VerdictStatus
    level: ClaimLevel
    explanation: str = field(default="")
    subjects_needed: int | None = None

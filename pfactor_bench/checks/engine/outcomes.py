"""What a check function can answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pfactor_bench.types import CheckStatus, Scalar

__all__ = ["Outcome", "failed", "not_applicable", "passed", "undecided", "warned"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a check function returns; make one with `passed`, `failed`, `warned`, ...

    Parameters
    ----------
    status, explanation, evidence
        As in `pfactor_bench.types.Finding`; all rows of evidence.
    fix
        Where it can say more than the catalogue does.
    n_evidence
        How many rows there are, where `evidence` does not hold them all.
    """

    status: CheckStatus
    explanation: str
    fix: str = ""
    evidence: Sequence[Mapping[str, Scalar]] = ()
    n_evidence: int | None = None


def passed(explanation: str, evidence: Sequence[Mapping[str, Scalar]] = ()) -> Outcome:
    """Return that nothing was found, what was looked at, and maybe what was measured."""
    return Outcome(status="pass", explanation=explanation, evidence=evidence)


def failed(
    explanation: str,
    evidence: Sequence[Mapping[str, Scalar]] = (),
    *,
    fix: str = "",
    n_evidence: int | None = None,
) -> Outcome:
    """Return that a leak was found."""
    return Outcome(
        status="fail", explanation=explanation, evidence=evidence, fix=fix, n_evidence=n_evidence
    )


def warned(
    explanation: str, evidence: Sequence[Mapping[str, Scalar]] = (), *, fix: str = ""
) -> Outcome:
    """Return that something must be said, though it may be no leak."""
    return Outcome(status="warn", explanation=explanation, evidence=evidence, fix=fix)


def not_applicable(reason: str) -> Outcome:
    """Return that there was nothing to look at."""
    return Outcome(status="not_applicable", explanation=reason)


def undecided(
    explanation: str, evidence: Sequence[Mapping[str, Scalar]] = (), *, fix: str = ""
) -> Outcome:
    """Return that the check ran and could not decide, which is never a pass."""
    return Outcome(status="error", explanation=explanation, evidence=evidence, fix=fix)

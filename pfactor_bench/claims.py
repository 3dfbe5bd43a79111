"""Judging claims against measurements: no data, no training, no randomness."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.types import Claim, Measurement, Requirement, Verdict, VerdictStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MIN_SUBJECTS_TO_HOLD", "gate_failures", "judge", "required"]

#: With fewer people an interval is too unreliable to carry a claim, however narrow it looks.
MIN_SUBJECTS_TO_HOLD = 8


def judge(claims: Iterable[Claim], measurements: Iterable[Measurement]) -> tuple[Verdict, ...]:
    """Return one verdict per claim, in order.

    A claim about people holds only when the whole interval clears the threshold, and fails only
    when the whole interval lies on the wrong side; in between it is inconclusive.
    """
    by_name = {measurement.name: measurement for measurement in measurements}
    return tuple(_judge_one(claim, by_name.get(claim.measurement)) for claim in claims)


def gate_failures(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Return the verdicts that must fail a run: gates that do not hold."""
    return tuple(v for v in verdicts if v.level == "gate" and v.status != "holds")


def required(requirement: Requirement) -> str:
    """Return a requirement in the few words of a table cell."""
    if requirement.equals is not None:
        return f"= {requirement.equals:g} ± {requirement.tolerance:g}"
    if requirement.above is not None:
        return f"> {requirement.above:g}"
    return f"< {requirement.below:g}"


def _judge_one(claim: Claim, measurement: Measurement | None) -> Verdict:
    if measurement is None:
        status, why = _unmeasured(claim)
    elif measurement.value is None:
        status, why = "inconclusive", f"no value: {measurement.missing_because}"
    elif claim.requirement.equals is not None:
        status, why = _reproduced(measurement.value, claim.requirement)
    elif measurement.n_subjects is None:
        status, why = _exact(measurement.value, claim.requirement)
    else:
        status, why = _inferred(measurement, claim.requirement)
    return Verdict(claim=claim.id, status=status, level=claim.level, explanation=why)


def _unmeasured(claim: Claim) -> tuple[VerdictStatus, str]:
    return "inconclusive", f"{claim.measurement} was not measured"


def _reproduced(value: float, requirement: Requirement) -> tuple[VerdictStatus, str]:
    assert requirement.equals is not None  # noqa: S101 - the caller looked
    difference = abs(value - requirement.equals)
    # The reference is a printed decimal: half a unit in its last place may be a rounding of floats.
    if difference <= requirement.tolerance * (1 + 1e-9):
        return "holds", f"differs from the reference by {difference:.2g}"
    return "fails", f"differs from the reference by {difference:.2g}"


def _exact(value: float, requirement: Requirement) -> tuple[VerdictStatus, str]:
    good = _clears(value, requirement)
    return ("holds" if good else "fails"), "a count or a computed quantity, not an estimate"


def _inferred(measurement: Measurement, requirement: Requirement) -> tuple[VerdictStatus, str]:
    n, ci = measurement.n_subjects, measurement.ci
    if ci is None:
        return "inconclusive", f"no interval can be given for {n} people"
    good_ends = [_clears(end, requirement) for end in (ci.low, ci.high)]
    if not any(good_ends):
        return "fails", f"the {ci.level:.0%} interval lies on the wrong side"
    if not all(good_ends):
        return "inconclusive", f"the {ci.level:.0%} interval straddles the threshold"
    if n is not None and n < MIN_SUBJECTS_TO_HOLD:
        return (
            "inconclusive",
            f"{n} people are too few for any such claim: {MIN_SUBJECTS_TO_HOLD} is the least",
        )
    return "holds", f"the {ci.level:.0%} interval clears the threshold"


def _clears(value: float, requirement: Requirement) -> bool:
    if requirement.above is not None:
        return value > requirement.above
    assert requirement.below is not None  # noqa: S101 - a requirement has one of the three
    return value < requirement.below

"""Judging claims against measurements: no data, no training, no randomness.

An interval at level 1 − α decides a claim when it lies on one side of the threshold. That is a
two-sided test: "holds" is wrong with probability α/2 at most, and so is "fails". Where a suite
makes several such claims, Holm's step-down procedure keeps the probability of *any* wrong verdict
at α: the clearest of k claims is judged at level 1 − α/k, the next at 1 − α/(k − 1), and so on
until the first that stays undecided. Intervals are stretched to those levels as Student's t has it
for each one's own degrees of freedom: those of two seeds are 1, however many subjects there are.

References
----------
.. [1] Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian Journal
   of Statistics 6, 65-70.
.. [2] Shaffer (1995), "Multiple hypothesis testing", Annual Review of Psychology 46, 561-584,
   doi:10.1146/annurev.ps.46.020195.003021: the direction of what is rejected.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from difflib import get_close_matches
from statistics import NormalDist
from typing import TYPE_CHECKING

from pfactor_bench.claims.requirement import edges, meets, not_over_subjects
from pfactor_bench.claims.student import central_quantile, outside
from pfactor_bench.types import Claim, Interval, Measurement, Requirement, Verdict, VerdictStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["MIN_SUBJECTS_TO_HOLD", "POWER", "gate_failures", "judge"]

#: With fewer subjects an interval is too unreliable to carry a claim, however narrow it looks.
MIN_SUBJECTS_TO_HOLD = 8

#: The power that the least number of subjects is stated for.
POWER = 0.8

#: A larger least number of subjects is given as this: nobody will ever measure so many.
_MOST = 1_000_000


def judge(claims: Iterable[Claim], measurements: Iterable[Measurement]) -> tuple[Verdict, ...]:
    """Return one verdict per claim, in order.

    A claim about subjects holds only when the whole interval, widened for the number of such
    claims, clears the threshold, and fails only when all of it lies on the wrong side; in between
    it is inconclusive. With fewer than `MIN_SUBJECTS_TO_HOLD` subjects it never holds.
    """
    by_name = {measurement.name: measurement for measurement in measurements}
    pairs = [(claim, by_name.get(claim.measurement)) for claim in claims]
    estimates = {
        position: estimate
        for position, (claim, measurement) in enumerate(pairs)
        if (estimate := _estimate(claim, measurement)) is not None
    }
    decisions = dict(zip(estimates, _holm(list(estimates.values())), strict=True))
    return tuple(
        _verdict(claim, measurement, decisions.get(position))
        if measurement is not None
        else _unmeasured(claim, by_name)
        for position, (claim, measurement) in enumerate(pairs)
    )


def gate_failures(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Return the verdicts that must fail a run: gates that do not hold."""
    return tuple(v for v in verdicts if v.level == "gate" and v.status != "holds")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Estimate:
    """A value with its interval, seen from the nearest edge of what is required.

    `reach` is how far that edge is, in half-widths of the interval on that side: above 1 the
    interval has cleared it. `best` is how far on the good side of it the truth may lie at most, by
    the interval. `good` says on which side the value lies.
    """

    n: int
    df: int
    ci: Interval
    reach: float
    best: float
    good: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Decision:
    """An estimate, the level that Holm asks of its interval, and whether it is decided at that."""

    estimate: _Estimate
    n_claims: int
    level: float
    decided: bool


def _estimate(claim: Claim, measurement: Measurement | None) -> _Estimate | None:
    """Return what can be inferred from, or None where nothing is inferred."""
    if measurement is None or measurement.value is None or measurement.ci is None:
        return None
    if measurement.n_subjects is None or claim.requirement.equals is not None:
        return None
    value, ci, df = measurement.value, measurement.ci, measurement.ci.df
    if df is None:
        if not_over_subjects(claim):
            return None
        df = max(1, measurement.n_subjects - 1)
    return _Estimate(
        n=measurement.n_subjects,
        df=df,
        ci=ci,
        reach=min(_reach(value, edge, ci) for edge in edges(claim.requirement)),
        best=_best(claim.requirement, ci),
        good=meets(value, claim.requirement),
    )


def _best(requirement: Requirement, ci: Interval) -> float:
    """Return how far on the good side of the nearest edge the truth may lie, by an interval."""
    if requirement.near is not None:
        nearest = min(max(requirement.near, ci.low), ci.high)
        return requirement.margin - abs(nearest - requirement.near)
    (edge,) = edges(requirement)
    return ci.high - edge if requirement.above is not None else edge - ci.low


def _reach(value: float, edge: float, ci: Interval) -> float:
    half_width = value - ci.low if edge < value else ci.high - value
    if value == edge:
        return 0.0
    # A skewed interval may exclude its own value; an edge beyond the value is cleared all the more.
    return abs(value - edge) / half_width if half_width > 0 else math.inf


def _holm(estimates: Sequence[_Estimate]) -> list[_Decision]:
    """Return a decision per estimate, in their order."""
    order = sorted(range(len(estimates)), key=lambda position: _p_value(estimates[position]))
    decisions: dict[int, _Decision] = {}
    going_on = True
    for rank, position in enumerate(order):
        estimate = estimates[position]
        n_left = len(order) - rank
        level = 1 - (1 - estimate.ci.level) / n_left
        stretch = _stretch(estimate, level) if n_left > 1 else 1.0
        going_on = going_on and estimate.reach > stretch
        decisions[position] = _Decision(
            estimate=estimate, n_claims=len(order), level=level, decided=going_on
        )
    return [decisions[position] for position in range(len(estimates))]


def _p_value(estimate: _Estimate) -> float:
    """Return the level at which an estimate's stretched interval would end at the edge."""
    quantile = central_quantile(estimate.ci.level, estimate.df)
    return outside(estimate.reach * quantile, estimate.df)


def _stretch(estimate: _Estimate, level: float) -> float:
    """Return the half-width at another level, in half-widths of the estimate's interval."""
    quantile = central_quantile(estimate.ci.level, estimate.df)
    return central_quantile(level, estimate.df) / quantile


def _unmeasured(claim: Claim, measured: Iterable[str]) -> Verdict:
    """Return the verdict on a claim of which nothing is known, with the name that may be meant."""
    close = get_close_matches(claim.measurement, measured, n=1)
    hint = f": did you mean {close[0]!r}?" if close else ""
    status, why = _undecided(f"{claim.measurement} was not measured{hint}")
    return Verdict(claim=claim.id, status=status, level=claim.level, explanation=why)


def _verdict(claim: Claim, measurement: Measurement, decision: _Decision | None) -> Verdict:
    subjects: int | None = None
    if measurement.value is None:
        status, why = _undecided(f"no value: {measurement.missing_because}")
    elif claim.requirement.equals is not None:
        status, why = _reproduced(measurement.value, claim.requirement)
    elif measurement.n_subjects is None:
        status, why = _exact(measurement.value, claim.requirement)
    elif decision is None:
        status, why = _undecided(_no_interval(measurement))
    else:
        status, why = _inferred(decision)
        if status == "inconclusive" and not_over_subjects(claim):
            runs = decision.estimate.df + 1
            why = f"{why}; it is over {runs} runs, and only more of them would settle it"
        elif status == "inconclusive":
            subjects = _least_subjects(decision)
            why = f"{why}; {_settled_by(subjects)}"
    return Verdict(
        claim=claim.id, status=status, level=claim.level, explanation=why, subjects_needed=subjects
    )


def _undecided(why: str) -> tuple[VerdictStatus, str]:
    return "inconclusive", why


def _no_interval(measurement: Measurement) -> str:
    if measurement.ci is not None:
        return "the record does not say over how many runs the interval is: remeasure it"
    why = f": {measurement.note}" if measurement.note else ""
    return f"no interval can be given for {measurement.n_subjects} subjects{why}"


def _reproduced(value: float, requirement: Requirement) -> tuple[VerdictStatus, str]:
    assert requirement.equals is not None  # noqa: S101 - the caller looked
    difference = abs(value - requirement.equals)
    # The reference is a printed decimal: half a unit in its last place may be a rounding of floats.
    if difference <= requirement.tolerance * (1 + 1e-9):
        return "holds", f"differs from the reference by {difference:.2g}"
    return "fails", f"differs from the reference by {difference:.2g}"


def _exact(value: float, requirement: Requirement) -> tuple[VerdictStatus, str]:
    good = meets(value, requirement)
    return ("holds" if good else "fails"), "a count or a computed quantity, not an estimate"


def _inferred(decision: _Decision) -> tuple[VerdictStatus, str]:
    estimate = decision.estimate
    interval = f"the {estimate.ci.level:.0%} interval"
    among = f" among {decision.n_claims} claims" if decision.n_claims > 1 else ""
    if not decision.decided:
        if estimate.reach > 1:
            return "inconclusive", f"{interval} clears the threshold alone, but not{among} (Holm)"
        return "inconclusive", f"{interval} straddles the threshold"
    if not estimate.good:
        return "fails", f"{interval} lies on the wrong side{among}"
    if estimate.n < MIN_SUBJECTS_TO_HOLD:
        return _undecided(
            f"{estimate.n} subjects are too few for any such claim: {MIN_SUBJECTS_TO_HOLD} is the "
            f"least"
        )
    return "holds", f"{interval} clears the threshold{among}"


def _least_subjects(decision: _Decision) -> int | None:
    """Return the least number of subjects that can settle a claim with `POWER`, or None.

    It is what would do if the truth were the far end of the interval, so that hardly ever fewer
    do. How many are enough does not follow from an interval that straddles the threshold, and
    power at the measured value is no more than the p-value in other words (Hoenig and Heisey 2001,
    doi:10.1198/000313001300339897). None where as many subjects as there are might do.
    """
    estimate = decision.estimate
    if estimate.n < MIN_SUBJECTS_TO_HOLD or estimate.ci.se is None or estimate.best <= 0:
        return None
    normal = NormalDist()
    wanted = normal.inv_cdf((1 + decision.level) / 2) + normal.inv_cdf(POWER)
    # Capped before it is squared: an end a hair's breadth from the threshold overflows.
    ratio = min(wanted * estimate.ci.se / estimate.best, _MOST)
    least = min(math.ceil(estimate.n * ratio**2), _MOST)
    return least if least > estimate.n else None


def _settled_by(least: int | None) -> str:
    if least is None:
        return "how many subjects would settle it cannot be told from these"
    return (
        f"at least {least:,} subjects would be needed to show that it holds, with {POWER:.0%} "
        f"power, if it does"
    )

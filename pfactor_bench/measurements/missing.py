"""What a record says where a case has no result: the names stay, with the reason for a value.

A regime that lacks a seed is not averaged over the others. Which seed fails may depend on how it
went, so the mean of the survivors would be another quantity under the same name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pfactor_bench.statistics.metrics import METRICS
from pfactor_bench.types import Measurement

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from pfactor_bench.types import Case, Claim

__all__ = ["complete_regimes", "with_missing"]


def complete_regimes(cases: Iterable[Case], finished: Collection[str]) -> tuple[str, ...]:
    """Return the regimes of which every case has a result, in the suite's order.

    Parameters
    ----------
    cases
        All of the suite's.
    finished
        Names of those that have one.
    """
    complete: dict[str, bool] = {}
    for case in cases:
        complete[case.regime] = complete.get(case.regime, True) and case.id in finished
    return tuple(regime for regime, is_complete in complete.items() if is_complete)


def with_missing(
    measurements: Iterable[Measurement],
    cases: Iterable[Case],
    failed: Mapping[str, str],
    claims: Iterable[Claim],
) -> tuple[Measurement, ...]:
    """Return measurements as they are where nothing is missing, and the reason where it is.

    Parameters
    ----------
    measurements
        Of what has a result; a regime may be pooled over the seeds that are left.
    cases, claims
        All of the suite's.
    failed
        Why a case has no result, by its name.

    Returns
    -------
    tuple of Measurement
        Pooled values of a regime that lacks a case are taken out. Each metric of what is missing,
        and whatever a claim asks of it, is there without a value.
    """
    if not failed:
        return tuple(measurements)
    reasons = _reasons(tuple(cases), failed)
    found = {
        one.name: _emptied(one, reasons[one.case]) if one.case in reasons else one
        for one in measurements
    }
    named = [f"{case}/{metric}" for case in reasons for metric in METRICS]
    named += [claim.measurement for claim in claims]
    for name in named:
        reason = _reason_for(name, reasons)
        if name not in found and reason is not None:
            case = name.rpartition("/")[0]
            found[name] = Measurement(name=name, case=case, value=None, missing_because=reason)
    return tuple(found.values())


def _reasons(cases: tuple[Case, ...], failed: Mapping[str, str]) -> dict[str, str]:
    """Return why there is no value, by case and by regime."""
    reasons = {case.id: failed[case.id] for case in cases if case.id in failed}
    complete = complete_regimes(cases, {case.id for case in cases if case.id not in failed})
    for regime in dict.fromkeys(case.regime for case in cases):
        if regime not in complete:
            seeds = [case.seed for case in cases if case.regime == regime]
            lost = [case.seed for case in cases if case.regime == regime and case.id in failed]
            reasons[regime] = (
                f"{len(lost)} of {len(seeds)} seeds failed ({', '.join(map(str, lost))}); the mean "
                f"of the others would be another quantity"
            )
    return reasons


def _reason_for(name: str, reasons: Mapping[str, str]) -> str | None:
    """Return why `name` has no value: of the longest case or regime that it begins with."""
    fitting = [one for one in reasons if name.startswith((f"{one}/", f"{one}-vs-"))]
    return reasons[max(fitting, key=len)] if fitting else None


def _emptied(one: Measurement, reason: str) -> Measurement:
    return replace(one, value=None, ci=None, missing_because=reason, note=None)

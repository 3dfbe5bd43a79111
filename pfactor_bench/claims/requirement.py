"""What a claim asks of its measurement: how it may be put, in words, and its edges."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pfactor_bench.errors import ConfigError

if TYPE_CHECKING:
    from pfactor_bench.types import Claim, Requirement

__all__ = ["check_claim", "edges", "meets", "not_over_subjects", "required"]

#: Metrics whose entries are windows: many of one subject, so no sample of subjects.
_WINDOW_LEVEL = ("window_", "val_", "best_val_")


def check_claim(claim: Claim) -> None:
    """Refuse a claim that no measurement could decide.

    Raises
    ------
    ConfigError
        If it sets none or several of above, below, near and equals, a number is not finite, a
        margin or tolerance is negative or belongs to another requirement, or it draws an inference
        from a window-level measurement.
    """
    requirement = claim.requirement
    chosen = [
        name
        for name in ("above", "below", "near", "equals")
        if getattr(requirement, name) is not None
    ]
    if len(chosen) != 1:
        raise ConfigError(
            f"claim {claim.id!r} sets {' and '.join(chosen) or 'no requirement'}: "
            f"set exactly one of above, below, near and equals"
        )
    _check_numbers(claim)
    if requirement.margin and chosen == ["equals"]:
        raise ConfigError(
            f"claim {claim.id!r} sets margin with equals: a reproduction has a 'tolerance', "
            f"an equivalence is 'near' with a margin"
        )
    if requirement.tolerance and chosen != ["equals"]:
        raise ConfigError(
            f"claim {claim.id!r} sets tolerance with {chosen[0]}: 'tolerance' belongs to equals, "
            f"{chosen[0]} has a 'margin'"
        )
    if requirement.near is not None and not requirement.margin:
        raise ConfigError(
            f"claim {claim.id!r} asks for near {requirement.near:g} without a margin: no interval "
            f"fits into a point; add the margin that still counts as no difference"
        )
    metric = claim.measurement.rpartition("/")[2]
    if metric.startswith(_WINDOW_LEVEL) and chosen != ["equals"]:
        raise ConfigError(
            f"claim {claim.id!r} asks for {metric!r} {required(requirement)}, but windows of one "
            f"subject are no sample of subjects: claim it of the subject-level metric instead "
            f"(such as 'skill' or 'pearson_r'), or use equals to reproduce a number"
        )


def required(requirement: Requirement) -> str:
    """Return a requirement in the few words of a table cell."""
    if requirement.equals is not None:
        return f"= {requirement.equals:g} ± {requirement.tolerance:g}"
    if requirement.near is not None:
        return f"≈ {requirement.near:g} ± {requirement.margin:g}"
    if requirement.above is not None:
        return f"> {requirement.above - requirement.margin:g}"
    assert requirement.below is not None  # noqa: S101 - a requirement has one of the four
    return f"< {requirement.below + requirement.margin:g}"


def edges(requirement: Requirement) -> tuple[float, ...]:
    """Return the values at which a requirement turns, its margin included."""
    if requirement.near is not None:
        return requirement.near - requirement.margin, requirement.near + requirement.margin
    if requirement.above is not None:
        return (requirement.above - requirement.margin,)
    assert requirement.below is not None  # noqa: S101 - a requirement has one of the four
    return (requirement.below + requirement.margin,)


def meets(value: float, requirement: Requirement) -> bool:
    """Say whether a value, its uncertainty aside, meets a requirement of above, below or near."""
    if requirement.near is not None:
        return abs(value - requirement.near) < requirement.margin
    (edge,) = edges(requirement)
    return value > edge if requirement.above is not None else value < edge


def not_over_subjects(claim: Claim) -> bool:
    """Say whether a claim's interval is over seeds or folds, which more subjects do not settle."""
    return claim.measurement.rpartition("/")[2].startswith(("seed_", "fold_"))


def _check_numbers(claim: Claim) -> None:
    for name in ("above", "below", "near", "equals", "tolerance", "margin"):
        number = getattr(claim.requirement, name)
        if number is not None and not math.isfinite(number):
            raise ConfigError(f"claim {claim.id!r} sets {name} to {number!r}: give a finite number")
    for name in ("tolerance", "margin"):
        number = getattr(claim.requirement, name)
        if number < 0:
            raise ConfigError(
                f"claim {claim.id!r} sets {name} to {number!r}: it cannot be negative"
            )

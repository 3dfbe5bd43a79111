"""Claims and checks of two records: which went from good to bad, which the other way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pfactor_bench.publish.compare.differences import Difference
    from pfactor_bench.records.record import Record
    from pfactor_bench.types import Claim

Direction: TypeAlias = Literal["same", "better", "worse", "other"]

#: From bad to good. A check that broke off decided nothing, so it is as bad as a leak.
_CLAIM_RANKS = {"fails": 0, "inconclusive": 1, "holds": 2}
_FINDING_RANKS = {"fail": 0, "error": 0, "warn": 1, "skipped": 2, "not_applicable": 2, "pass": 2}
#: What is missed when it is gone; a check that did not apply is not.
_LOST = ("holds", "pass")
_GONE = "gone"
_NEW = "new"


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What became of one claim or check.

    Parameters
    ----------
    name
        The claim's id, or the check's code with the regime that it is about.
    text
        The claim's sentence or the check's title.
    before, after
        Its status in either record; ``new`` and ``gone`` where one of them lacks it.
    direction
        ``other`` where the two do not ask the same, so that neither is better.
    """

    name: str
    text: str
    before: str
    after: str
    direction: Direction


def claim_changes(before: Record, after: Record) -> list[Change]:
    """Return every claim of either record, in the order of the first, then the second."""
    asked = [{claim.id: claim for claim in record.claims} for record in (before, after)]
    found = [
        {verdict.claim: verdict.status for verdict in record.verdicts} for record in (before, after)
    ]
    changes = []
    for name in dict.fromkeys([*asked[0], *asked[1]]):
        ranks = _direction(
            found[0].get(name) if name in asked[0] else None,
            found[1].get(name) if name in asked[1] else None,
            _CLAIM_RANKS,
        )
        same_question = name not in asked[0] or name not in asked[1] or _same(asked, name)
        changes.append(
            Change(
                name=name,
                text=(asked[1].get(name) or asked[0][name]).text,
                before=found[0].get(name, "not judged") if name in asked[0] else _NEW,
                after=found[1].get(name, "not judged") if name in asked[1] else _GONE,
                direction=ranks if same_question else "other",
            )
        )
    return changes


def finding_changes(before: Record, after: Record) -> list[Change]:
    """Return every check whose status differs between the records."""
    first, second = (
        {finding.label: finding for finding in record.findings} for record in (before, after)
    )
    changes = []
    for label in sorted(first.keys() | second.keys()):
        old = first[label].status if label in first else None
        new = second[label].status if label in second else None
        if old != new:
            changes.append(
                Change(
                    name=label,
                    text=(second.get(label) or first[label]).title,
                    before=old or _NEW,
                    after=new or _GONE,
                    direction=_direction(old, new, _FINDING_RANKS),
                )
            )
    return changes


def regressions(
    claims: Iterable[Change], findings: Iterable[Change], differences: Iterable[Difference]
) -> list[str]:
    """Return in words what got worse: claims, checks, and errors whose whole interval says so."""
    lines = [
        f"{kind} {change.name}: {change.before}, now {change.after}"
        for kind, changes in (("claim", claims), ("check", findings))
        for change in changes
        if change.direction == "worse"
    ]
    lines += [
        f"regime {difference.regime}: gone"
        if difference.gone
        else f"regime {difference.regime}: its error grew, and the whole interval says so"
        for difference in differences
        if difference.gone or (difference.ci is not None and difference.ci.high < 0)
    ]
    return lines


def _direction(old: str | None, new: str | None, ranks: Mapping[str, int]) -> Direction:
    """Return which way a status went; what is new was nothing, and what is gone is lost."""
    best = max(ranks.values())
    if old is None:
        return "worse" if new is not None and ranks.get(new, best) == 0 else "same"
    if new is None:
        return "worse" if old in _LOST else "same"
    if old not in ranks or new not in ranks:
        return "other"
    return "same" if ranks[old] == ranks[new] else "better" if ranks[new] > ranks[old] else "worse"


def _same(asked: Sequence[Mapping[str, Claim]], name: str) -> bool:
    """Return whether both records ask the same of the same measurement."""
    first, second = asked[0][name], asked[1][name]
    return (first.measurement, first.requirement) == (second.measurement, second.requirement)

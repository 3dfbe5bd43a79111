"""The leaderboard: every model, regime and simple predictor, ranked only where intervals allow.

A rank is a range. Of predictors that were evaluated on the same subjects, one stands above another
only where its whole interval does; all that are not told apart share their ranks.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pfactor_bench.report.facts import held_out_subjects, metric, regimes, skill_status
from pfactor_bench.report.sections.baseline_comparison import compared_baselines
from pfactor_bench.report.sections.evidence import leak_answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pfactor_bench.records.record import Record
    from pfactor_bench.types import Measurement

_ANSWERS = {"holds": "yes", "fails": "no", "inconclusive": "not shown"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A value with its interval, as a page needs it."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One predictor in one suite.

    Parameters
    ----------
    report, suite, predictor
        The report's folder, the suite's name, the regime's or baseline's label.
    kind
        ``regime`` or ``baseline``.
    model
        The network; empty for a baseline.
    cohort, subjects
        Whose EEG, and how many were held out.
    skill, r
        Over subjects, with intervals.
    ranks
        The best and the worst rank that intervals allow within the suite; None without an interval.
    outcome
        Whether it beat the train mean: ``yes``, ``no`` or ``not shown``; empty for a baseline.
    leak
        ``found``, ``none found`` or ``not known``.
    n_cases, n_missing
        Seeds of a regime, and how many of them have no result; 0 for a baseline.
    """

    report: str
    suite: str
    predictor: str
    kind: str
    model: str
    cohort: str
    subjects: int
    skill: Standing
    r: Standing
    ranks: tuple[int, int] | None
    outcome: str
    leak: str
    n_cases: int
    n_missing: int


def leaderboard(records: Iterable[tuple[str, Record]]) -> list[Row]:
    """Return the rows of every report, suite by suite, the most skilled first."""
    return [row for name, record in records for row in _rows(name, record)]


def rank_ranges(standings: Sequence[Standing]) -> list[tuple[int, int] | None]:
    """Return for each value the best and the worst rank that the intervals leave open.

    Examples
    --------
    >>> above, below = (Standing(value=v, low=v - 1, high=v + 1) for v in (9.0, 1.0))
    >>> rank_ranges([below, above, Standing(value=9.5, low=8.0, high=11.0)])
    [(3, 3), (1, 2), (1, 2)]
    """
    known = [(s.low, s.high) for s in standings if s.low is not None and s.high is not None]
    return [
        None
        if standing.low is None or standing.high is None
        else (
            1 + sum(low > standing.high for low, _ in known),
            len(known) - sum(high < standing.low for _, high in known),
        )
        for standing in standings
    ]


def _rows(name: str, record: Record) -> list[Row]:
    baselines = compared_baselines(record)
    finished, missing = _counts(record.cases), _counts(record.missing)
    # A regime of which nothing came back must not vanish from the contest.
    declared = dict.fromkeys((*finished, *missing))
    labels = [*reversed(baselines), *(regime for regime in declared if regime not in baselines)]
    skills = [_standing(metric(record, label, "skill")) for label in labels]
    leak = leak_answer(record)
    of_regimes = regimes(record)
    return [
        Row(
            report=name,
            suite=record.suite["name"],
            predictor=label,
            kind="regime" if label in declared else "baseline",
            model=str(of_regimes[label][0]["model"]) if label in of_regimes else "",
            cohort=record.cohort["name"],
            subjects=held_out_subjects(record),
            skill=skill,
            r=_standing(metric(record, label, "pearson_r")),
            ranks=ranks,
            outcome=_ANSWERS[skill_status(record, label)] if label in declared else "",
            leak=leak,
            n_cases=finished[label] + missing[label],
            n_missing=missing[label],
        )
        for label, skill, ranks in zip(labels, skills, rank_ranges(skills), strict=True)
    ]


def _counts(cases: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Return how many cases each regime has."""
    return Counter(case["regime"] for case in cases)


def _standing(found: Measurement | None) -> Standing:
    if found is None or found.value is None:
        return Standing(value=None)
    if found.ci is None:
        return Standing(value=found.value)
    return Standing(value=found.value, low=found.ci.low, high=found.ci.high)

"""The ladder of predictors in a report: a table, and a plot of dots with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.report.facts import (
    BASELINE,
    held_out_people,
    metric,
    outcome,
    regimes,
    value_with_interval,
)
from pfactor_bench.report.text import count, escape, listed, picture, plain, table

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record
    from pfactor_bench.types import Measurement

__all__ = [
    "confounds_section",
    "ladder_alt_text",
    "ladder_is_drawn",
    "ladder_rungs",
    "ladder_section",
]

_CEILING = "matched-filter"
_WHAT_THE_CEILING_IS = (
    f"{_CEILING} is told where the signal was planted, which no model is: it shows how much could "
    "be found, and is no rival."
)

#: A single predictor beside the train mean is in the report's figure already.
_FEWEST_DRAWN = 2

_HOW_TO_READ = (
    "Over people; each predictor was fitted on the people that a fold trains on. The last columns "
    "are paired: how much smaller the regime's squared error is, person by person, averaged over "
    "its seeds."
)


def ladder_rungs(record: Record) -> dict[str, Measurement]:
    """Return the skill of every predictor that has one, worst first, the train mean included."""
    rungs = {
        name: skill
        for name in (BASELINE, *record.suite["definition"].get("baselines", ()), *regimes(record))
        if (skill := metric(record, name, "skill")) is not None and skill.value is not None
    }
    return dict(sorted(rungs.items(), key=lambda rung: rung[1].value or 0.0))


def ladder_is_drawn(record: Record) -> bool:
    """Return whether the ladder has enough rungs for a plot."""
    return len(ladder_rungs(record).keys() - {BASELINE}) >= _FEWEST_DRAWN


def ladder_alt_text(record: Record) -> str:
    """Return what the plot shows, for a reader who cannot see it; plain text, not escaped."""
    rungs = {name: skill for name, skill in ladder_rungs(record).items() if name != BASELINE}
    people = count(held_out_people(record), "held-out person", "held-out people")
    found = " ".join(
        _standing(record, regime, list(rungs)) for regime in regimes(record) if regime in rungs
    )
    values = ", ".join(
        f"{plain(name)} {value_with_interval(rungs[name])}" for name in reversed(rungs)
    )
    return (
        f"Skill of {count(len(rungs), 'predictor')} on {people}, the train mean at 0. {found} "
        f"Best first: {values}."
    )


def ladder_section(record: Record) -> str:
    """Return every regime among the simple predictors, those that could not be fitted last."""
    baselines = record.suite["definition"].get("baselines", ())
    if not baselines and not ladder_is_drawn(record):
        return ""
    rungs = ladder_rungs(record)
    rows = [
        [
            f"**{escape(name)}**" if name in regimes(record) else escape(name),
            *(value_with_interval(metric(record, name, key)) for key in ("skill", "pearson_r")),
            *(_gain(record, regime, name) for regime in regimes(record)),
        ]
        for name in reversed(rungs)
    ]
    headers = ["predictor", "skill", "r"]
    headers += [f"error that {escape(regime)} saves" for regime in regimes(record)]
    missing = [
        f"{escape(name)} was not fitted: {escape(skill.missing_because)}."
        for name in baselines
        if (skill := metric(record, name, "skill")) is not None and skill.missing_because
    ]
    return "\n\n".join(
        [
            "## The ladder",
            *([_plot(record)] if ladder_is_drawn(record) else []),
            table(headers, rows),
            _HOW_TO_READ,
            *([_WHAT_THE_CEILING_IS] if _CEILING in rungs else []),
            *missing,
        ]
    )


def confounds_section(record: Record) -> str:
    """Return whether predictions follow what they should not, beyond what the scores explain."""
    tested = [
        (regime, found)
        for regime in regimes(record)
        for found in record.measurements
        if found.name.startswith(f"{regime}/confound/")
    ]
    if not tested:
        return ""
    rows = [
        [
            escape(regime),
            escape(found.name.rpartition("/")[2]),
            value_with_interval(found),
            escape(found.missing_because or f"{found.n_subjects} people"),
        ]
        for regime, found in tested
    ]
    headers = ["regime", "confound", "p", ""]
    untested = _untested(record, {found.name.rpartition("/")[2] for _, found in tested})
    return (
        f"## Confounds\n\n{table(headers, rows)}\n\n"
        f"A small p says that the predictions tell something about the confound that the true "
        f"scores do not (partial confound test, Spisak 2022, doi:10.1093/gigascience/giac082)."
        f"{untested}"
    )


def _untested(record: Record, tested: set[str]) -> str:
    """Name what a check found to go with the score and no row above is about."""
    found = dict.fromkeys(
        str(row["proxy"])
        for finding in record.findings
        if finding.code == "LK016" and finding.status == "warn"
        for row in finding.evidence
        if row.get("proxy") and row["proxy"] not in tested
    )
    return f" Not tested, though LK016 warns of it: {listed(list(found))}." if found else ""


def _plot(record: Record) -> str:
    return picture(
        "ladder",
        alt=ladder_alt_text(record),
        limit=2000,
        caption="Every predictor's skill and its interval over people; an arrow marks what lies "
        "beyond the axis.",
    )


def _standing(record: Record, regime: str, rungs: list[str]) -> str:
    """Return what became of a regime and which simple predictors are its neighbours."""
    simple = [name for name in rungs if name == regime or name not in regimes(record)]
    position = simple.index(regime)
    neighbours = [
        f"{side} {plain(names[0])}"
        for side, names in (
            ("above", simple[:position][-1:]),
            ("below", simple[position + 1 :][:1]),
        )
        if names
    ]
    skill = value_with_interval(metric(record, regime, "skill"))
    return (
        f"{plain(regime)} {outcome(record, regime)}: skill {skill}"
        f"{', ' * bool(neighbours)}{' and '.join(neighbours)}."
    )


def _gain(record: Record, regime: str, baseline: str) -> str:
    if baseline == regime:
        return ""
    return value_with_interval(metric(record, f"{regime}-vs-{baseline}", "mse_gain"))

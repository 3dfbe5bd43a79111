"""The baseline comparison in a report: a table, and a plot of dots with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.report.facts import (
    BASELINE,
    held_out_subjects,
    metric,
    outcome,
    regimes,
    value_with_interval,
)
from pfactor_bench.report.section import Figure, Section
from pfactor_bench.report.text import Markdown, count, md, plain, table

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record
    from pfactor_bench.types import Measurement

_CAPTION = (
    "Every predictor's skill and its interval over subjects; an arrow marks what lies beyond the "
    "axis."
)

_CEILING = "matched-filter"
_WHAT_THE_CEILING_IS = md(
    "{} is told where the signal was injected, which no model is: it shows how much could be "
    "found, and is no rival.",
    _CEILING,
)

#: A single predictor beside the train mean is in the report's figure already.
_FEWEST_DRAWN = 2

_HOW_TO_READ = md(
    "Over subjects; each predictor was fitted on the subjects that a fold trains on. The last "
    "columns are paired: how much smaller the regime's squared error is, subject by subject, "
    "averaged over its seeds."
)


def compared_baselines(record: Record) -> dict[str, Measurement]:
    """Return the skill of every predictor that has one, worst first, the train mean included."""
    baselines = {
        name: skill
        for name in (BASELINE, *record.suite["definition"].get("baselines", ()), *regimes(record))
        if (skill := metric(record, name, "skill")) is not None and skill.value is not None
    }
    return dict(sorted(baselines.items(), key=lambda baseline: baseline[1].value or 0.0))


def comparison_is_drawn(record: Record) -> bool:
    """Return whether the baseline comparison has enough baselines for a plot."""
    return len(compared_baselines(record).keys() - {BASELINE}) >= _FEWEST_DRAWN


def _alt_text(record: Record) -> str:
    """Return what the plot shows, for a reader who cannot see it; plain text, not escaped."""
    baselines = {
        name: skill for name, skill in compared_baselines(record).items() if name != BASELINE
    }
    subjects = count(held_out_subjects(record), "held-out subject", "held-out subjects")
    found = " ".join(
        _standing(record, regime, list(baselines))
        for regime in regimes(record)
        if regime in baselines
    )
    values = ", ".join(
        f"{plain(name)} {value_with_interval(baselines[name])}" for name in reversed(baselines)
    )
    return (
        f"Skill of {count(len(baselines), 'predictor')} on {subjects}, the train mean at 0. "
        f"{found} Best first: {values}."
    )


def _is_shown(record: Record) -> bool:
    return bool(record.suite["definition"].get("baselines")) or comparison_is_drawn(record)


def _text(record: Record) -> list[Markdown]:
    """Return every regime among the simple predictors, those that could not be fitted last."""
    baselines = compared_baselines(record)
    rows = [
        [
            md("**{}**", name) if name in regimes(record) else name,
            *(value_with_interval(metric(record, name, key)) for key in ("skill", "pearson_r")),
            *(_gain(record, regime, name) for regime in regimes(record)),
        ]
        for name in reversed(baselines)
    ]
    headers = ["predictor", "skill", "r"]
    headers += [f"error that {regime} saves" for regime in regimes(record)]
    missing = [
        md("{} was not fitted: {}.", name, skill.missing_because)
        for name in record.suite["definition"].get("baselines", ())
        if (skill := metric(record, name, "skill")) is not None and skill.missing_because
    ]
    return [
        FIGURE.shown(record, _CAPTION),
        table(headers, rows),
        _HOW_TO_READ,
        *([_WHAT_THE_CEILING_IS] if _CEILING in baselines else []),
        *missing,
    ]


def _standing(record: Record, regime: str, baselines: list[str]) -> str:
    """Return what became of a regime and which simple predictors are its neighbours."""
    simple = [name for name in baselines if name == regime or name not in regimes(record)]
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


def _gain(record: Record, regime: str, baseline: str) -> Markdown:
    if baseline == regime:
        return Markdown()
    return value_with_interval(metric(record, f"{regime}-vs-{baseline}", "mse_gain"))


FIGURE = Figure(
    file="baselines", module="baseline_comparison", alt=_alt_text, is_drawn=comparison_is_drawn
)
SECTION = Section(
    order=60, heading="The baseline comparison", text=_text, is_shown=_is_shown, figure=FIGURE
)

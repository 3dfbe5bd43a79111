"""``report.md``: a pure function of the record, one template for good news and bad.

Each section is a function from the record to Markdown. Text from data passes through `escape`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.report.cautions import cautions
from pfactor_bench.report.evidence import checks_section, leak_sentence
from pfactor_bench.report.facts import (
    first_saliency,
    held_out_people,
    metric,
    outcome,
    regimes,
    value_with_interval,
    windows_chosen,
)
from pfactor_bench.report.figure import alt_text
from pfactor_bench.report.origins import (
    cohort_section,
    provenance_section,
    split_section,
    timing_section,
)
from pfactor_bench.report.results import claims_section, per_seed_section, regimes_section
from pfactor_bench.report.text import bullets, count, escape

if TYPE_CHECKING:
    from pfactor_bench.record import Record

__all__ = ["report_text"]


def report_text(record: Record) -> str:
    """Return the report of a record as GitHub-flavoured Markdown.

    Parameters
    ----------
    record
        What to report. Of two records that differ only in when, where and how fast they were made,
        the texts differ only in the sections Timing and Provenance.
    """
    sections = [
        f"# {escape(record.suite['title'])}",
        f"*{escape(record.suite['question'])}*",
        verdict_sentence(record),
        "How to run it again: [Provenance](#provenance).",
        claims_section(record),
        _figure_section(record),
        f"## What to know before quoting a number\n\n{bullets(cautions(record))}",
        checks_section(record),
        per_seed_section(record),
        regimes_section(record),
        cohort_section(record),
        split_section(record),
        timing_section(record),
        provenance_section(record),
        _limits_section(record),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def verdict_sentence(record: Record) -> str:
    """Return what a reader in a hurry must take away, good or bad, in the same words."""
    people = count(held_out_people(record), "held-out person", "held-out people")
    answers = []
    for regime, cases in regimes(record).items():
        skill = metric(record, regime, "skill")
        level = f"{skill.ci.level:.0%} interval" if skill and skill.ci else "no interval"
        answers.append(
            f"**{escape(cases[0]['model'])}, {escape(regime)}, {outcome(record, regime)} on "
            f"{people}**: skill {value_with_interval(skill)} ({level} over people; 0 is the train "
            f"mean, 1 is perfect)."
        )
    return "\n\n".join([*answers, f"{_gates(record)} {leak_sentence(record)}"])


def _gates(record: Record) -> str:
    gates = [verdict for verdict in record.verdicts if verdict.level == "gate"]
    if not gates:
        return "**No claim is a gate.**"
    holding = sum(verdict.status == "holds" for verdict in gates)
    return f"**{holding} of {count(len(gates), 'gate')} hold{'s' if len(gates) == 1 else ''}.**"


def _figure_section(record: Record) -> str:
    first = next(iter(regimes(record)), None)
    saliency = first_saliency(record, first) if first else None
    chosen = (
        f"mean over {escape(windows_chosen(saliency['chosen_by']))}"
        f"{' (circular: the true scores chose them)' if saliency['circular'] else ''}"
        if saliency
        else "not computed"
    )
    return (
        f"![{escape(alt_text(record), limit=1000)}](figure.png)\n\n"
        f"*Left: squared error and correlation over windows after each epoch; the dashed line is "
        f"what predicting the train mean costs. Middle: a dot per held-out person and seed; a grey "
        f"line joins one person's. Right: saliency, {chosen}. "
        f"[As vector graphics](figure.svg).*"
    )


def _limits_section(record: Record) -> str:
    n = held_out_people(record)
    folds = record.split["folds"]
    lines = [
        f"Intervals are over the {count(n, 'person', 'people')} held out here. They do not cover "
        f"another cohort, another way of recording, or what a newly trained model would do.",
        f"All numbers rest on {count(len(folds), 'split of the people', 'folds of one partition')}.",
        "The checks look for the leaks they name, in what the run recorded. Passing them does not "
        "prove the absence of leakage.",
        "Saliency shows what a prediction is sensitive to, not what causes the score.",
        f"{escape(record.cohort['target'])} is a score of a group study: nothing here is a "
        f"diagnosis, or fit to make one.",
    ]
    if record.cohort.get("planted"):
        lines.insert(
            0,
            "The cohort is synthetic: its signal was put there. What is found here says that the "
            "machinery works, nothing about people.",
        )
    return f"## Limits\n\n{bullets(lines)}"

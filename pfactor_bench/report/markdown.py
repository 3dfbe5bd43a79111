"""``report.md``: a pure function of the record, one template for good news and bad.

Each section is a function from the record to Markdown. Text from data passes through `escape`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.report.facts import (
    first_saliency,
    held_out_people,
    regimes,
    windows_chosen,
)
from pfactor_bench.report.figures.figure import alt_text
from pfactor_bench.report.sections.cautions import cautions
from pfactor_bench.report.sections.citation import cite_section
from pfactor_bench.report.sections.comparison import comparison_section
from pfactor_bench.report.sections.evidence import checks_section
from pfactor_bench.report.sections.head import head_section
from pfactor_bench.report.sections.ladder import confounds_section, ladder_section
from pfactor_bench.report.sections.origins import cohort_section, provenance_section, split_section
from pfactor_bench.report.sections.results import (
    claims_section,
    per_seed_section,
    regimes_section,
    saliency_section,
)
from pfactor_bench.report.sections.shuffles import shuffles_section
from pfactor_bench.report.sections.spread import spread_section
from pfactor_bench.report.sections.timing import timing_section
from pfactor_bench.report.text import bullets, count, escape, picture

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record

__all__ = ["report_text"]

_INTERVALS = (
    "Intervals are over the {people} held out here. They do not cover another cohort, another way "
    "of recording, or a model trained on other people."
)
_CHECKS = (
    "The checks look for the leaks they name, in what the run recorded. Passing them does not "
    "prove the absence of leakage."
)


def report_text(record: Record) -> str:
    """Return the report of a record as GitHub-flavoured Markdown.

    Parameters
    ----------
    record
        What to report. Of two records that differ only in when, where and how fast they were made,
        the texts differ only in the sections Timing and Provenance.
    """
    sections = [
        head_section(record),
        claims_section(record),
        _figure_section(record),
        f"## What to know before quoting a number\n\n{bullets(cautions(record))}",
        checks_section(record),
        ladder_section(record),
        per_seed_section(record),
        shuffles_section(record),
        spread_section(record),
        confounds_section(record),
        regimes_section(record),
        comparison_section(record),
        saliency_section(record),
        cohort_section(record),
        split_section(record),
        timing_section(record),
        provenance_section(record),
        cite_section(record),
        _limits_section(record),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _figure_section(record: Record) -> str:
    first = next(iter(regimes(record)), None)
    saliency = first_saliency(record, first) if first else None
    chosen = (
        f"mean over {escape(windows_chosen(saliency['chosen_by']))}"
        f"{' (circular: the true scores chose them)' if saliency['circular'] else ''}"
        if saliency
        else "not computed"
    )
    return picture(
        "figure",
        alt=alt_text(record),
        limit=2000,
        caption="Left: squared error and correlation over windows after each epoch; the dashed "
        "line is what predicting the train mean costs. Middle: a dot per held-out person and seed, "
        "a grey line joining one person's; the train mean is dashed, or a band where it differs "
        f"between folds. Right: saliency, {chosen}.",
    )


def _limits_section(record: Record) -> str:
    n = held_out_people(record)
    lines = []
    if record.cohort.get("planted"):
        lines.append(
            "The cohort is synthetic: its signal was put there. What is found here says that the "
            "machinery works, nothing about people."
        )
    lines += [
        _INTERVALS.format(people=count(n, "person", "people")),
        _CHECKS,
        *_not_looked_for(record),
        "Saliency shows what a prediction is sensitive to, not what causes the score.",
        f"Nothing here is a diagnosis, or fit to make one from {escape(record.cohort['target'])}.",
    ]
    return f"## Limits\n\n{bullets(lines)}"


def _not_looked_for(record: Record) -> list[str]:
    looked_for = {f.code for f in record.findings if f.status not in ("not_applicable", "skipped")}
    codes = list(dict.fromkeys(f.code for f in record.findings if f.code not in looked_for))
    if not codes:
        return []
    return [f"Not looked for: {', '.join(map(escape, codes))}. The table of checks says why."]

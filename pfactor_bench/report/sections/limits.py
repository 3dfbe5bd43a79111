"""What the numbers of a report do not say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.report.facts import held_out_subjects
from pfactor_bench.report.section import Section
from pfactor_bench.report.text import bullets, count, joined, md

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record
    from pfactor_bench.report.text import Markdown

_SYNTHETIC = md(
    "The cohort is synthetic: its signal was put there. What is found here says that the machinery "
    "works, nothing about subjects."
)
_CHECKS = md(
    "The checks look for the leaks they name, in what the run recorded. Passing them does not "
    "prove the absence of leakage."
)
_SALIENCY = md("Saliency shows what a prediction is sensitive to, not what causes the target.")


def _text(record: Record) -> list[Markdown]:
    intervals = md(
        "Intervals are over the {} held out here. They do not cover another cohort, another way of "
        "recording, or a model trained on other subjects.",
        count(held_out_subjects(record), "subject", "subjects"),
    )
    diagnosis = "Nothing here is a diagnosis, or fit to make one from {}."
    lines = [
        *([_SYNTHETIC] if record.cohort.get("injected") else []),
        intervals,
        _CHECKS,
        *_not_looked_for(record),
        _SALIENCY,
        md(diagnosis, record.cohort["target"]),
    ]
    return [bullets(lines)]


def _not_looked_for(record: Record) -> list[Markdown]:
    looked_for = {f.code for f in record.findings if f.status not in ("not_applicable", "skipped")}
    codes = list(dict.fromkeys(f.code for f in record.findings if f.code not in looked_for))
    if not codes:
        return []
    return [md("Not looked for: {}. The table of checks says why.", joined(", ", codes))]


SECTION = Section(order=190, heading="Limits", text=_text)

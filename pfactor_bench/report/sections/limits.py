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
_SALIENCY = md(
    "Saliency shows what a prediction is sensitive to, not what causes the target. Shares of it "
    "describe these models; they are no claims."
)


def _text(record: Record) -> list[Markdown]:
    diagnosis = "Nothing here is a diagnosis, or fit to make one from {}."
    lines = [
        *([_SYNTHETIC] if record.cohort.get("injected") else []),
        *_intervals(record),
        _CHECKS,
        *_not_looked_for(record),
        _SALIENCY,
        md(diagnosis, record.cohort["target"]),
    ]
    return [bullets(lines)]


def _intervals(record: Record) -> list[Markdown]:
    """Say what intervals speak of, how they were made, and what that costs."""
    n = count(held_out_subjects(record), "subject")
    found = {one.ci.estimand for one in record.measurements if one.ci is not None}
    lines = [md("No interval covers another cohort, or another way of recording.")]
    if "models" in found:
        lines.append(md("Intervals about these models are over the {} held out here.", n))
    if "procedure" in found:
        lines.append(
            md(
                "Intervals about this procedure are over the {} held out here, and cover other "
                "training subjects, as many as here. Subjects of several folds train each other's "
                "models: intervals are √2 times as wide towards no difference, and up to twice "
                "elsewhere, as they would be for models that are given.",
                n,
            )
        )
    if None in found:
        lines.append(md("Intervals of an earlier version do not say what they speak of."))
    return lines


def _not_looked_for(record: Record) -> list[Markdown]:
    looked_for = {f.code for f in record.findings if f.status not in ("not_applicable", "skipped")}
    codes = list(dict.fromkeys(f.code for f in record.findings if f.code not in looked_for))
    if not codes:
        return []
    return [md("Not looked for: {}. The table of checks says why.", joined(", ", codes))]


SECTION = Section(order=190, heading="Limits", text=_text)

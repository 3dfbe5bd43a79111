"""Whether predictions follow what they should not, beyond what the targets explain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.report.facts import regimes, value_with_interval
from pfactor_bench.report.section import Section
from pfactor_bench.report.text import md, name_list, table

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record
    from pfactor_bench.report.text import Markdown
    from pfactor_bench.types import Measurement


def _tested(record: Record) -> list[tuple[str, str, Measurement]]:
    """Return the regime, the confound and what was measured of each test."""
    return [
        (regime, found.name.rpartition("/")[2], found)
        for regime in regimes(record)
        for found in record.measurements
        if found.name.startswith(f"{regime}/confound/")
    ]


def _text(record: Record) -> list[Markdown]:
    tested = _tested(record)
    rows = [
        [
            regime,
            confound,
            value_with_interval(found),
            found.missing_because or f"{found.n_subjects} subjects",
        ]
        for regime, confound, found in tested
    ]
    about = md(
        "A small p says that the predictions tell something about the confound that the targets do "
        "not (generalised covariance measure after a spline of the target, Shah and Peters 2020, "
        "doi:10.1214/19-AOS1857). A large p does not show that they tell nothing.{}",
        _untested(record, {confound for _, confound, _ in tested}),
    )
    return [table(["regime", "confound", "p", ""], rows), about]


def _untested(record: Record, tested: set[str]) -> Markdown:
    """Name what a check found to correlate with the target and no row above is about."""
    found = dict.fromkeys(
        str(row["proxy"])
        for finding in record.findings
        if finding.code == "LK016" and finding.status == "warn"
        for row in finding.evidence
        if row.get("proxy") and row["proxy"] not in tested
    )
    names = name_list(list(found))
    return md(" Not tested, though LK016 warns of it: {}." if found else "", names)


SECTION = Section(
    order=100, heading="Confounds", text=_text, is_shown=lambda record: bool(_tested(record))
)

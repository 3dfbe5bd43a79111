"""Every claim, what was measured, and what became of it."""

from __future__ import annotations

from pfactor_bench.claims import required
from pfactor_bench.records.record import Record, find_measurement
from pfactor_bench.report.facts import ESTIMANDS, value_or_reason
from pfactor_bench.report.section import Section
from pfactor_bench.report.text import Markdown, bullets, md, table
from pfactor_bench.types import Claim, Verdict

_VERDICTS = {"holds": md("holds"), "fails": md("**fails**"), "inconclusive": md("inconclusive")}

_LEVELS_MEAN = md(
    "A reported claim is what the suite asks, whichever way it comes out. A gate, such as a number "
    "that must come out as before, fails the run where it does not hold, and says nothing more. "
    "No number of subjects stands where a number is not an estimate over subjects."
)


def _text(record: Record) -> list[Markdown]:
    """Return claims, those that fail first.

    Then what the suite asks, then the gates that hold: they only say that the run may be believed.
    """
    if not record.claims:
        return [md("The suite claims nothing.")]
    verdicts = {verdict.claim: verdict for verdict in record.verdicts}
    failing = {claim for claim, verdict in verdicts.items() if verdict.status == "fails"}
    claims = sorted(
        record.claims, key=lambda claim: (claim.id not in failing, claim.level == "gate")
    )
    rows = [_row(record, claim, verdicts.get(claim.id)) for claim in claims]
    headers = ["level", "claim", "subjects", "measured", "speaks of", "required", "verdict", "why"]
    return [table(headers, rows), _LEVELS_MEAN, _measured_what(record)]


def _row(record: Record, claim: Claim, verdict: Verdict | None) -> list[object]:
    measured = find_measurement(record, claim.measurement)
    return [
        claim.level,
        claim.text,
        f"{measured.n_subjects:,}" if measured and measured.n_subjects else "–",
        value_or_reason(measured),
        ESTIMANDS[measured.ci.estimand] if measured and measured.ci else "–",
        Markdown(required(claim.requirement)),
        _VERDICTS[verdict.status] if verdict else "not judged",
        verdict.explanation if verdict else "–",
    ]


def _measured_what(record: Record) -> Markdown:
    """Say what the numbers of claims are, where no section below shows them."""
    named = dict.fromkeys(claim.measurement for claim in record.claims)
    return bullets(
        [
            md("{}: {}.", name, found.note)
            for name in named
            if (found := find_measurement(record, name)) is not None and found.note
        ]
    )


SECTION = Section(order=20, heading="Claims", text=_text)

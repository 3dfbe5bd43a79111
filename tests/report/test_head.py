"""The first lines answer what a reviewer asks first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hostile import with_losses

from pfactor_bench.report.head import head_section

if TYPE_CHECKING:
    from pfactor_bench.record import Record


def answer(record: Record, question: str) -> str:
    """Return the answer beside a question."""
    (line,) = (line for line in head_section(record).splitlines() if question in line)
    return line.split("|")[2].strip()


def test_people_are_counted_on_both_sides(record: Record) -> None:
    """With folds and seeds, and whether they are enough."""
    assert answer(record, "On how many people?") == (
        "**4 people**, held out in 1 fold from models that were trained on 14 others, with 2 "
        "seeds. Fewer than 8 can carry no claim."
    )


@pytest.mark.parametrize(
    ("statuses", "word"),
    [
        (("pass", "fail", "error"), "Yes."),
        (("pass", "error"), "Not known."),
        (("not_applicable", "skipped"), "Not known."),
        ((), "Not known."),
        (("pass", "warn"), "None found."),
    ],
)
def test_leak_is_answered_in_a_word(record: Record, statuses: tuple, word: str) -> None:
    """A check that broke off, or none at all, is no reassurance."""
    findings = tuple(replace(record.findings[0], status=status) for status in statuses)
    said = answer(replace(record, findings=findings), "Is there a leak?")
    assert said.startswith(f"**{word}**")


def test_claims_that_do_not_hold_are_named(record: Record) -> None:
    """With what would settle them."""
    verdicts = (replace(record.verdicts[0], people_needed=309), record.verdicts[1])
    assert (
        "Inconclusive: It predicts better than the train mean (about 309 people would settle it)."
        in answer(replace(record, verdicts=verdicts), "What holds?")
    )


def test_failing_claims_come_before_inconclusive_ones(record: Record) -> None:
    """The gravest first."""
    verdicts = (record.verdicts[0], replace(record.verdicts[1], status="fails"))
    said = answer(replace(record, verdicts=verdicts), "What holds?")
    assert said.index("Fails: ") < said.index("Inconclusive: ")


def test_command_stands_in_the_first_lines(record: Record) -> None:
    """Ready to be copied."""
    head = head_section(record).splitlines()
    assert "pfactor-bench run suites/small.yaml" in head
    assert head.index("pfactor-bench run suites/small.yaml") < 25


def test_without_command_there_is_no_empty_block(record: Record) -> None:
    """A record of an older tool may lack it."""
    assert "```" not in head_section(replace(record, provenance={}))


def test_missing_cases_are_told_at_once(record: Record) -> None:
    """With the regimes that they are missing from; nothing where there are none."""
    assert answer(with_losses(record), "Is anything missing?") == (
        "**3 of 5 cases** gave no result, in from-scratch, linear-probe."
    )
    assert "Is anything missing?" not in head_section(record)

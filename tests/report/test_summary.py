"""The first lines answer what a reviewer asks first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hostile import with_losses

from pfactor_bench.report.sections.summary import SECTION, regime_lines

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record


def answer(record: Record, question: str) -> str:
    """Return the answer beside a question."""
    (line,) = (line for line in SECTION.shown(record).splitlines() if question in line)
    return line.split("|")[2].strip()


def test_simulated_subjects_are_called_so_at_once(record: Record) -> None:
    """Nobody may take the numbers for subjects'."""
    said = answer(record, "Whose EEG is it?")
    assert said.startswith("**Nobody's: the EEG and the targets are simulated.**")


def test_real_subjects_are_called_by_their_data_set(record: Record) -> None:
    """With where to find it, and the target."""
    made = {"source": "bids", "title": "Rest", "doi": "doi:10.1/x"}
    real = replace(record, cohort={**record.cohort, "injected": None, "provenance": made})
    assert answer(real, "Whose EEG is it?") == "Rest (doi:10.1/x). The target is p_factor."


def test_cohort_without_a_title_is_called_by_its_name(record: Record) -> None:
    """Arrays have neither title nor DOI."""
    made = {"source": "arrays"}
    real = replace(record, cohort={**record.cohort, "injected": None, "provenance": made})
    assert answer(real, "Whose EEG is it?") == "synthetic. The target is p_factor."


def test_subjects_are_counted_on_both_sides(record: Record) -> None:
    """With folds and seeds, and whether they are enough."""
    assert answer(record, "On how many subjects?") == (
        "**4 subjects**, held out in 1 fold from models that were trained on 14 others, with 2 "
        "seeds. Fewer than 8 can carry no claim."
    )


@pytest.mark.parametrize(
    ("first_test", "said"),
    [
        (14, "held out in 1 fold from models that were trained on 14 others"),
        (12, "trained on 14 subjects, some of those held out among them"),
        (0, "trained on 14 subjects, all of those held out among them"),
    ],
)
def test_subjects_trained_on_are_others_only_where_they_are(
    record: Record, first_test: int, said: str
) -> None:
    """Where windows are split, the same subjects stand in train and test."""
    last = 18 if first_test else 14
    (fold,) = record.split["folds"]
    test_subjects = [f"sub-{number:02d}" for number in range(first_test, last)]
    split = {**record.split, "folds": [{**fold, "test_subjects": test_subjects}]}
    assert said in answer(replace(record, split=split), "On how many subjects?")


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
    verdicts = (replace(record.verdicts[0], subjects_needed=309), record.verdicts[1])
    said = answer(replace(record, verdicts=verdicts), "What holds?")
    assert (
        "Inconclusive: It predicts better than the train mean (at least 309 subjects would be "
        "needed)." in said
    )


def test_interval_of_skill_says_what_it_speaks_of(record: Record) -> None:
    """Of a procedure where models were refitted in cross-validation."""
    skill = next(one for one in record.measurements if one.name == "from-scratch/skill")
    refitted = replace(skill, ci=replace(skill.ci, estimand="procedure"))
    others = tuple(one for one in record.measurements if one.name != skill.name)
    (line,) = regime_lines(replace(record, measurements=(*others, refitted)))
    assert "over subjects, of this procedure on new subjects." in line


def test_reported_claims_that_hold_are_named(record: Record) -> None:
    """Gates that hold are counted only."""
    holds = replace(record.verdicts[0], status="holds", explanation="it clears the threshold")
    said = answer(replace(record, verdicts=(holds, record.verdicts[1])), "What holds?")
    assert "Holds: It predicts better than the train mean." in said
    assert "Its error is the reference's" not in said


def test_warnings_are_told_in_words(record: Record) -> None:
    """A code alone tells a reader nothing."""
    warning = replace(record.findings[0], status="warn", explanation="only 4 subjects are held out")
    said = answer(replace(record, findings=(warning,)), "Is there a leak?")
    assert "1 check warned: LK002, only 4 subjects are held out." in said


def test_failing_claims_come_before_inconclusive_ones(record: Record) -> None:
    """The gravest first."""
    verdicts = (record.verdicts[0], replace(record.verdicts[1], status="fails"))
    said = answer(replace(record, verdicts=verdicts), "What holds?")
    assert said.index("Fails: ") < said.index("Inconclusive: ")


def test_command_stands_in_the_first_lines(record: Record) -> None:
    """Ready to be copied."""
    head = SECTION.shown(record).splitlines()
    assert "pfactor-bench run suites/small.yaml" in head
    assert head.index("pfactor-bench run suites/small.yaml") < 25


def test_without_command_there_is_no_empty_block(record: Record) -> None:
    """A record of an older tool may lack it."""
    assert "```" not in SECTION.shown(replace(record, provenance={}))


def test_missing_cases_are_told_at_once(record: Record) -> None:
    """With the regimes that they are missing from; nothing where there are none."""
    assert answer(with_losses(record), "Is anything missing?") == (
        "**3 of 5 cases** gave no result, in from-scratch, linear-probe."
    )
    assert "Is anything missing?" not in SECTION.shown(record)

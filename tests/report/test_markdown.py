"""The report: verdict first, nothing left out, a pure function of the record."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pfactor_bench.report import report_text
from pfactor_bench.types import (
    Claim,
    Finding,
    Interval,
    Measurement,
    Requirement,
    Timing,
    Verdict,
)

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record


def sections(text: str) -> dict[str, str]:
    """Return the text below each heading of the second level."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(["", *parts[1::2]], parts[::2], strict=True))


def rows(section: str) -> list[list[str]]:
    """Return the cells of a section's first table, without its head."""
    lines = list(
        takewhile(lambda line: line.startswith("|"), section[section.index("|") :].splitlines())
    )
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_report_is_deterministic(record: Record) -> None:
    """The same record gives the same text."""
    assert report_text(record) == report_text(record)


def test_only_timing_and_provenance_change_with_the_machine(record: Record) -> None:
    """When, where and how fast a run was made stands in three sections and nowhere else."""
    elsewhere = replace(
        record,
        timings=(Timing(name="from-scratch/seed-42/train", device="cuda", seconds=0.1),),
        findings=tuple(replace(finding, seconds=9.0) for finding in record.findings),
        provenance={
            "version": "9",
            "commit": None,
            "date": "2030-01-01",
            "command": record.provenance["command"],
        },
    )
    here, there = sections(report_text(record)), sections(report_text(elsewhere))
    changed = {name for name in here if here[name] != there[name]}
    assert changed == {"Timing", "Provenance", "Cite"}


def test_sections_stand_in_order(record: Record) -> None:
    """A reader finds things where they were last time."""
    assert list(sections(report_text(record))) == [
        "",
        "Claims",
        "What to know before quoting a number",
        "Checks",
        "Every seed",
        "Saliency",
        "Cohort",
        "Split",
        "Timing",
        "Provenance",
        "Cite",
        "Limits",
    ]


def test_verdict_stands_in_the_first_lines(record: Record) -> None:
    """The train mean, the number of subjects and the interval come before everything else."""
    assert (
        "**EEGConformer (from-scratch) was not shown to beat the train mean on 4 held-out "
        "subjects**: skill 0.061 [-0.762, 0.271], 95% interval over subjects."
    ) in sections(report_text(record))[""]


def test_verdict_says_what_its_interval_speaks_of(record: Record) -> None:
    """Of these models, or of the procedure that makes others."""
    skill = next(one for one in record.measurements if one.name == "from-scratch/skill")
    told = replace(skill, ci=replace(skill.ci, estimand="procedure"))
    others = tuple(told if one is skill else one for one in record.measurements)
    text = sections(report_text(replace(record, measurements=others)))[""]
    assert "95% interval over subjects, of this procedure on new subjects." in text


def test_verdict_counts_the_claims_that_hold(record: Record) -> None:
    """Gates and reported claims are counted apart."""
    text = sections(report_text(record))[""]
    assert "Claims that hold: 0 of 1 reported claim, 1 of 1 gate." in text


def test_verdict_names_the_leak(record: Record) -> None:
    """A failed check is in the first lines."""
    text = sections(report_text(record))[""]
    assert "The checks found a leak: LK003 Subject overlap." in text


def test_verdict_without_a_leak_promises_nothing(record: Record) -> None:
    """Finding nothing is not being clean."""
    text = report_text(replace(record, findings=record.findings[:2]))
    assert "1 check looked for leaks: none found, which is not the same as clean." in text


def test_verdict_without_checks_says_so(record: Record) -> None:
    """No check is no absence of leaks."""
    assert "No check looked for leaks." in report_text(replace(record, findings=()))


def test_broken_checks_are_in_the_verdict(record: Record) -> None:
    """A check that raised decided nothing, and the first lines say it."""
    broken = replace(record.findings[0], status="error")
    assert "1 check broke off and decided nothing: LK002." in report_text(
        replace(record, findings=(broken,))
    )


def test_warnings_are_in_the_verdict(record: Record) -> None:
    """A warning is no leak, and not nothing."""
    warning = replace(record.findings[0], status="warn")
    assert "1 check warned: LK002, no row twice." in report_text(
        replace(record, findings=(warning,))
    )


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.1, 0.5, "beat the train mean"),
        (-0.5, -0.1, "did worse than the train mean"),
        (-0.1, 0.1, "was not shown to beat the train mean"),
    ],
)
def test_interval_decides_where_the_suite_claims_nothing(
    record: Record, low: float, high: float, words: str
) -> None:
    """Good news and bad come in the same template."""
    changed = tuple(
        replace(m, n_subjects=24, ci=Interval(low=low, high=high, level=0.95, method="t"))
        if m.name == "from-scratch/skill"
        else m
        for m in record.measurements
    )
    text = report_text(replace(record, claims=(), verdicts=(), measurements=changed))
    assert f"(from-scratch) {words} on" in text


def test_few_subjects_never_beat_the_train_mean(record: Record) -> None:
    """An interval over 4 subjects carries no claim, however narrow."""
    narrow = Interval(low=0.1, high=0.2, level=0.95, method="t")
    changed = tuple(
        replace(m, ci=narrow) if m.name == "from-scratch/skill" else m for m in record.measurements
    )
    text = report_text(replace(record, claims=(), verdicts=(), measurements=changed))
    assert "was not shown to beat the train mean" in text


def test_what_the_suite_asks_comes_before_gates_that_hold(record: Record) -> None:
    """A gate that holds is no answer."""
    levels = [row[0] for row in rows(sections(report_text(record))["Claims"])]
    assert levels == ["report", "gate"]


def test_a_gate_that_fails_comes_first(record: Record) -> None:
    """It fails the run."""
    failed = (record.verdicts[0], replace(record.verdicts[1], status="fails"))
    text = report_text(replace(record, verdicts=failed))
    assert [row[0] for row in rows(sections(text)["Claims"])] == ["gate", "report"]


def test_a_claim_says_what_its_number_is(record: Record) -> None:
    """Where the measurement knows, and on how many subjects it rests."""
    auc = Measurement(
        name="source/auc", case="source", value=0.66, n_subjects=36, note="within subjects"
    )
    claim = Claim(id="a", text="a", measurement="source/auc", requirement=Requirement(above=0.5))
    told = replace(record, claims=(claim,), measurements=(auc,), verdicts=())
    section = sections(report_text(told))["Claims"]
    assert rows(section)[0][2:4] == ["36", "0.660"]
    assert "- source/auc: within subjects." in section


def test_a_claim_shows_what_was_measured_and_required(record: Record) -> None:
    """A reader can judge a claim without another file."""
    row = rows(sections(report_text(record))["Claims"])[0]
    assert row[2:7] == ["4", "0.061 [-0.762, 0.271]", "not stated", "> 0", "inconclusive"]


def test_a_claim_on_nothing_measured_is_shown(record: Record) -> None:
    """A claim whose measurement is absent does not vanish."""
    lost = Claim(id="x", text="x", measurement="no/where", requirement=Requirement(above=0))
    row = rows(sections(report_text(replace(record, claims=(lost,))))["Claims"])[0]
    assert row[2:4] == ["–", "not measured"]


def test_a_missing_number_prints_its_reason(record: Record) -> None:
    """A dash in a table is explained below it."""
    text = sections(report_text(record))["Every seed"]
    assert "from-scratch/r2: no value, the true targets are all equal." in text


def test_failures_come_first(record: Record) -> None:
    """Then what passed, then what could not be looked for."""
    codes = [row[0] for row in rows(sections(report_text(record))["Checks"])]
    assert codes == ["LK003", "LK002", "LK022"]


def test_every_check_appears_once(record: Record) -> None:
    """No status hides a check."""
    statuses = ("pass", "fail", "warn", "not_applicable", "skipped", "error")
    findings = tuple(
        Finding(code=f"LK9{i}", title="t", kinds=(), status=status, explanation="e")
        for i, status in enumerate(statuses)
    )
    table = rows(sections(report_text(replace(record, findings=findings)))["Checks"])
    assert sorted(row[0] for row in table) == [finding.code for finding in findings]


def test_failed_checks_show_their_evidence(record: Record) -> None:
    """The rows that show a leak follow, with how many there were."""
    text = sections(report_text(record))["Checks"]
    assert "sub-03" in text
    assert "The first 1 of 59 rows." in text


def test_passing_is_never_proof(record: Record) -> None:
    """The sentence stands in every report."""
    clean = report_text(replace(record, findings=record.findings[:1]))
    assert "does not prove the absence of leakage" in sections(clean)["Checks"]


def test_limits_name_what_was_not_looked_for(record: Record) -> None:
    """A check that did not apply is a limit, with its reason."""
    assert "Not looked for: LK022" in sections(report_text(record))["Limits"]


def test_window_numbers_stand_beside_those_of_subjects(record: Record) -> None:
    """Neither level is shown alone."""
    head = sections(report_text(record))["Every seed"].splitlines()[2]
    assert re.sub(" +", " ", head).startswith("| case | r, subjects | r, windows |")


def test_several_regimes_are_compared(two_regimes: tuple[Record, object]) -> None:
    """A table holds them side by side."""
    table = rows(sections(report_text(two_regimes[0]))["Regimes"])
    assert [row[0] for row in table] == ["from-scratch", "linear-probe"]


def test_cohort_notes_are_printed(record: Record) -> None:
    """Who was left out is written down."""
    assert "sub-99 was left out" in sections(report_text(record))["Cohort"]


def test_long_lists_of_subjects_are_cut(record: Record) -> None:
    """A fold of many subjects names the first ones and counts the rest."""
    fold = {**record.split["folds"][0], "test_subjects": [f"p{i}" for i in range(30)]}
    text = report_text(replace(record, split={**record.split, "folds": [fold]}))
    assert "p19 and 10 more" in sections(text)["Split"]


def test_timing_gives_windows_per_second(record: Record) -> None:
    """Speed is stated in what a user counts."""
    assert rows(sections(report_text(record))["Timing"])[0][3] == "672"


def test_uncommitted_edits_are_told(record: Record) -> None:
    """A commit that is not what ran says so."""
    dirty = replace(record, provenance={**record.provenance, "dirty": True})
    assert "edits that were not committed" in sections(report_text(dirty))["Provenance"]


def test_encoders_are_counted_and_not_spelt_out(record: Record) -> None:
    """Their manifests stand in the record."""
    encoders = [{"subjects": ["a", "b"], "sha256": "0" * 64}, {"subjects": ["a", "b", "c"]}]
    text = report_text(replace(record, provenance={**record.provenance, "encoders": encoders}))
    told = sections(text)["Provenance"]
    assert "2 encoders, pretrained on 2 to 3 subjects each" in told
    assert "0000" not in told


def test_numbers_that_were_computed_again_say_by_what(record: Record) -> None:
    """In words."""
    again = {"commit": "d" * 40, "dirty": False, "date": "2026-02-02T00:00:00+00:00"}
    text = report_text(replace(record, provenance={**record.provenance, "measured_again": again}))
    assert f"2026-02-02T00:00:00+00:00, by commit {'d' * 40}" in sections(text)["Provenance"]


def test_means_over_folds_are_told_from_pooled_numbers(record: Record) -> None:
    """Only where there are several folds."""
    said = "Held-out MSE and r are means over folds here"
    folds = [{**record.split["folds"][0], "name": name} for name in ("fold-0", "fold-1")]
    several = replace(record, split={**record.split, "folds": folds})
    assert said in sections(report_text(several))["Every seed"]
    assert said not in sections(report_text(record))["Every seed"]


def test_the_command_is_printed(record: Record) -> None:
    """A reader knows how to run it again."""
    text = sections(report_text(record))["Provenance"]
    assert "\npfactor-bench run suites/small.yaml\n```" in text


def test_real_eeg_is_not_called_synthetic(record: Record) -> None:
    """Only an injected signal makes a cohort synthetic."""
    real = replace(record, cohort={**record.cohort, "injected": None})
    assert "The cohort is synthetic" not in report_text(real)


def test_a_record_without_saliency_is_reported(record: Record) -> None:
    """A section that would be empty is left out."""
    without = replace(record, cases=tuple({**case, "saliency": []} for case in record.cases))
    assert "Saliency" not in sections(report_text(without))


def test_a_claim_whose_measurement_has_no_value_says_why(record: Record) -> None:
    """No value is a reason, not a zero."""
    claim = Claim(id="x", text="x", measurement="from-scratch/r2", requirement=Requirement(above=0))
    row = rows(sections(report_text(replace(record, claims=(claim,))))["Claims"])[0]
    assert row[3] == "no value: the true targets are all equal"


HOSTILE = st.text(max_size=30) | st.sampled_from(
    ["|", "a\n## Claims\n", "<img src=x>", "[x](http://x.test)", "`", "\\", "\u202ex", "\x1b[2Jx"]
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None
)
@given(text=HOSTILE)
def test_hostile_text_changes_no_structure(record: Record, text: str) -> None:
    """Whatever data are called, the report has the same headings, rows and columns."""

    def shape(report: str) -> list[int]:
        return [line.count("|") for line in report.splitlines() if line.startswith(("|", "#"))]

    hostile = replace(
        record,
        suite={**record.suite, "title": text, "question": text, "file": text},
        cohort={**record.cohort, "name": text, "target": text, "unit": text, "notes": [text]},
        findings=tuple(
            replace(f, title=text, explanation=text, fix="x" if f.fix else "")
            for f in record.findings
        ),
        claims=tuple(replace(claim, text=text) for claim in record.claims),
        verdicts=tuple(replace(verdict, explanation=text) for verdict in record.verdicts),
    )
    report = report_text(hostile)
    assert shape(report_text(record)) == shape(report)
    assert not re.search(r"<(?!sub>)[a-zA-Z!/]", report)


def test_verdicts_of_other_claims_do_not_matter(record: Record) -> None:
    """A verdict whose claim is gone is no reason to fail."""
    stray = Verdict(claim="gone", status="holds", level="report")
    assert report_text(replace(record, verdicts=(stray,)))


def test_importing_the_report_is_light() -> None:
    """Rendering text needs neither arrays nor models."""
    heavy = {"numpy", "pandas", "matplotlib", "torch", "braindecode", "scipy"}
    code = (
        "import sys; from pfactor_bench.report.sections import all_sections; all_sections(); "
        f"print({heavy!r} & {{*sys.modules}})"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"

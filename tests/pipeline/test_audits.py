"""What an audit of a regime finds is part of the run's record, and what was left out says why."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tiny_cases import tiny_suite

from pfactor_bench.auditing import regimes as audited
from pfactor_bench.auditing.result import Audit
from pfactor_bench.checks import catalogue
from pfactor_bench.cli.main import main
from pfactor_bench.cli.outcome import exit_code, verdict_lines
from pfactor_bench.pipeline import audits as stage
from pfactor_bench.pipeline.run import run
from pfactor_bench.pipeline.stages import Run
from pfactor_bench.publish.compare.changes import finding_changes
from pfactor_bench.publish.exports.properties import finding_properties
from pfactor_bench.publish.exports.sarif import sarif_log
from pfactor_bench.publish.exports.summary import summary_text
from pfactor_bench.records.record import read_record, write_record
from pfactor_bench.report import report_text
from pfactor_bench.types import Finding

if TYPE_CHECKING:
    from pathlib import Path

    from pfactor_bench.records.record import Record

BY_AUDIT = [entry.code for entry in catalogue() if "study" in entry.needs]


def audit_that_finds(status: str, seconds: float = 0.1) -> Audit:
    """Return an audit in which LK102 ended so and everything else passed."""
    return Audit(
        target="from-scratch",
        kind="study",
        cohort="synthetic",
        fingerprint="0" * 64,
        seed=0,
        n_runs=12,
        findings=tuple(
            Finding(
                code=entry.code,
                title=entry.title,
                kinds=entry.kinds,
                status=status if entry.code == "LK102" else "pass",
                explanation="others moved" if entry.code == "LK102" else "nothing moved",
                seconds=seconds,
            )
            for entry in catalogue()
        ),
    )


@pytest.fixture
def ran(tiny_report: Path) -> Record:
    """Return the record of a run whose audit was left out, since it costs more than the run."""
    return read_record(tiny_report)


@pytest.fixture
def leaky(ran: Record) -> Record:
    """Return the same record as if an audit had found a leak in its regime."""
    whole = [one for one in ran.findings if one.regime is None]
    whole += [
        Finding(code=code, title="looks", kinds=(), status="not_applicable", explanation="")
        for code in BY_AUDIT
    ]
    bare = replace(ran, findings=tuple(sorted(whole, key=lambda one: one.code)))
    return stage.with_audits(bare, {"from-scratch": audit_that_finds("fail")})


def test_audit_that_costs_more_than_the_run_is_left_out_with_the_reason(ran: Record) -> None:
    """Each of its checks says how to get it."""
    left_out = {one.code: one for one in ran.findings if one.regime == "from-scratch"}
    assert list(left_out) == BY_AUDIT
    assert {one.status for one in left_out.values()} == {"skipped"}
    assert {one.explanation.rpartition("; ")[2] for one in left_out.values()} == {
        "run with --audit"
    }


def test_report_names_regimes_that_were_not_audited(ran: Record) -> None:
    """Beside what the other checks found."""
    text = report_text(ran)
    assert "**Not audited: from-scratch**" in text
    assert "a re-executable study" not in text


def test_terminal_names_regimes_that_were_not_audited(ran: Record) -> None:
    """In a line, with how to get it."""
    (line,) = (one for one in verdict_lines(ran).splitlines() if one.startswith("not checked"))
    assert line.startswith("not checked  audit  from-scratch: an audit would train about 12 times")
    assert line.endswith("run with --audit")


def test_leak_that_an_audit_finds_fails_the_run(leaky: Record) -> None:
    """As any failed check does, and the terminal says in which regime."""
    assert exit_code(leaky) == 1
    assert "LK102 (from-scratch)" in verdict_lines(leaky)


def test_every_other_check_stands_once_and_audited_ones_once_a_regime(leaky: Record) -> None:
    """With their regime."""
    assert [one.code for one in leaky.findings] == [entry.code for entry in catalogue()]
    assert {one.regime for one in leaky.findings if one.code in BY_AUDIT} == {"from-scratch"}


def test_report_sarif_summary_and_properties_name_the_regime(leaky: Record) -> None:
    """Wherever the finding is shown."""
    assert "| LK102 (from-scratch) |" in report_text(leaky)
    assert "LK102 (from-scratch)" in summary_text(leaky)
    (finding,) = (one for one in leaky.findings if one.code == "LK102")
    assert ("regime", "from-scratch") in finding_properties(finding)
    (result,) = (
        one
        for one in sarif_log(leaky.findings, artifact="a", target="a")["runs"][0]["results"]
        if one["ruleId"] == "LK102"
    )
    assert result["message"]["text"].startswith("from-scratch: others moved")


def test_two_regimes_share_a_rule_in_sarif(leaky: Record) -> None:
    """A viewer knows a rule by its id, and results by their fingerprints."""
    (finding,) = (one for one in leaky.findings if one.code == "LK102")
    found = [finding, replace(finding, regime="linear-probe")]
    (log,) = sarif_log(found, artifact="a", target="a")["runs"]
    assert [rule["id"] for rule in log["tool"]["driver"]["rules"]] == ["LK102"]
    assert len({json.dumps(one["partialFingerprints"]) for one in log["results"]}) == 2


def test_comparison_sets_regimes_beside_each_other(leaky: Record) -> None:
    """A leak of one is not hidden by another that passes."""
    passing = [one for one in leaky.findings if one.code == "LK102"]
    before = replace(leaky, findings=tuple(replace(one, status="pass") for one in passing))
    after = replace(leaky, findings=(*passing, replace(passing[0], regime="other", status="pass")))
    worse = [one.name for one in finding_changes(before, after) if one.direction == "worse"]
    assert worse == ["LK102 (from-scratch)"]


def test_regime_of_a_finding_is_written_and_read(leaky: Record, tmp_path: Path) -> None:
    """Nothing is lost on the way."""
    write_record(leaky, tmp_path)
    assert leaky.findings == read_record(tmp_path).findings


def test_reports_count_a_check_of_several_regimes_once(leaky: Record) -> None:
    """Three regimes are no three checks."""
    more = tuple(replace(one, regime="other") for one in leaky.findings if one.regime)
    passing = [replace(one, status="pass") for one in leaky.findings]
    both = replace(leaky, findings=(*passing, *(replace(one, status="pass") for one in more)))
    assert f"{len(passing)} checks looked for leaks" in report_text(both)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the name of every study that is audited, with no audit at all."""
    names: list[str] = []

    def audit(study, _cohort, **_options) -> Audit:
        names.append(study.__name__)
        return audit_that_finds("pass")

    monkeypatch.setattr(audited, "audit", audit)
    return names


def run_with(folder: Path, audit: bool | None, **options: object) -> Record:  # noqa: FBT001
    """Run a tiny suite."""
    suite = tiny_suite(folder, **{"seeds": 1, **options})
    return run(suite, out=folder / "out", data_dir=None, device="cpu", audit=audit)


@pytest.mark.parametrize(("audit", "expected"), [(True, 1), (None, 0), (False, 0)])
def test_audit_is_run_where_it_is_asked_for(tmp_path: Path, counted, audit, expected: int) -> None:
    """By default, not where it costs more than the run."""
    record = run_with(tmp_path, audit)
    assert len(counted) == expected
    (finding,) = (one for one in record.findings if one.code == "LK101")
    assert finding.status == ("pass" if audit else "skipped")


def test_audit_that_is_cheaper_than_the_run_is_run_by_default(tmp_path: Path, counted) -> None:
    """Fifty seeds train for longer than a dozen runs of one."""
    run_with(tmp_path, None, seeds=50)
    assert counted == ["from-scratch"]


def test_audit_is_kept_with_the_cases(tmp_path: Path, counted) -> None:
    """A run that goes on does not repeat it, and shows it though nobody asks again."""
    run_with(tmp_path, audit=True)
    record = run_with(tmp_path, None)
    assert len(counted) == 1
    assert {one.status for one in record.findings if one.regime} == {"pass"}


def test_damaged_audit_is_run_again(tmp_path: Path, counted) -> None:
    """Half a file is none."""
    run_with(tmp_path, audit=True)
    (kept,) = (tmp_path / "out" / "cases").glob("audit-*.json")
    kept.write_text("{", encoding="utf-8")
    run_with(tmp_path, audit=True)
    assert len(counted) == 2


def test_regime_without_a_result_is_not_audited(tmp_path: Path, counted) -> None:
    """Its case failed, and the report says so."""
    suite = tiny_suite(tmp_path, seeds=2, fault="assert seed != 42, 'injected'")
    trained = Run(suite, device="cpu", out=tmp_path / "out")
    trained.train(suite.cases)
    found = stage.audit_regimes(trained, wanted=True)
    assert found == {"from-scratch": "not checked: from-scratch/seed-42 has no result"}
    assert counted == []


def test_command_takes_the_choice(tmp_path: Path, counted, capsys) -> None:
    """Both ways."""
    tiny_suite(tmp_path, seeds=1)
    common = [str(tmp_path / "suite.yaml"), "--out", str(tmp_path / "out"), "--workers", "1"]
    assert main(["run", *common, "--no-audit"]) == 0
    assert counted == []
    assert main(["run", *common, "--audit"]) == 0
    assert counted == ["from-scratch"]
    assert "error" not in capsys.readouterr().err

"""Records as other tools read them: valid by their schemas, harmless whatever data are called."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import yaml
from hostile import PAYLOADS, spoil, text
from huggingface_hub import ModelCard
from hypothesis import HealthCheck, given, settings
from markdown_it import MarkdownIt

from pfactor_bench.auditing.report import audit_report
from pfactor_bench.auditing.result import Audit
from pfactor_bench.cli.main import main
from pfactor_bench.publish.exports.model_card import model_card
from pfactor_bench.publish.exports.properties import claim_properties, finding_properties
from pfactor_bench.publish.exports.sarif import sarif_log
from pfactor_bench.publish.exports.summary import append_step_summary, summary_text
from pfactor_bench.records.record import read_record

ROOT = Path(__file__).parents[3]
OLD = ROOT / "tests" / "records" / "schema-1"
REPORTS = sorted(path.parent for path in ROOT.glob("reports/*/record.json"))
SARIF = jsonschema.Draft202012Validator(
    json.loads((ROOT / "tests" / "schemas" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
)
GITHUB = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


@pytest.fixture
def old():
    """Return the kept record of the case study."""
    return read_record(OLD)


def shape(markdown: str) -> list[tuple[str, str]]:
    """Return the elements of a text, without its words."""
    return [
        (part.type, part.tag)
        for block in GITHUB.parse(markdown)
        for part in (block, *(block.children or ()))
        if part.type != "text"
    ]


@pytest.mark.parametrize("folder", REPORTS, ids=lambda folder: folder.name)
def test_sarif_of_published_reports_is_valid(folder: Path, tmp_path: Path) -> None:
    """By the schema of SARIF 2.1.0, as the command writes it."""
    out = tmp_path / "findings.sarif"
    assert main(["export", str(folder), "--format", "sarif", "--out", str(out)]) == 0
    assert [error.message for error in SARIF.iter_errors(json.loads(out.read_text()))] == []


def test_every_check_is_in_sarif_once(old) -> None:
    """What did not apply too."""
    (run,) = sarif_log(old.findings, artifact="suites/a.yaml", target="a")["runs"]
    codes = [result["ruleId"] for result in run["results"]]
    assert [finding.code for finding in old.findings] == codes
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[result["ruleIndex"]] for result in run["results"]] == codes


@pytest.mark.parametrize(
    ("status", "kind", "level"),
    [
        ("fail", "fail", "error"),
        ("warn", "fail", "warning"),
        ("error", "open", "none"),
        ("pass", "pass", "none"),
        ("not_applicable", "notApplicable", "none"),
    ],
)
def test_statuses_become_kinds_and_levels(old, status: str, kind: str, level: str) -> None:
    """A viewer sorts by them."""
    finding = replace(old.findings[0], status=status)
    (run,) = sarif_log([finding], artifact="a", target="a")["runs"]
    (result,) = run["results"]
    assert (kind, level) == (result["kind"], result["level"])
    assert run["invocations"][0]["executionSuccessful"] == (status != "error")


@pytest.mark.parametrize("artifact", ["/etc/passwd", "../../x", "C:\\x", "a b#?.yaml", "", "./a"])
def test_sarif_names_a_file_within_the_repository(old, artifact: str) -> None:
    """Whatever it was called."""
    log = sarif_log(old.findings[:1], artifact=artifact, target="a")
    location = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    uri = location["artifactLocation"]["uri"]
    assert uri
    assert not uri.startswith("/")
    assert ".." not in uri.split("/")
    assert SARIF.is_valid(log)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None
)
@given(hostile=text)
def test_hostile_sarif_is_valid_and_links_nowhere(old, hostile: str) -> None:
    """SARIF knows links in messages; data bring none."""
    spoiled = spoil(old, hostile)
    log = sarif_log(spoiled.findings, artifact=f"suites/{hostile}", target=hostile)
    written = json.dumps(log, allow_nan=False)
    assert [error.message for error in SARIF.iter_errors(json.loads(written))] == []
    messages = [result["message"]["text"] for result in log["runs"][0]["results"]]
    assert [message for message in messages if "](" in message or "\x1b" in message] == []


@pytest.mark.parametrize("folder", REPORTS, ids=lambda folder: folder.name)
def test_model_card_is_read_by_the_hub(folder: Path) -> None:
    """With its numbers as results of an evaluation."""
    record = read_record(folder)
    card = ModelCard(model_card(record))
    results = {one.metric_type: one for one in card.data.eval_results}
    first = record.cases[0]["regime"]
    measured = {m.name: m.value for m in record.measurements}
    assert results["skill"].metric_value == measured[f"{first}/skill"]
    assert results["skill"].metric_args["n_subjects"] > 0
    assert "## Evaluation" in card.text


def test_model_card_of_an_unknown_regime_is_refused(capsys) -> None:
    """With the names that there are."""
    arguments = ["export", str(OLD), "--format", "model-card", "--regime", "from-scrtch"]
    assert main(arguments) == 2
    assert "did you mean 'from-scratch'" in capsys.readouterr().err


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None
)
@given(hostile=text)
def test_hostile_model_card_is_one_document(old, hostile: str) -> None:
    """Its metadata end where they should, and its text keeps its structure."""
    clean, dirty = model_card(old), model_card(spoil(old, hostile))

    def parts(card: str) -> tuple[object, str]:
        # A line of dashes; data may end a line in some.
        _, metadata, body = f"\n{card}".split("\n---\n", 2)
        return yaml.safe_load(metadata), body

    metadata, body = parts(dirty)
    assert metadata.keys() == parts(clean)[0].keys()
    assert shape(parts(clean)[1]) == shape(body)
    assert ModelCard(dirty).data.eval_results


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None
)
@given(hostile=text)
def test_hostile_summary_keeps_its_structure(old, hostile: str) -> None:
    """In the summary of a step, and no line starts a command of the runner."""
    failing = replace(old, findings=tuple(replace(f, status="fail") for f in old.findings[:2]))
    clean, dirty = summary_text(failing), summary_text(spoil(failing, hostile))
    assert shape(clean) == shape(dirty)
    assert [line for line in dirty.splitlines() if line.startswith(("::", "##["))] == []


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None
)
@given(hostile=text)
def test_hostile_audit_report_keeps_its_structure(old, hostile: str) -> None:
    """An audit runs strangers' code, and quotes its exceptions."""

    def written(record, name: str) -> list[tuple[str, str]]:
        findings = tuple(
            replace(f, status="error") if n < 3 else f for n, f in enumerate(record.findings)
        )
        return shape(
            audit_report(
                Audit(
                    target=name,
                    kind="study",
                    cohort=name,
                    fingerprint="0",
                    seed=0,
                    n_runs=1,
                    findings=findings,
                )
            )
        )

    assert written(old, "a.py:study") == written(spoil(old, hostile), f"a.py:study{hostile}")


@pytest.mark.parametrize("hostile", PAYLOADS)
def test_properties_are_text_that_xml_can_hold(old, hostile: str) -> None:
    """JUnit is XML, which knows no control characters."""
    spoiled = spoil(old, hostile)
    rows = [
        *claim_properties(spoiled.claims[0], spoiled),
        *finding_properties(spoiled.findings[0]),
    ]
    element = ET.Element("properties")
    for name, value in rows:
        ET.SubElement(element, "property", name=name, value=value)
    read = ET.fromstring(ET.tostring(element))  # noqa: S314
    assert rows == [(one.attrib["name"], one.attrib["value"]) for one in read]


def test_summary_is_appended_only_in_a_step(tmp_path: Path, monkeypatch) -> None:
    """And never beyond what GitHub shows."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    append_step_summary("nowhere")
    path = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    append_step_summary("one")
    append_step_summary("two")
    append_step_summary("x" * 2**20)
    assert path.read_text() == "one\ntwo\n"


@pytest.mark.parametrize("kind", ["sarif", "model-card", "summary", "bibtex"])
def test_export_prints_without_a_file(kind: str, capsys) -> None:
    """Ready for a pipe."""
    assert main(["export", str(OLD), "--format", kind]) == 0
    assert len(capsys.readouterr().out) > 100


def test_export_into_a_missing_folder_is_an_error(tmp_path: Path, capsys) -> None:
    """With the fix."""
    out = str(tmp_path / "no" / "x")
    assert main(["export", str(OLD), "--format", "bibtex", "--out", out]) == 2
    assert "--out" in capsys.readouterr().err

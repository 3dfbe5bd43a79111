"""Records of every released schema are read, and what is written obeys the published schema."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import MISSING, asdict, fields, replace
from functools import reduce
from operator import getitem
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from pfactor_bench.cli.main import main
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.records.facts import cohort_facts
from pfactor_bench.records.migrations import SCHEMA_VERSION, migrate
from pfactor_bench.records.record import read_record
from pfactor_bench.records.schema import record_schema
from pfactor_bench.report.cohort_overview import cohort_table
from pfactor_bench.types import Claim, Finding, Interval, Measurement, Requirement, Timing, Verdict

ROOT = Path(__file__).parents[2]
OLD = sorted(path.parent for path in Path(__file__).parents[1].glob("records/schema-*/record.json"))
PUBLISHED = sorted(path.parent for path in ROOT.glob("reports/*/record.json"))
SCHEMA = json.loads((ROOT / "docs" / "record.schema.json").read_text(encoding="utf-8"))

#: Value types that the schema describes by their names.
DESCRIBED = (Measurement, Interval, Finding, Claim, Requirement, Verdict, Timing)


@pytest.fixture(params=OLD, ids=lambda folder: folder.name)
def old_report(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a folder with a record that an earlier version wrote, free to change."""
    return Path(shutil.copytree(request.param, tmp_path / "old"))


def test_every_earlier_schema_is_among_the_kept_records() -> None:
    """Without them, nothing below would be tested."""
    expected = [f"schema-{version}" for version in range(1, SCHEMA_VERSION)]
    assert expected == [folder.name for folder in OLD]


def test_old_record_is_what_its_folder_says(old_report: Path, request) -> None:
    """Nobody migrated it by accident."""
    version = json.loads((old_report / "record.json").read_text())["schema_version"]
    assert request.node.callspec.id == f"schema-{version}"


def test_old_record_judges(old_report: Path, capsys) -> None:
    """With the verdicts that it was written with, whatever sentences explain them by now."""
    before = read_record(old_report).verdicts
    assert main(["judge", str(old_report)]) == 0
    after = read_record(old_report).verdicts
    # Four held-out subjects no longer tell how many would settle a claim.
    assert [replace(one, explanation="", subjects_needed=None) for one in before] == [
        replace(one, explanation="") for one in after
    ]
    assert "differs from the reference" in capsys.readouterr().out


def test_old_record_renders(old_report: Path) -> None:
    """Report and figure."""
    assert main(["render", str(old_report)]) == 0
    assert (old_report / "report.md").stat().st_size > 10_000


def test_old_record_compares_with_one_that_knows_more(
    old_report: Path, tiny_report: Path, capsys
) -> None:
    """What it does not hold is not known, and said so."""
    assert main(["compare", str(old_report), str(tiny_report)]) == 0
    assert re.search(r"\| engine +\| not known +\| fast +\|", capsys.readouterr().out)


def test_old_record_does_not_say_what_trained_it(old_report: Path) -> None:
    """And its report says that."""
    assert {case["trained_by"] for case in read_record(old_report).cases} == {None}
    main(["render", str(old_report)])
    assert "Which engine trained the cases is not known." in (old_report / "report.md").read_text()


def test_judging_writes_the_present_schema(old_report: Path) -> None:
    """So that a record is migrated once."""
    main(["judge", str(old_report)])
    written = json.loads((old_report / "record.json").read_text())
    jsonschema.validate(written, SCHEMA)
    assert written["schema_version"] == SCHEMA_VERSION


def test_committed_schema_is_up_to_date() -> None:
    """After a change, run ``python -m pfactor_bench.records.schema > docs/record.schema.json``."""
    assert record_schema() == SCHEMA
    command = [sys.executable, "-m", "pfactor_bench.records.schema"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == (ROOT / "docs" / "record.schema.json").read_text(encoding="utf-8")


def test_interval_of_an_earlier_schema_does_not_say_what_it_speaks_of(old_report: Path) -> None:
    """Nor its degrees of freedom: neither is guessed."""
    known = [one.ci for one in read_record(old_report).measurements if one.ci]
    assert {(None, None)} == {(ci.estimand, ci.df) for ci in known}


@pytest.mark.parametrize(
    ("former", "present"),
    [
        ("from-scratch/shuffled_r_p", "from-scratch/permuted_r_share"),
        ("from-scratch/spread/people × seed", "from-scratch/variance/subjects × seed"),
        ("a/seed-1/saliency_all_planted_share", "a/seed-1/saliency_all_injected_share"),
        ("from-scratch/mse", "from-scratch/mse"),
    ],
)
def test_number_has_its_present_name(old_report: Path, former: str, present: str) -> None:
    """In the measurement and in claims about it; the value is the same."""
    data = json.loads((old_report / "record.json").read_text())
    data["measurements"].append({"name": former, "value": 0.5, "unit": "score²"})
    data["claims"][0]["measurement"] = former
    migrated = migrate(data)
    assert migrated["measurements"][-1] == {
        "name": present,
        "value": 0.5,
        "unit": "target²",
        "ci": None,
    }
    assert migrated["claims"][0]["measurement"] == present


def test_cohort_says_subjects_and_targets(old_report: Path) -> None:
    """And holds what it held."""
    before = json.loads((old_report / "record.json").read_text())["cohort"]
    after = migrate(json.loads((old_report / "record.json").read_text()))["cohort"]
    assert (before["score_mean"], before["planted"]) == (after["target_mean"], after["injected"])
    if before.get("people"):
        assert before["people"]["scores"] == after["subjects"]["targets"]
    assert not {"people", "score_mean", "score_sd", "planted"} & set(after)


def test_suite_of_an_old_record_has_its_present_keys(old_report: Path) -> None:
    """So that its run can be measured again."""
    data = json.loads((old_report / "record.json").read_text())
    source = {"kind": "score", "people": "outside-fold", "budget": {"scores": "standardized"}}
    data["suite"]["definition"] |= {"source": source, "budget": {"scores": "as-they-are"}}
    definition = migrate(data)["suite"]["definition"]
    assert definition["budget"] == {"targets": "as-they-are"}
    assert definition["source"] == {
        "kind": "target",
        "subjects": "outside-fold",
        "budget": {"targets": "standardized"},
    }


def test_schema_says_which_it_is() -> None:
    """It used to be kept by hand, and said 2 where it described 3."""
    assert SCHEMA["$id"] == f"urn:pfactor-bench:record:{SCHEMA_VERSION}"


def test_options_of_an_engine_that_are_gone_are_still_told(old_report: Path) -> None:
    """A record of an earlier version may name some."""
    path = old_report / "record.json"
    data = migrate(json.loads(path.read_text()))
    engine = {"kind": "fast", "precision": "bf16", "graphs": True, "compile": False}
    how = {"engine": engine, "fallback": None, "precision_error": 0.01}
    data["cases"] = [{**case, "trained_by": how} for case in data["cases"]]
    path.write_text(json.dumps(data))
    assert main(["render", str(old_report)]) == 0
    report = (old_report / "report.md").read_text()
    assert "Trained by: fast, precision: bf16, graphs: True." in report


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("measurements", 0, "value"), "0.3", "measurements[0].value is '0.3': should be a valid"),
        (("measurements", 0, "value"), True, "measurements[0].value is True"),
        (("measurements", 0), 3, "measurements[0] is 3"),
        (("cohort", "n_subjects"), 2.5, "cohort.n_subjects is 2.5"),
        (("cohort", "n_subjects"), -1, "cohort.n_subjects is -1: should be greater than or equal"),
        (("cohort", "target_sd"), 10**400, "the number 10000000000000000000... has 401 digits"),
        (
            ("cohort", "target_sd"),
            float("inf"),
            "cohort.target_sd is inf: should be a finite number",
        ),
        (("measurements", 0, "value"), float("nan"), "measurements[0].value is nan"),
        (("suite", "definition", "x"), float("inf"), "Out of range float values"),
        (("suite", "sha256"), "x" * 100, "suite.sha256 is 'xxxxxx"),
        (("split", "folds", 0, "train_subjects"), "all", "split.folds[0].train_subjects is 'all'"),
        (("findings", 0, "status"), "fine", "findings[0].status is 'fine'"),
        (("claims", 0, "requirement"), None, "claims[0].requirement is None"),
        (("cases",), {}, "cases is {}"),
        (("provenance",), [], "provenance is []"),
    ],
)
def test_broken_field_is_named(
    old_report: Path, path: tuple[str | int, ...], value: object, message: str, capsys
) -> None:
    """With the file, exit code 2 and no traceback."""
    file = old_report / "record.json"
    data = migrate(json.loads(file.read_text()))
    *way, last = path
    reduce(getitem, way, data)[last] = value
    file.write_text(json.dumps(data))
    assert main(["judge", str(old_report)]) == 2
    error = capsys.readouterr().err
    assert str(file) in error
    assert message in error


def test_missing_field_is_named(old_report: Path, capsys) -> None:
    """As one that is wrong."""
    file = old_report / "record.json"
    data = migrate(json.loads(file.read_text()))
    del data["cohort"]["ch_names"]
    file.write_text(json.dumps(data))
    assert main(["render", str(old_report)]) == 2
    assert "cohort.ch_names is missing" in capsys.readouterr().err


@pytest.mark.parametrize("depth", [500, 100_000])
def test_deep_nesting_is_refused(old_report: Path, depth: int, capsys) -> None:
    """However deep."""
    file = old_report / "record.json"
    nested = "[" * depth + "]" * depth
    text = json.dumps(migrate(json.loads(file.read_text())) | {"suite": "HERE"})
    file.write_text(text.replace('"HERE"', nested))
    assert main(["judge", str(old_report)]) == 2
    assert str(file) in capsys.readouterr().err


def test_fields_of_later_versions_are_ignored(old_report: Path) -> None:
    """As the schema promises."""
    file = old_report / "record.json"
    data = migrate(json.loads(file.read_text()))
    data["findings"][0]["mood"] = data["mood"] = "good"
    file.write_text(json.dumps(data))
    assert main(["judge", str(old_report)]) == 0


def test_migrating_leaves_the_original_alone() -> None:
    """A caller may still hold it."""
    original = json.loads((OLD[0] / "record.json").read_text())
    copy = json.loads(json.dumps(original))
    migrate(original)
    assert copy == original


@pytest.mark.parametrize("version", [None, 0, 99, "1", True, 1.0])
def test_unknown_schema_is_refused(version: object) -> None:
    """With the version that was found."""
    with pytest.raises(ValueError, match="schema_version"):
        migrate({"schema_version": version})


@pytest.mark.parametrize("folder", PUBLISHED, ids=lambda folder: folder.name)
def test_published_record_obeys_the_schema(folder: Path) -> None:
    """Once it is migrated."""
    data = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    jsonschema.validate(migrate(data), SCHEMA)


def test_a_new_record_obeys_the_schema(tiny_report: Path) -> None:
    """As it is written, without migration."""
    data = json.loads((tiny_report / "record.json").read_text(encoding="utf-8"))
    jsonschema.validate(data, SCHEMA)
    assert sum(data["cohort"]["subjects"]["n_windows"]) == data["cohort"]["n_windows"]


@pytest.mark.parametrize("value_type", DESCRIBED, ids=lambda value_type: value_type.__name__)
def test_schema_names_the_fields_that_exist(value_type: type) -> None:
    """And requires those that have no default."""
    described = SCHEMA["$defs"][value_type.__name__]
    known = {field.name for field in fields(value_type)}
    needed = {
        f.name for f in fields(value_type) if f.default is MISSING and f.default_factory is MISSING
    }
    assert set(described["properties"]) == known
    assert needed <= set(described.get("required", ()))


@pytest.mark.parametrize(
    "broken",
    [
        {"value": None, "missing_because": None},
        {"value": 1.0, "missing_because": "for no reason"},
        {"value": "0.3", "missing_because": None},
    ],
)
def test_schema_wants_a_value_or_a_reason(broken: dict[str, object]) -> None:
    """Exactly one of them."""
    data = migrate(json.loads((OLD[0] / "record.json").read_text()))
    data["measurements"] = [{"name": "a/b", "case": "a", **broken}]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, SCHEMA)


def test_text_that_utf_8_cannot_hold_is_kept(tmp_path: Path) -> None:
    """A file's name may have brought half of a surrogate pair."""
    from dataclasses import replace

    from pfactor_bench.records.record import write_record

    record = read_record(OLD[0])
    odd = replace(record, cohort={**record.cohort, "notes": ["\ud800 | \U0001f9e0 é"]})
    write_record(odd, tmp_path)
    assert read_record(tmp_path).cohort["notes"] == ["\ud800 | \U0001f9e0 é"]


def test_reading_and_writing_keep_a_record(old_report: Path, tmp_path: Path) -> None:
    """Nothing is lost on the way."""
    from pfactor_bench.records.record import write_record

    record = read_record(old_report)
    write_record(record, tmp_path)
    assert asdict(record) == asdict(read_record(tmp_path))


def test_recorded_sd_is_the_one_that_is_shown() -> None:
    """A cohort has one SD, the sample's, wherever it is told."""
    cohort = synthetic(n_subjects=6, n_windows=2)
    sd = cohort_facts(cohort)["target_sd"]
    assert sd == pytest.approx(np.std(cohort.y[::2], ddof=1))
    assert f"SD {sd:.3f}" in cohort_table(cohort)

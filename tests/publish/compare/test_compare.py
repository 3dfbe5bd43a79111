"""Two reports beside each other: what got worse, by how much, and what else differs."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import PAYLOADS, spoil
from markdown_it import MarkdownIt

from pfactor_bench.cli.main import main
from pfactor_bench.publish.compare.changes import claim_changes, finding_changes, regressions
from pfactor_bench.publish.compare.differences import other_differences, paired_errors, speed_ratios
from pfactor_bench.publish.compare.words import comparison_text
from pfactor_bench.records.record import read_arrays, read_record
from pfactor_bench.types import Requirement, Timing

ROOT = Path(__file__).parents[3]
CASE_STUDY = ROOT / "tests" / "records" / "schema-1"
LEARNABLE = ROOT / "reports" / "learnable"


@pytest.fixture(scope="module")
def old():
    """Return the kept record of the case study."""
    return read_record(CASE_STUDY)


@pytest.fixture
def arrays() -> dict[str, Any]:
    """Return its arrays."""
    return read_arrays(CASE_STUDY)


def judged(record, **statuses: str):
    """Return a record in which claims got other verdicts."""
    return record.judged(
        tuple(
            replace(verdict, status=statuses.get(verdict.claim.replace("-", "_"), verdict.status))
            for verdict in record.verdicts
        )
    )


def direction(changes, name: str) -> str:
    """Return which way one claim or check went."""
    return next(change.direction for change in changes if change.name == name)


def test_a_report_is_as_good_as_itself(old, arrays) -> None:
    """No regression, no difference."""
    text, worse = comparison_text(("a", old, arrays), ("b", old, arrays))
    assert worse == []
    assert "**No regression**, 0 improvements; 11 claims as before." in text
    assert "Nothing that the records hold." in text


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("holds", "fails", "worse"),
        ("holds", "inconclusive", "worse"),
        ("inconclusive", "fails", "worse"),
        ("inconclusive", "holds", "better"),
        ("holds", "holds", "same"),
    ],
)
def test_verdicts_are_ordered(old, before: str, after: str, expected: str) -> None:
    """Inconclusive lies between holding and failing."""
    changes = claim_changes(
        judged(old, beats_train_mean=before), judged(old, beats_train_mean=after)
    )
    assert expected == direction(changes, "beats-train-mean")


def test_another_threshold_is_another_question(old) -> None:
    """Neither better nor worse."""
    claims = tuple(replace(c, requirement=Requirement(above=-9)) for c in old.claims)
    assert {c.direction for c in claim_changes(old, replace(old, claims=claims))} == {"other"}


def test_a_claim_that_held_and_is_gone_is_worse(old) -> None:
    """Or deleting a gate would pass one."""
    without = replace(old, claims=old.claims[1:], verdicts=old.verdicts[1:])
    assert direction(claim_changes(old, without), old.claims[0].id) == "worse"
    assert direction(claim_changes(without, old), old.claims[0].id) == "same"


@pytest.mark.parametrize(
    ("status", "expected"), [("fail", "worse"), ("error", "worse"), ("warn", "worse")]
)
def test_a_check_that_no_longer_passes_is_worse(old, status: str, expected: str) -> None:
    """A check that broke off protects nobody."""
    findings = tuple(replace(f, status=status) if f.code == "LK003" else f for f in old.findings)
    changes = finding_changes(old, replace(old, findings=findings))
    assert [(change.name, change.direction) for change in changes] == [("LK003", expected)]


def test_a_check_that_never_applied_is_not_missed(old) -> None:
    """It is listed, and no regression."""
    without = replace(old, findings=tuple(f for f in old.findings if f.code != "LK036"))
    assert direction(finding_changes(old, without), "LK036") == "same"


def test_a_larger_error_beyond_its_interval_is_a_regression(old, arrays) -> None:
    """Each subject's error grew by about as much."""
    worse = {**arrays, "from-scratch/y_pred": arrays["from-scratch/y_pred"] + 9.0}
    (found,) = paired_errors(old, old, arrays, worse)
    assert found.ci is not None
    assert found.ci.high < 0
    assert regressions([], [], [found]) == [
        "regime from-scratch: its error grew, and the whole interval says so"
    ]


def test_difference_is_that_of_squared_errors_in_shares_of_the_train_means(old, arrays) -> None:
    """Computed from the stored predictions, by hand."""
    other = {**arrays, "from-scratch/y_pred": arrays["from-scratch/y_pred"] * 2}
    y_true = arrays["y_true"]
    gained = (
        (y_true - arrays["from-scratch/y_pred"]) ** 2 - (y_true - other["from-scratch/y_pred"]) ** 2
    ).mean()
    base = ((y_true - arrays["y_base"]) ** 2).mean()
    (found,) = paired_errors(old, old, arrays, other)
    assert found.value == pytest.approx(gained / base)


def test_subjects_are_paired_by_name(old, arrays) -> None:
    """Their order in a record means nothing."""
    order = np.array([2, 0, 3, 1])
    permuted = {
        name: values[..., order] if values.shape[-1:] == (4,) and "mse" not in name else values
        for name, values in arrays.items()
        if name in ("subjects", "y_true", "y_base", "from-scratch/y_pred")
    }
    (found,) = paired_errors(old, old, arrays, permuted)
    assert (found.value, found.why) == (0.0, "the same predictions")


def test_other_targets_are_not_paired(old, arrays) -> None:
    """The same names may hide other data."""
    (found,) = paired_errors(old, old, arrays, {**arrays, "y_true": arrays["y_true"] + 1})
    assert found.value is None
    assert "another target" in found.why


def test_nobody_in_common_is_not_paired(old, arrays) -> None:
    """Other subjects are another sample."""
    strangers = {**arrays, "subjects": np.array(["a", "b", "c", "d"])}
    (found,) = paired_errors(old, old, arrays, strangers)
    assert found.why == "nobody is held out in both"


def test_a_regime_that_is_gone_is_a_regression(old, arrays) -> None:
    """Or dropping a bad one would look like an improvement."""
    renamed = replace(old, cases=tuple({**c, "regime": "other"} for c in old.cases))
    found = paired_errors(old, renamed, arrays, arrays)
    assert regressions([], [], found) == ["regime from-scratch: gone"]


def test_speeds_of_one_machine_are_compared(old) -> None:
    """Work by work."""
    slower = replace(old, timings=tuple(replace(t, seconds=3 * t.seconds) for t in old.timings))
    (ratio,) = speed_ratios(old, slower)
    assert (ratio.value, ratio.n) == (pytest.approx(3), 2)


@pytest.mark.parametrize("key", ["cpu", "threads", "device", "n_cpus"])
def test_speeds_of_two_machines_are_not(old, key: str) -> None:
    """And what differs is named."""
    other = replace(old, provenance={**old.provenance, key: "another"})
    assert "another" in speed_ratios(old, other)


def test_unlike_work_has_no_ratio(old) -> None:
    """Nothing was timed in both."""
    other = replace(old, timings=(Timing(name="else", device="cpu", seconds=1.0),))
    assert "no work was timed in both" in speed_ratios(old, other)


def test_packages_code_and_suite_are_told(old) -> None:
    """What else could have moved a number."""
    other = replace(
        old,
        provenance={**old.provenance, "commit": "f" * 40, "packages": {"torch": "9"}},
        suite={**old.suite, "sha256": "0" * 64},
    )
    names = {name for name, _, _ in other_differences(old, other)}
    assert {"commit", "package torch", "suite file, sha256"} <= names


def test_command_prints_and_returns_1_only_when_asked(tmp_path: Path, capsys) -> None:
    """A regression alone is news, not a failure."""
    shutil.copytree(CASE_STUDY, tmp_path / "new")
    path = tmp_path / "new" / "record.json"
    data = json.loads(path.read_text())
    data["verdicts"][0]["status"] = "fails"
    path.write_text(json.dumps(data))
    arguments = ["compare", str(CASE_STUDY), str(path)]
    assert main(arguments) == 0
    assert main([*arguments, "--fail-on", "regression"]) == 1
    assert "**1 regression**" in capsys.readouterr().out


def test_several_reports_are_set_beside_the_first(tmp_path: Path) -> None:
    """Into a file, for a comment."""
    out = tmp_path / "comment.md"
    assert main(["compare", *3 * [str(LEARNABLE)], "--out", str(out)]) == 0
    assert out.read_text().count("## learnable → learnable") == 2


def test_missing_folder_for_the_file_is_an_error(tmp_path: Path, capsys) -> None:
    """With the fix."""
    out = str(tmp_path / "no" / "where.md")
    assert main(["compare", str(CASE_STUDY), str(LEARNABLE), "--out", out]) == 2
    assert "--out" in capsys.readouterr().err


@pytest.mark.parametrize("hostile", PAYLOADS)
def test_hostile_text_changes_no_structure(old, arrays, hostile: str) -> None:
    """Under a pull request, a comparison is a comparison."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    regime = f"from-scratch{hostile}"
    renamed = {k.replace("from-scratch", regime): v for k, v in arrays.items()}
    spoiled = spoil(old, hostile)

    def shape(text: str) -> list[str]:
        return [
            part.type
            for block in parser.parse(text)
            for part in (block, *(block.children or ()))
            if part.type != "text"
        ]

    clean, _ = comparison_text(("a", old, arrays), ("b", judged(old, figure_r="fails"), arrays))
    dirty, _ = comparison_text(
        (f"a{hostile}", spoiled, renamed), ("b", judged(spoiled, figure_r="fails"), renamed)
    )
    assert shape(clean) == shape(dirty)

"""Suites are found by name, wherever the package is installed, and by path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from suites_for_tests import TINY_SUITE

from pfactor_bench.cli.main import main
from pfactor_bench.config import bundled_suites, load_suite
from pfactor_bench.config.named import cohort_recipe
from pfactor_bench.errors import ConfigError, UnknownNameError
from pfactor_bench.pipeline.conclude import command_to_repeat

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", bundled_suites())
def test_suite_has_the_name_that_its_file_has(name: str) -> None:
    """So that one is found without reading them all."""
    assert load_suite(name).name == name


def test_ledger_of_failures_is_no_suite() -> None:
    """It only lies there."""
    assert "expected-failures" not in bundled_suites()


def test_path_wins_over_a_name(tmp_path: Path, monkeypatch) -> None:
    """A file that has no suffix is found as before."""
    (tmp_path / "case-study").write_text(TINY_SUITE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert load_suite("case-study").name == "tiny"


@pytest.mark.parametrize(
    "command",
    [["run"], ["plan"], ["permute"], ["learning-curve"]],
    ids=" ".join,
)
def test_misspelt_suite_is_refused_with_the_closest(command: list[str], capsys) -> None:
    """By every command that takes one."""
    assert main([*command, "case-studdy"]) == 2
    assert "unknown suite 'case-studdy': did you mean 'case-study'?" in capsys.readouterr().err


def test_judge_takes_claims_from_a_suite_by_name(tiny_report: Path, capsys) -> None:
    """As from a path."""
    assert main(["judge", str(tiny_report), "--suite", "case-studdy"]) == 2
    assert "did you mean 'case-study'?" in capsys.readouterr().err


def test_missing_file_is_not_taken_for_a_name() -> None:
    """Whoever types a path wants that file."""
    with pytest.raises(ConfigError, match=r"cannot read the suite 'suites/none\.yaml'"):
        load_suite("suites/none.yaml")


def test_cohort_of_a_suite_is_found_by_name() -> None:
    """For `cohort` and for `audit --cohort`."""
    assert cohort_recipe("regimes").args["n_subjects"] == 40


def test_kind_of_cohort_wins_over_a_suite_of_its_name() -> None:
    """`cohort hbn --set …` starts from the kind's own defaults."""
    assert cohort_recipe("hbn").args == {}


def test_misspelt_cohort_is_refused_with_the_closest() -> None:
    """Among kinds and suites."""
    with pytest.raises(UnknownNameError, match="unknown cohort 'learnabel': did you mean 'learna"):
        cohort_recipe("learnabel")


def test_command_to_repeat_names_a_suite_that_is_elsewhere(tmp_path: Path, monkeypatch) -> None:
    """Where the package lies is nobody's business."""
    monkeypatch.chdir(tmp_path)
    assert command_to_repeat(load_suite("case-study")) == "pfactor-bench run case-study"


def test_suites_are_listed_with_what_they_need(capsys) -> None:
    """Name, quick or not, data, title."""
    assert main(["suites"]) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert rows.keys() == bundled_suites().keys()
    assert "  quick  no data" in rows["case-study"]
    assert "needs eegmat" in rows["eegmat"]
    assert rows["learnable"].endswith("Positive control: a signal that can be found is found")

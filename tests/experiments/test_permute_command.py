"""``pfactor-bench permute``: what is written, what is kept, what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hostile import PAYLOADS
from markdown_it import MarkdownIt
from regime_suites import REGIME_SUITE, suite_of

from pfactor_bench.cli.main import main
from pfactor_bench.experiments.permutation import run as permutation_runs
from pfactor_bench.experiments.permutation.null import Null
from pfactor_bench.experiments.permutation.page import permutation_page
from pfactor_bench.experiments.permutation.run import PermutationTest, file_name
from pfactor_bench.types import Case, ModelSpec

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """Return a suite that trains from scratch and probes."""
    return suite_of(tmp_path, REGIME_SUITE).path


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets how many rows of targets each call trained on."""
    counts: list[int] = []
    original = permutation_runs.trained_correlations

    def counted(case, cohort, split, budget, targets, **keywords):
        counts.append(len(targets))
        return original(case, cohort, split, budget, targets, **keywords)

    monkeypatch.setattr(permutation_runs, "trained_correlations", counted)
    return counts


def permute(suite: Path, *options: str) -> dict[str, object]:
    """Run the command; return what it wrote."""
    out = suite.parent / "out"
    assert main(["permute", str(suite), "--out", str(out), *options]) == 0
    (written,) = (out / "permutations").glob("*.json")
    return json.loads(written.read_text())


def test_regime_is_trained_anew_for_each_permutation(suite: Path, capsys) -> None:
    """With p, its interval and what it cannot show."""
    found = permute(suite, "--n", "3")
    assert ("from-scratch", 1, "training", 3) == (
        found["regime"],
        found["seed"],
        found["method"],
        len(found["permuted"]),
    )
    as_high = sum(r >= found["observed"] for r in found["permuted"])
    assert found["p_value"] == (1 + as_high) / 4
    printed = capsys.readouterr().out
    assert "3 permutations can show no p below 0.25" in printed
    stem = suite.parent / "out" / "permutations" / "from-scratch-seed-1"
    assert "p = " in stem.with_suffix(".md").read_text()
    assert stem.with_suffix(".png").stat().st_size > 5_000


def test_probe_is_solved_in_closed_form(suite: Path, runs: list[int]) -> None:
    """For as many permutations as there are at once."""
    found = permute(suite, "--regime", "linear-probe", "--seed", "2", "--n", "500")
    assert ("closed form", 500, []) == (found["method"], len(found["permuted"]), runs)


def test_larger_n_adds_to_what_is_there(suite: Path, runs: list[int]) -> None:
    """And the same n again trains nothing."""
    few = permute(suite, "--n", "2")
    many = permute(suite, "--n", "4")
    again = permute(suite, "--n", "4")
    assert [3, 2] == runs
    assert few["permuted"] == many["permuted"][:2]
    assert many["permuted"] == again["permuted"]


def test_killed_command_goes_on(suite: Path, runs: list[int], monkeypatch) -> None:
    """From the last runs that were kept."""
    from pfactor_bench.experiments.permutation import trained as permutations

    monkeypatch.setattr(permutations, "_PREPARED", 2)
    original = permutation_runs._write  # noqa: SLF001

    def killed(*given) -> None:
        original(*given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(permutation_runs, "_write", killed)
        assert main(["permute", str(suite), "--out", str(suite.parent / "out"), "--n", "3"]) == 130
    found = permute(suite, "--n", "3")
    assert [4, 2] == runs
    assert len(found["permuted"]) == 3


def test_changed_suite_begins_anew(suite: Path, runs: list[int]) -> None:
    """Nothing stale is taken."""
    permute(suite, "--n", "2")
    suite.write_text(suite.read_text().replace("\nbudget: {epochs: 1}", "\nbudget: {epochs: 2}"))
    permute(suite, "--n", "2")
    assert [3, 3] == runs


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--regime", "linear-prob"], "did you mean 'linear-probe'"),
        (["--seed", "7"], "unknown seed '7'"),
        (["--n", "0"], "permute the targets once at least"),
    ],
)
def test_what_cannot_be_split_is_refused(
    suite: Path, options: list[str], message: str, capsys
) -> None:
    """Before anything is loaded."""
    assert main(["permute", str(suite), *options]) == 2
    assert message in capsys.readouterr().err


def test_labels_that_no_file_can_have_get_files_of_their_own() -> None:
    """Whatever they hold."""
    names = {
        file_name(Case(regime=label, model=ModelSpec(name="EEGNet"), seed=1))
        for label in ("a/b", "a_b", "../../a", "a" * 300, "a" * 301)
    }
    assert len(names) == 5
    assert not any("/" in name or len(name) > 120 for name in names)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_page_escapes_what_data_supplied(payload: str) -> None:
    """A regime's label is data."""
    test = PermutationTest(
        suite=payload,
        case=Case(regime=payload, model=ModelSpec(name="EEGNet"), seed=1),
        method="training",
        null=Null(observed=0.1, permuted=np.zeros(3)),
        n_subjects=9,
        n_held_out=4,
    )
    tokens = MarkdownIt("commonmark").enable("table").parse(permutation_page(test, "figure"))
    inside = [one.type for token in tokens for one in token.children or []]
    assert 1 == inside.count("image") == inside.count("link_open")
    assert not {"html_inline", "code_inline"} & {*inside, *(token.type for token in tokens)}
    assert [1] == [int(token.tag[1]) for token in tokens if token.type == "heading_open"]

"""What is shown of a cohort before anything is trained."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pfactor_bench.cli.main import main
from pfactor_bench.cohorts.synthetic import synthetic
from pfactor_bench.report.cohort_overview import cohort_subjects, cohort_table
from pfactor_bench.report.figures.cohort_overview import draw_cohort

if TYPE_CHECKING:
    from pathlib import Path

    from pfactor_bench.types import Cohort


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    """Return twelve subjects; one has a flat channel, another a noisy one."""
    made = synthetic(n_subjects=12, n_windows=4, seed=1)
    X = made.X.copy()
    X[:4, 0] = 0
    X[4:8, 2] *= 10
    subject = made.table["subject"].str[-2:].astype(int)
    sex = subject.map(lambda number: "FM"[number % 2])
    return replace(
        made,
        X=X,
        table=made.table.assign(age=8 + subject, sex=sex),
        notes=("2 subjects without p_factor left out: a, b",),
    )


def test_subjects_windows_and_fingerprint_are_told(cohort: Cohort) -> None:
    """What a reader asks first."""
    text = cohort_table(cohort)

    assert "subjects     12\n" in text
    assert "48, 4 to 4 a subject" in text
    assert cohort.fingerprint in text


def test_targets_are_over_subjects(cohort: Cohort) -> None:
    """A subject with many windows counts once."""
    targets = cohort_subjects(cohort)["target"]

    assert f"SD {targets.std():.3f}" in cohort_table(cohort)
    assert len(targets) == 12


def test_age_and_sex_stand_against_the_target(cohort: Cohort) -> None:
    """With the number of subjects and an interval."""
    subjects = cohort_subjects(cohort)
    r = np.corrcoef(subjects["target"], subjects["age"])[0, 1]
    line = next(line for line in cohort_table(cohort).splitlines() if line.startswith("age"))

    assert line.split()[1:3] == ["12", f"{r:.2f}".replace("-", "−")]
    assert "sex (M against F)" in cohort_table(cohort)


def test_flat_and_noisy_channels_are_named(cohort: Cohort) -> None:
    """With the subjects."""
    lines = cohort_table(cohort).splitlines()
    flat = next(line for line in lines if line.startswith("E11"))
    noisy = next(line for line in lines if line.startswith("E62"))

    assert "1: sub-00" in flat
    assert noisy.rstrip().endswith("1: sub-01")


def test_missing_targets_are_told(cohort: Cohort) -> None:
    """As the cohort's notes have them."""
    assert "- 2 subjects without p_factor left out: a, b" in cohort_table(cohort)


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_figure_is_the_same_every_time(kind: str, cohort: Cohort) -> None:
    """Byte for byte."""
    assert draw_cohort(cohort)[kind] == draw_cohort(cohort)[kind]


def test_figure_does_without_age_and_sex() -> None:
    """Nothing is known of synthetic subjects."""
    assert draw_cohort(synthetic(n_subjects=5, n_windows=2))["png"].startswith(b"\x89PNG")


class TestCommand:
    """``pfactor-bench cohort``."""

    def test_suite_is_shown(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Its cohort, before anything is trained."""
        assert main(["cohort", "suites/case_study.yaml"]) == 0
        assert "subjects     18\n" in capsys.readouterr().out

    def test_name_and_changed_keys(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Values are YAML."""
        assert main(["cohort", "synthetic", "--set", "n_subjects=5", "--set", "seed=2"]) == 0
        assert "subjects     5\n" in capsys.readouterr().out

    def test_figure_is_written(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """And its path told."""
        path = tmp_path / "cohort.png"

        assert main(["cohort", "synthetic", "--figure", str(path)]) == 0
        assert path.read_bytes().startswith(b"\x89PNG")
        assert capsys.readouterr().out.endswith(f"{path}\n")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["hbm"], "unknown cohort 'hbm': did you mean 'hbn'?"),
            (["synthetic", "--set", "n_subject=5"], "takes no 'n_subject': did you mean"),
            (["synthetic", "--set", "n_subjects=many"], "is 'many': expected a whole number"),
            (["bids", "--set", "exclude=sub-00"], "is 'sub-00': expected a list"),
            (["synthetic", "--set", "n_subjects"], "has no '='"),
            (["synthetic", "--set", "seed=[1"], "the value is no YAML"),
            (["synthetic", "--keep-reference"], "takes no 'keep_reference'"),
            (["bids"], "cohort 'bids' needs 'dataset'"),
            (["synthetic", "--figure", "cohort.gif"], "give a path in .png or .svg"),
            (["no.yaml"], "no.yaml"),
        ],
    )
    def test_mistakes_are_explained(
        self, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """With exit code 2."""
        assert main(["cohort", *arguments]) == 2
        assert message in capsys.readouterr().err

"""HBN's releases: how they are named, put together, and what their tables hold."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hbn_for_tests import DATASET, SUBJECTS, WITHOUT_TARGET, write_dataset, write_subjects

from pfactor_bench.cohorts.hbn.cohort import hbn
from pfactor_bench.cohorts.hbn.participants import read_subjects
from pfactor_bench.cohorts.hbn.releases import DATASETS, find_releases, known_amount
from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from pathlib import Path


NAMES = [f"sub-{name}" for name in SUBJECTS]


class TestReleases:
    """Several at once."""

    def test_subjects_of_both_are_there(self, local: Path) -> None:
        """With the release that they are from."""
        write_dataset(local, dataset="ds005506", subjects=["NDARBA01", "NDARBB02"], release="R2")
        write_subjects(local / DATASET, tuple(SUBJECTS), "R1")
        two = local / "ds005506" / "participants.tsv"
        two.write_text(two.read_text().replace(WITHOUT_TARGET, "NDARBD04"))
        cohort = hbn(data_dir=local, releases=["R2", "ds005505"])

        subjects = cohort.table.drop_duplicates("subject").set_index("subject")["release"]
        assert subjects.to_dict() == {
            **dict.fromkeys(NAMES, "R1"),
            "sub-NDARBA01": "R2",
            "sub-NDARBB02": "R2",
        }

    def test_subject_in_two_releases_is_refused(self, local: Path) -> None:
        """They would be trained on and held out."""
        shutil.copytree(local / DATASET, local / "ds005506")
        with pytest.raises(CohortError, match="subjects stand in two releases"):
            hbn(data_dir=local, releases=["R1", "R2"])

    @pytest.mark.parametrize(
        ("named", "found"),
        [
            ("R1", ["R1"]),
            ("ds005516", ["R11"]),
            (["R10", "R2"], ["R2", "R10"]),
            ("all", list(DATASETS)),
        ],
    )
    def test_releases_have_two_names(self, named: Any, found: list[str]) -> None:
        """Their own and OpenNeuro's."""
        assert list(find_releases(named)) == found

    @pytest.mark.parametrize(
        ("named", "message"),
        [
            ("R12", "unknown HBN release 'R12': did you mean"),
            ([], "releases is an empty list"),
            (["R1", "ds005505"], "'ds005505' stands twice"),
        ],
    )
    def test_releases_that_are_none(self, named: Any, message: str) -> None:
        """With the closest that is."""
        with pytest.raises(CohortError, match=message):
            find_releases(named)

    def test_sizes_are_those_of_the_case_study_s_release(self) -> None:
        """15.1 GB, not 1.5."""
        amount = known_amount("ds005505", "RestingState")

        assert amount is not None
        assert (amount.recordings, round(amount.n_bytes / 1e9, 1)) == (136, 15.1)

    def test_sizes_of_all_tasks_add_up(self) -> None:
        """26,672 recordings, 2.0 TB."""
        from pfactor_bench.cohorts.hbn.releases import _amounts

        assert sum(each.recordings for each in _amounts().values()) == 26_672
        assert round(sum(each.n_bytes for each in _amounts().values()) / 1e12, 1) == 2.0


@pytest.fixture(scope="module")
def folders(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a folder per release with its own participants.tsv."""
    source = data_dir / "hbn" / "participants_all_releases.tsv"
    if not source.is_file():
        pytest.skip(f"no HBN tables: {source} is missing")
    whole = pd.read_csv(source, sep="\t", dtype=str, keep_default_na=False)
    parent = tmp_path_factory.mktemp("releases")
    folders = {}
    for release, dataset in DATASETS.items():
        folders[release] = parent / dataset
        folders[release].mkdir()
        rows = whole[whole["dataset"] == dataset].drop(columns="dataset")
        rows.to_csv(folders[release] / "participants.tsv", sep="\t", index=False)
    return folders


class TestRealTables:
    """The p-factor tables of all eleven releases, where they are at hand."""

    def test_all_subjects_and_targets_are_read(self, folders: dict[str, Path]) -> None:
        """3,155 subjects, 3,116 targets; read together, so that nobody stands in two releases."""
        subjects, _ = read_subjects(folders, "p_factor")

        assert (len(subjects), int(subjects["p_factor"].notna().sum())) == (3155, 3116)

    def test_first_release_is_the_case_study_s(self, folders: dict[str, Path]) -> None:
        """136 subjects, 132 targets, and sex correlates with the target."""
        subjects, _ = read_subjects({"R1": folders["R1"]}, "p_factor")
        targets = subjects["p_factor"].dropna()
        male = (subjects.loc[targets.index, "sex"] == "M").astype(float)

        assert (len(subjects), len(targets)) == (136, 132)
        assert targets.mean() == pytest.approx(-0.018, abs=5e-4)
        assert targets.std() == pytest.approx(0.889, abs=5e-4)
        assert targets.corr(male) == pytest.approx(0.23, abs=5e-3)

    @pytest.mark.parametrize("target", ["attention", "internalizing", "externalizing", "age"])
    def test_other_targets_are_read(self, target: str, folders: dict[str, Path]) -> None:
        """Words in any of eleven tables would stop it."""
        subjects, _ = read_subjects(folders, target)

        assert subjects[target].notna().sum() > 3000

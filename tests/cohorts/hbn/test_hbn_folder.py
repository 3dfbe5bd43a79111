"""HBN's releases that are in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hbn_for_tests import CHANNELS, DATASET, SUBJECTS, WITHOUT_TARGET, write_subjects

from pfactor_bench.cohorts import COHORTS
from pfactor_bench.cohorts.hbn.cohort import CH_NAMES, hbn
from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from pathlib import Path


NAMES = [f"sub-{name}" for name in SUBJECTS]


class TestFolder:
    """Releases that are in a folder."""

    def test_windows_are_the_production_call_s(self, local: Path) -> None:
        """Seven channels, 100 Hz, 2 s."""
        cohort = hbn(data_dir=local)

        assert cohort.X.shape == (26 * 3, 7, 200)
        assert (cohort.name, cohort.sfreq, cohort.target) == ("hbn-R1", 100.0, "p_factor")

    def test_reference_is_left_out_and_said(self, local: Path) -> None:
        """Cz holds zeros."""
        cohort = hbn(data_dir=local)

        assert cohort.ch_names == tuple(name for name in CH_NAMES if name != "Cz")
        assert cohort.notes[-1].startswith("channel Cz is flat in all 3 recordings")

    def test_reference_can_be_kept(self, local: Path) -> None:
        """As the case study does."""
        cohort = hbn(data_dir=local, keep_reference=True)

        assert cohort.ch_names == CH_NAMES
        assert not cohort.X[:, CH_NAMES.index("Cz")].any()

    def test_flat_channel_that_is_no_reference_is_refused(self, local: Path) -> None:
        """It is broken."""
        import mne

        for path in local.glob("*/*/eeg/*.set"):
            raw = mne.io.read_raw(path, preload=True, verbose="ERROR")
            raw.apply_function(lambda samples: 0 * samples, picks=["E11"], verbose="ERROR")
            raw.export(path, overwrite=True, verbose="ERROR")
        with pytest.raises(CohortError, match="channel 'E11' of cohort 'hbn-R1' is flat"):
            hbn(data_dir=local)

    def test_channel_that_is_flat_in_one_recording_is_noted(self, local: Path) -> None:
        """A loose electrode."""
        import mne

        path = next(local.glob(f"{DATASET}/{NAMES[1]}/eeg/*.set"))
        raw = mne.io.read_raw(path, preload=True, verbose="ERROR")
        raw.apply_function(lambda samples: 0 * samples, picks=["E11"], verbose="ERROR")
        raw.export(path, overwrite=True, verbose="ERROR")

        assert hbn(data_dir=local).notes[-1] == (
            f"channel E11 is flat in 1 recordings: {path.name}"
        )

    def test_targets_are_numbers_and_missing_ones_counted(self, local: Path) -> None:
        """They stand as text in the table."""
        cohort = hbn(data_dir=local)

        assert sorted(set(cohort.y)) == [-0.5, 0.25, 1.5]
        assert f"1 subjects without p_factor left out: sub-{WITHOUT_TARGET}" in cohort.notes

    def test_other_targets_are_not_in_the_table(self, local: Path) -> None:
        """They are siblings of the target: no input."""
        assert set(hbn(data_dir=local).table) == {
            *("sample_id", "subject", "session", "run", "task", "start", "stop"),
            *("release", "age", "sex", "ehq_total"),
        }

    @pytest.mark.parametrize("target", ["attention", "age"])
    def test_other_targets(self, target: str, local: Path) -> None:
        """Any of five; the target leaves the table."""
        write_subjects_with_targets(local / DATASET)
        cohort = hbn(data_dir=local, target=target)

        assert cohort.target == target
        assert target not in cohort.table

    def test_unknown_target(self, local: Path) -> None:
        """With the closest."""
        with pytest.raises(CohortError, match="'p-factor': did you mean 'p_factor'"):
            hbn(data_dir=local, target="p-factor")

    def test_folder_is_left_as_it_was(self, local: Path) -> None:
        """EEGDash would repair its tables."""
        before = {path: path.stat().st_mtime_ns for path in local.rglob("*")}
        hbn(data_dir=local)

        assert before == {path: path.stat().st_mtime_ns for path in local.rglob("*")}

    @pytest.mark.parametrize("variable", ["EEGDASH_CACHE_DIR", "PFACTOR_BENCH_DATA"])
    def test_environment_names_the_folder(
        self, variable: str, local: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The one that EEGDash's users have set, or ours."""
        monkeypatch.setenv(variable, str(local))

        assert hbn().n_subjects == 3

    def test_missing_release_says_how_to_get_it(self, local: Path) -> None:
        """And how large it is."""
        with pytest.raises(CohortError, match=r"R2 \(150 recordings, 17\.2 GB\), set 'download"):
            hbn(data_dir=local, releases="R2")

    def test_truncated_recording_is_named(self, local: Path) -> None:
        """An interrupted copy."""
        path = next(local.glob(f"{DATASET}/{NAMES[1]}/eeg/*.set"))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(CohortError, match=f"cannot use recording '{path.name}'"):
            hbn(data_dir=local)

    def test_dangling_link_is_named(self, local: Path) -> None:
        """What git-annex leaves where nothing was fetched."""
        write_subjects(local / DATASET, [*SUBJECTS, "NDARAE05"], "R1")
        folder = local / DATASET / "sub-NDARAE05" / "eeg"
        folder.mkdir(parents=True)
        (folder / "sub-NDARAE05_task-RestingState_eeg.set").symlink_to("nowhere")

        assert (
            "1 subjects whose recordings are links to files that are not here left out: "
            "sub-NDARAE05"
        ) in hbn(data_dir=local).notes


def write_subjects_with_targets(folder: Path) -> None:
    """Give every subject another value of every target."""
    path = folder / "participants.tsv"
    header, *rows = path.read_text().splitlines()
    cells = [row.split("\t") for row in rows]
    for at, row in enumerate(cells[:-1]):
        row[6:9] = [f"0.{at}", f"1.{at}", f"2.{at}"]
    path.write_text("\n".join([header, *("\t".join(row) for row in cells)]) + "\n")


def test_registry_offers_it() -> None:
    """Under the name that a suite uses."""
    assert COHORTS["hbn"] is hbn


def test_channels_are_of_the_montage() -> None:
    """The tiny release has them all."""
    assert set(CH_NAMES) <= set(CHANNELS)

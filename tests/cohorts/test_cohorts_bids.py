"""Cohorts from local BIDS folders: windows, table, notes, and what is left as it was."""

from __future__ import annotations

import hashlib
import json
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bids_for_tests import TINY_SUBJECTS, edit_participants, load, recording, replace_recording


def contents(folder: Path) -> dict[str, str]:
    """Return a hash of every file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class TestWindows:
    """What is in the windows."""

    def test_remainder_of_a_recording_is_dropped(self, tiny_bids: Path) -> None:
        """5 s hold two windows of 2 s."""
        assert load(tiny_bids).X.shape == (8, 3, 200)

    def test_precision_is_single(self, tiny_bids: Path) -> None:
        """As models take it."""
        assert load(tiny_bids).X.dtype == np.float32

    def test_unit_is_microvolt(self, tiny_bids: Path) -> None:
        """The size of the injected rhythms comes back."""
        deviation = load(tiny_bids, channels=["Fz", "Cz", "Pz"]).X.std(axis=(0, 2))

        np.testing.assert_allclose(deviation * np.sqrt(2), [10, 20, 40], rtol=0.05)

    def test_unit_is_declared(self, tiny_bids: Path) -> None:
        """For whoever scales by it."""
        assert load(tiny_bids).unit == "uV"

    def test_channels_keep_the_order_asked_for(self, tiny_bids: Path) -> None:
        """Not the file's."""
        deviation = load(tiny_bids, channels=["Pz", "Fz"]).X.std(axis=(0, 2))

        np.testing.assert_allclose(deviation * np.sqrt(2), [40, 10], rtol=0.05)

    def test_all_eeg_channels_are_the_default(self, tiny_bids: Path) -> None:
        """And no other kind, as channels.tsv tells."""
        assert load(tiny_bids).ch_names == ("Fz", "Cz", "Pz")

    def test_order_of_operations_is_the_case_study_s(self, tiny_bids: Path) -> None:
        """Pick, resample, filter, restated in MNE."""
        import mne

        raw = mne.io.read_raw_edf(recording(tiny_bids, "sub-01"), preload=True, verbose="ERROR")
        raw.pick(["Fz", "Cz", "Pz"], verbose="ERROR").resample(100, verbose="ERROR")
        raw.filter(1, 30, verbose="ERROR")
        expected = np.float32(1e6 * raw.get_data(start=200, stop=400))

        np.testing.assert_allclose(load(tiny_bids).X[1], expected, rtol=1e-5)

    def test_window_length_can_be_chosen(self, tiny_bids: Path) -> None:
        """In seconds."""
        assert load(tiny_bids, window_seconds=1.0).X.shape == (20, 3, 100)

    def test_eeglab_files_are_read(self, tiny_bids: Path) -> None:
        """HBN's format."""
        replace_recording(tiny_bids, 1e-5 * np.random.default_rng(0).normal(size=(4, 1000)))

        assert load(tiny_bids).X.shape == (8, 3, 200)


class TestTable:
    """What is known of each window."""

    def test_windows_are_named_by_recording_and_number(self, tiny_bids: Path) -> None:
        """So that a name is found again in the folder."""
        names = load(tiny_bids).table["sample_id"].tolist()[:3]

        assert names == [
            "sub-01_task-rest__w000",
            "sub-01_task-rest__w001",
            "sub-02_task-rest__w000",
        ]

    def test_subjects_have_their_prefix(self, tiny_bids: Path) -> None:
        """As BIDS writes them."""
        assert tuple(load(tiny_bids).table["subject"].unique()) == TINY_SUBJECTS

    def test_windows_lie_where_table_says(self, tiny_bids: Path) -> None:
        """Samples of the resampled recording, half open."""
        table = load(tiny_bids).table

        assert table[["start", "stop"]].to_numpy().tolist()[:2] == [[0, 200], [200, 400]]

    def test_targets_belong_to_their_subject(self, tiny_bids: Path) -> None:
        """Joined by name."""
        assert load(tiny_bids).y.tolist() == [0.5, 0.5, -1.5, -1.5, 2.0, 2.0, 1.0, 1.0]

    def test_participants_may_stand_in_any_order(self, tiny_bids: Path) -> None:
        """The order of rows is no information."""
        path = tiny_bids / "participants.tsv"
        header, *rows = path.read_text().splitlines()
        expected = load(tiny_bids).fingerprint
        path.write_text("\n".join([header, *reversed(rows)]) + "\n")

        assert load(tiny_bids).fingerprint == expected

    def test_other_columns_of_participants_reach_the_table(self, tiny_bids: Path) -> None:
        """Numbers as numbers."""
        table = load(tiny_bids).table.drop_duplicates("subject")

        assert table[["age", "sex"]].to_numpy().tolist() == [
            [20, "F"],
            [30, "M"],
            [40, "F"],
            [50, "M"],
        ]

    def test_rows_may_end_in_a_tab(self, tiny_bids: Path) -> None:
        """It moves nobody's target."""
        expected = load(tiny_bids).fingerprint
        path = tiny_bids / "participants.tsv"
        header, *rows = path.read_text().splitlines()
        path.write_text("\n".join([header, *(f"{row}\t" for row in rows)]) + "\n")

        assert load(tiny_bids).fingerprint == expected

    def test_participants_without_prefix_are_matched(self, tiny_bids: Path) -> None:
        """Some data sets leave it out."""
        edit_participants(tiny_bids, "sub-", "")

        assert tuple(load(tiny_bids).table["subject"].unique()) == TINY_SUBJECTS

    def test_session_and_run_come_from_the_file_name(self, tiny_bids: Path) -> None:
        """Two runs of one subject stay apart."""
        old = recording(tiny_bids)
        old.rename(old.with_name("sub-02_task-rest_run-2_eeg.edf"))
        table = load(tiny_bids, channels=["Cz"]).table

        assert table["run"].tolist() == ["", "", "2", "2", "", "", "", ""]

    def test_participant_s_column_does_not_replace_the_recording_s(self, tiny_bids: Path) -> None:
        """A column called run is kept beside it."""
        edit_participants(tiny_bids, "age", "run")
        table = load(tiny_bids).table

        assert (table["run"][0], table["participant_run"][0]) == ("", 20)


class TestFolder:
    """Where the data are does not matter."""

    def test_relative_folder_gives_the_same_cohort(
        self, tiny_bids: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """EEGDash alone would lose every participant."""
        expected = load(tiny_bids).fingerprint
        monkeypatch.chdir(tiny_bids.parent.parent)

        assert load(tiny_bids, data_dir=Path("data")).fingerprint == expected

    def test_linked_data_folder_gives_the_same_cohort(
        self, tiny_bids: Path, tmp_path: Path
    ) -> None:
        """EEGDash alone would lose every participant."""
        link = tmp_path / "link"
        link.symlink_to(tiny_bids.parent)

        assert load(tiny_bids, data_dir=link).fingerprint == load(tiny_bids).fingerprint

    def test_linked_data_set_gives_the_same_windows(self, tiny_bids: Path, tmp_path: Path) -> None:
        """Its name may differ from what it points at."""
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "alias").symlink_to(tiny_bids)
        linked = load(tiny_bids, data_dir=tmp_path / "other", dataset="alias")

        assert linked.fingerprint == load(tiny_bids).fingerprint

    def test_linked_recording_is_loaded(self, tiny_bids: Path, tmp_path: Path) -> None:
        """As git-annex stores them."""
        recording(tiny_bids).rename(tmp_path / "content.edf")
        recording(tiny_bids).symlink_to(tmp_path / "content.edf")

        assert load(tiny_bids).n_subjects == 4

    def test_environment_variable_names_the_folder(
        self, tiny_bids: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Where no folder is given."""
        monkeypatch.setenv("PFACTOR_BENCH_DATA", str(tiny_bids.parent))

        assert load(tiny_bids, data_dir=None).n_subjects == 4

    def test_folder_is_left_as_it_was(self, tiny_bids: Path) -> None:
        """Tables that EEGDash would repair included: it adds subjects and renames them."""
        edit_participants(tiny_bids, "sub-04", "sub-0004")
        before = contents(tiny_bids)
        load(tiny_bids)

        assert contents(tiny_bids) == before

    def test_provenance_is_plain_json(self, tiny_bids: Path) -> None:
        """It goes into a record."""
        provenance = load(tiny_bids).provenance

        assert json.loads(json.dumps(provenance)) == provenance

    def test_provenance_names_no_path(self, tiny_bids: Path) -> None:
        """A record is published."""
        assert str(tiny_bids.parent) not in json.dumps(load(tiny_bids).provenance)

    def test_provenance_names_source_and_preparation(self, tiny_bids: Path) -> None:
        """Enough to do it again."""
        assert load(tiny_bids).provenance == {
            "source": "bids",
            "dataset": "tiny",
            "title": "Tiny",
            "doi": "doi:10.0/tiny",
            "license": "CC0",
            "task": "rest",
            "channels": ["Fz", "Cz", "Pz"],
            "sfreq": 100.0,
            "l_freq": 1.0,
            "h_freq": 30.0,
            "window_seconds": 2.0,
            "bad_channels": "keep",
            "bad_segments": "drop",
        }

    def test_description_of_the_data_set_may_be_missing(self, tiny_bids: Path) -> None:
        """It is said to be unknown."""
        (tiny_bids / "dataset_description.json").unlink()

        assert load(tiny_bids).provenance["doi"] is None


class TestManners:
    """What loading does beside loading."""

    @pytest.mark.slow
    def test_root_logger_keeps_its_handlers(self, tiny_bids: Path) -> None:
        """EEGDash replaces them when it is imported."""
        program = (
            "import logging, sys\n"
            "logging.basicConfig(level=logging.ERROR)\n"
            "before = logging.root.handlers[:], logging.root.level\n"
            "from pfactor_bench.cohorts.bids.cohort import bids\n"
            "bids(dataset='tiny', target='target', task='rest', data_dir=sys.argv[1])\n"
            "assert (logging.root.handlers[:], logging.root.level) == before\n"
        )
        subprocess.run([sys.executable, "-c", program, str(tiny_bids.parent)], check=True)

    def test_nothing_is_printed_where_nobody_watches(
        self,
        tiny_bids: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Neither a progress bar nor other packages' news."""
        monkeypatch.setenv("CI", "true")
        with caplog.at_level(logging.INFO):
            load(tiny_bids)

        assert (*capfd.readouterr(), caplog.messages) == ("", "", [])

    def test_importing_the_cohorts_imports_nothing_that_reads_signals(self) -> None:
        """A suite is checked in a blink."""
        program = (
            "import sys, pfactor_bench.cohorts.eegmat.cohort\n"
            "assert not {'mne', 'eegdash', 'braindecode', 'torch'} & set(sys.modules)\n"
        )
        subprocess.run([sys.executable, "-c", program], check=True)


class TestNotes:
    """Nobody is left out in silence."""

    def test_ordinary_table_needs_no_note(self, tiny_bids: Path) -> None:
        """A TSV holds text only: nobody need be told that its numbers were converted."""
        assert load(tiny_bids).notes == ()

    def test_subject_without_target_is_named(self, tiny_bids: Path) -> None:
        """And counted."""
        edit_participants(tiny_bids, "-1.5", "n/a")

        assert load(tiny_bids).notes == ("1 subjects without target left out: sub-02",)

    def test_subject_without_recording_of_the_task_is_named(self, tiny_bids: Path) -> None:
        """Another task's recording does not count."""
        recording(tiny_bids).unlink()

        assert load(tiny_bids).notes == (
            "1 subjects without a recording of the task left out: sub-02",
        )

    def test_subject_without_row_is_named(self, tiny_bids: Path) -> None:
        """A name that only resembles theirs is someone else's."""
        edit_participants(tiny_bids, "sub-04", "sub-0004")

        assert load(tiny_bids).notes == (
            "1 subjects without a recording of the task left out: sub-0004",
            "1 subjects with a recording but no row in participants.tsv left out: sub-04",
            (
                "1 folders and rows of participants.tsv differ in case or zeros only and are not "
                "taken for the same subject: sub-04 and sub-0004"
            ),
        )

    def test_subject_whose_recording_was_never_fetched_is_named(self, tiny_bids: Path) -> None:
        """A link of git-annex without its content."""
        recording(tiny_bids).unlink()
        recording(tiny_bids).symlink_to("never-fetched")

        assert load(tiny_bids).notes == (
            "1 subjects whose recordings are links to files that are not here left out: sub-02",
        )

    def test_excluded_subject_is_named(self, tiny_bids: Path) -> None:
        """A choice is a choice that readers must know."""
        assert load(tiny_bids, exclude=["sub-03"]).notes == ("1 subjects excluded by name: sub-03",)

    def test_recording_shorter_than_a_window_is_named(self, tiny_bids: Path) -> None:
        """With the reader's own warning."""
        replace_recording(tiny_bids, 1e-5 * np.random.default_rng(0).normal(size=(4, 300)))

        assert load(tiny_bids).notes[-1] == (
            "1 recordings shorter than a window left out: sub-02_task-rest_eeg.set"
        )

    def test_warning_of_a_reader_is_noted(self, tiny_bids: Path) -> None:
        """A filter that is longer than the recording distorts it."""
        replace_recording(tiny_bids, 1e-5 * np.random.default_rng(0).normal(size=(4, 500)))

        assert (
            load(tiny_bids)
            .notes[0]
            .startswith("1 recordings were read with a warning: filter_length")
        )

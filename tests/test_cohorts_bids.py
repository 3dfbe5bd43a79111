"""Cohorts from local BIDS folders: what is loaded, and what is refused before any work."""

from __future__ import annotations

import hashlib
import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from bids_for_tests import TINY_MICROVOLTS, TINY_SUBJECTS

from pfactor_bench.cohorts import COHORTS
from pfactor_bench.cohorts.bids import bids
from pfactor_bench.cohorts.eegmat import CH_NAMES, eegmat
from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from pfactor_bench.types import Cohort


def load(folder: Path, **changes: Any) -> Cohort:
    """Load the tiny data set's rest recordings, or what `changes` says."""
    arguments = {"dataset": folder.name, "target": "score", "task": "rest"}
    return bids(**{"data_dir": folder.parent, **arguments, **changes})


def edit_participants(folder: Path, old: str, new: str) -> None:
    """Replace text in participants.tsv."""
    path = folder / "participants.tsv"
    path.write_text(path.read_text().replace(old, new))


def recording(folder: Path, subject: str = "sub-02", task: str = "rest") -> Path:
    """Return the path of one recording."""
    return folder / subject / "eeg" / f"{subject}_task-{task}_eeg.edf"


def replace_recording(folder: Path, samples: np.ndarray, subject: str = "sub-02") -> None:
    """Put a rest recording in as EEGLAB, which can hold any number; samples in volts."""
    import mne

    path = recording(folder, subject)
    path.unlink()
    info = mne.create_info([*TINY_MICROVOLTS], 200, "eeg", verbose="ERROR")
    raw = mne.io.RawArray(samples, info, verbose="ERROR")
    raw.export(path.with_suffix(".set"), verbose="ERROR")


def contents(folder: Path) -> dict[str, str]:
    """Return a hash of every file below a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail if signals are read: the error under test must come first."""

    def prepare(*_: object, **__: object) -> None:
        pytest.fail("signals were read before the folder was checked")

    monkeypatch.setattr("pfactor_bench.cohorts.bids.prepare", prepare)


class TestWindows:
    """What is in the windows."""

    def test_remainder_of_a_recording_is_dropped(self, tiny_bids: Path) -> None:
        """5 s hold two windows of 2 s."""
        assert load(tiny_bids).X.shape == (8, 3, 200)

    def test_precision_is_single(self, tiny_bids: Path) -> None:
        """As models take it."""
        assert load(tiny_bids).X.dtype == np.float32

    def test_unit_is_microvolt(self, tiny_bids: Path) -> None:
        """The size of the planted rhythms comes back."""
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

    def test_scores_belong_to_their_person(self, tiny_bids: Path) -> None:
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
        """It moves nobody's score."""
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
        """Two runs of one person stay apart."""
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
        """Tables that EEGDash would repair included: it adds people and renames them."""
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
            "from pfactor_bench.cohorts.bids import bids\n"
            "bids(dataset='tiny', target='score', task='rest', data_dir=sys.argv[1])\n"
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
            "import sys, pfactor_bench.cohorts.eegmat\n"
            "assert not {'mne', 'eegdash', 'braindecode', 'torch'} & set(sys.modules)\n"
        )
        subprocess.run([sys.executable, "-c", program], check=True)


class TestNotes:
    """Nobody is left out in silence."""

    def test_scores_read_from_text_are_noted(self, tiny_bids: Path) -> None:
        """A table holds text only."""
        assert load(tiny_bids).notes == (
            "4 values of score were text and were converted to numbers",
        )

    def test_person_without_score_is_named(self, tiny_bids: Path) -> None:
        """And counted."""
        edit_participants(tiny_bids, "-1.5", "n/a")

        assert load(tiny_bids).notes[1:] == ("1 subjects without score left out: sub-02",)

    def test_person_without_recording_of_the_task_is_named(self, tiny_bids: Path) -> None:
        """Another task's recording does not count."""
        recording(tiny_bids).unlink()

        assert load(tiny_bids).notes[1:] == (
            "1 subjects without a recording of the task left out: sub-02",
        )

    def test_person_without_row_is_named(self, tiny_bids: Path) -> None:
        """A name that only resembles theirs is somebody else's."""
        edit_participants(tiny_bids, "sub-04", "sub-0004")

        assert load(tiny_bids).notes[1:] == (
            "1 subjects without a recording of the task left out: sub-0004",
            "1 subjects with a recording but no row in participants.tsv left out: sub-04",
        )

    def test_person_whose_recording_was_never_fetched_is_named(self, tiny_bids: Path) -> None:
        """A link of git-annex without its content."""
        recording(tiny_bids).unlink()
        recording(tiny_bids).symlink_to("never-fetched")

        assert load(tiny_bids).notes[1:] == (
            "1 subjects whose recordings are links to files that are not here left out: sub-02",
        )

    def test_excluded_person_is_named(self, tiny_bids: Path) -> None:
        """A choice is a choice that readers must know."""
        assert load(tiny_bids, exclude=["sub-03"]).notes[1:] == (
            "1 subjects excluded by name: sub-03",
        )

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
            .notes[1]
            .startswith("1 recordings were read with a warning: filter_length")
        )


@pytest.mark.usefixtures("unread")
class TestRefusedBeforeSignalsAreRead:
    """Mistakes that names and tables give away cost no time."""

    @pytest.mark.parametrize("dataset", ["a/b", "..", "a\\b", "", "/etc"])
    def test_data_set_that_is_a_path(self, tiny_bids: Path, dataset: str) -> None:
        """A suite names a data set, never a place."""
        with pytest.raises(CohortError, match="is not a folder's name: give the folder that it"):
            load(tiny_bids, dataset=dataset)

    def test_no_data_folder_given(self, tiny_bids: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Both ways to give one are named."""
        monkeypatch.delenv("PFACTOR_BENCH_DATA", raising=False)
        with pytest.raises(CohortError, match="--data DIR or in the environment variable PFACTOR"):
            load(tiny_bids, data_dir=None)

    def test_data_folder_that_does_not_exist(self, tiny_bids: Path) -> None:
        """With where it was looked for."""
        with pytest.raises(CohortError, match=r"no folder 'tiny' in '.*nowhere'"):
            load(tiny_bids, data_dir=tiny_bids.parent / "nowhere")

    def test_data_set_that_does_not_exist(self, tiny_bids: Path) -> None:
        """With the closest that does."""
        with pytest.raises(CohortError, match=r"no folder 'tinny' in .*: did you mean 'tiny'"):
            load(tiny_bids, dataset="tinny")

    def test_empty_data_set(self, tiny_bids: Path) -> None:
        """As an interrupted clone leaves it."""
        (tiny_bids.parent / "empty").mkdir()
        with pytest.raises(CohortError, match="empty' is empty: fetch the data set again"):
            load(tiny_bids, dataset="empty")

    def test_no_participants_table(self, tiny_bids: Path) -> None:
        """EEGDash alone gives no error."""
        (tiny_bids / "participants.tsv").unlink()
        with pytest.raises(CohortError, match=r"data set 'tiny' has no participants.tsv"):
            load(tiny_bids)

    @pytest.mark.parametrize("content", [b"", b"participant_id\tscore\n\xff\xfe\t1\n"])
    def test_unreadable_participants_table(self, tiny_bids: Path, content: bytes) -> None:
        """An empty file, or one in another encoding."""
        (tiny_bids / "participants.tsv").write_bytes(content)
        with pytest.raises(CohortError, match=r"cannot read participants.tsv of data set 'tiny'"):
            load(tiny_bids)

    def test_participants_table_without_names(self, tiny_bids: Path) -> None:
        """Scores would belong to nobody."""
        edit_participants(tiny_bids, "participant_id", "person")
        with pytest.raises(CohortError, match="has no column 'participant_id'"):
            load(tiny_bids)

    def test_unknown_target(self, tiny_bids: Path) -> None:
        """With the closest column."""
        with pytest.raises(CohortError, match="no column 'scores': did you mean 'score'"):
            load(tiny_bids, target="scores")

    def test_target_named_like_a_window_s_column(self, tiny_bids: Path) -> None:
        """One of the two would be lost."""
        with pytest.raises(CohortError, match="target 'run' is a name that describes windows"):
            load(tiny_bids, target="run")

    def test_target_that_is_the_column_of_names(self, tiny_bids: Path) -> None:
        """It names people, it scores none."""
        with pytest.raises(CohortError, match=r"target 'participant_id' .* names people"):
            load(tiny_bids, target="participant_id")

    def test_participants_table_with_commas(self, tiny_bids: Path) -> None:
        """What is wrong is said, not what follows from it."""
        path = tiny_bids / "participants.tsv"
        path.write_text(path.read_text().replace("\t", ","))
        with pytest.raises(CohortError, match="separated by commas: BIDS separates them by tabs"):
            load(tiny_bids)

    def test_rows_with_more_cells_than_columns(self, tiny_bids: Path) -> None:
        """They would move every value one column to the left."""
        path = tiny_bids / "participants.tsv"
        header, *rows = path.read_text().splitlines()
        path.write_text("\n".join([header, *(f"{row}\t7" for row in rows)]) + "\n")
        with pytest.raises(CohortError, match=r"cannot read participants.tsv .* header"):
            load(tiny_bids)

    def test_person_with_two_rows(self, tiny_bids: Path) -> None:
        """Even where both say the same."""
        edit_participants(tiny_bids, "sub-03", "sub-02")
        with pytest.raises(CohortError, match="two rows for 'sub-02'"):
            load(tiny_bids)

    def test_score_that_is_a_word(self, tiny_bids: Path) -> None:
        """With its row."""
        edit_participants(tiny_bids, "-1.5", "low")
        with pytest.raises(CohortError, match=r"'score' of subject 'sub-02' \(row 1\) is 'low'"):
            load(tiny_bids)

    def test_constant_score(self, tiny_bids: Path) -> None:
        """Nothing can be learnt."""
        for score in ("0.5", "-1.5", "2\n"):
            edit_participants(tiny_bids, f"\t{score}", "\t1" + "\n" * score.endswith("\n"))
        with pytest.raises(CohortError, match="all 4 subjects of cohort 'tiny' have score = 1"):
            load(tiny_bids)

    def test_too_few_people(self, tiny_bids: Path) -> None:
        """Counted after everybody who is left out."""
        with pytest.raises(CohortError, match="has 2 subjects with a 'score': at least 3"):
            load(tiny_bids, exclude=["sub-01", "sub-02"])

    def test_excluded_person_who_is_not_there(self, tiny_bids: Path) -> None:
        """A typo must not leave somebody in."""
        with pytest.raises(CohortError, match="exclude unknown subject 'sub-1': did you mean"):
            load(tiny_bids, exclude=["sub-1"])

    def test_no_recording_at_all(self, tiny_bids: Path) -> None:
        """With what one looks like."""
        for path in tiny_bids.rglob("*.edf"):
            path.unlink()
        with pytest.raises(CohortError, match="holds no EEG recording: expected files such as"):
            load(tiny_bids)

    def test_unknown_task(self, tiny_bids: Path) -> None:
        """With the tasks that there are."""
        with pytest.raises(CohortError, match="has task 'sleep': its tasks are 'count', 'rest'"):
            load(tiny_bids, task="sleep")

    def test_no_task_chosen_among_several(self, tiny_bids: Path) -> None:
        """They are never pooled unasked."""
        with pytest.raises(CohortError, match=r"several tasks \('count', 'rest'\): choose one"):
            load(tiny_bids, task=None)

    def test_recording_without_content(self, tiny_bids: Path) -> None:
        """With its name, and how to go on without it."""
        recording(tiny_bids).write_bytes(b"")
        with pytest.raises(CohortError, match=r"'sub-02_task-rest_eeg.edf' .* file is empty; .*"):
            load(tiny_bids)

    @pytest.mark.parametrize("content", ["{", "[]"])
    def test_broken_description_of_the_data_set(self, tiny_bids: Path, content: str) -> None:
        """Its licence would be lost."""
        (tiny_bids / "dataset_description.json").write_text(content)
        with pytest.raises(CohortError, match=r"dataset_description.json of data set 'tiny'"):
            load(tiny_bids)

    @pytest.mark.parametrize(
        ("channels", "message"),
        [("Cz", "give a list"), ([], "empty list"), (["Cz", "Cz"], "'Cz' stands twice")],
    )
    def test_channels_that_are_no_list_of_names(
        self, tiny_bids: Path, channels: object, message: str
    ) -> None:
        """A string would be taken letter by letter."""
        with pytest.raises(CohortError, match=message):
            load(tiny_bids, channels=channels)

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"sfreq": 0}, "sfreq is 0"),
            ({"h_freq": 50.0}, "h_freq 50.0 is impossible at 100 Hz"),
            ({"l_freq": 30.0}, "l_freq 30.0 to h_freq 30.0 is impossible"),
            ({"l_freq": -1.0}, "l_freq -1.0 to"),
            ({"window_seconds": 0.001}, "window_seconds 0.001 is not a whole number"),
            ({"window_seconds": 2.005}, "window_seconds 2.005 is not a whole number"),
        ],
        ids=str,
    )
    def test_impossible_preparation(
        self, tiny_bids: Path, settings: dict[str, Any], message: str
    ) -> None:
        """With the offending value."""
        with pytest.raises(CohortError, match=message):
            load(tiny_bids, **settings)


class TestRefusedWhileReading:
    """Mistakes that only the signals show."""

    def test_unknown_channel(self, tiny_bids: Path) -> None:
        """With the closest that the recording has."""
        with pytest.raises(CohortError, match="no channel 'Czz': did you mean 'Cz'"):
            load(tiny_bids, channels=["Czz"])

    def test_channel_that_is_no_eeg(self, tiny_bids: Path) -> None:
        """It would be neither filtered nor scaled."""
        with pytest.raises(CohortError, match=r"channel 'EOG' of recording .* is of type 'eog'"):
            load(tiny_bids, channels=["Cz", "EOG"])

    def test_flat_channel(self, tiny_bids: Path) -> None:
        """As a recording reference is, in everybody's recording."""
        samples = 1e-5 * np.random.default_rng(0).normal(size=(4, 1000))
        samples[1] = 0
        for subject in TINY_SUBJECTS:
            replace_recording(tiny_bids, samples, subject)
        with pytest.raises(CohortError, match="channel 'Cz' of cohort 'tiny' is flat in every"):
            load(tiny_bids)

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_samples_that_are_no_numbers(self, tiny_bids: Path, value: float) -> None:
        """Before the filter spreads them; with channel and time."""
        samples = 1e-5 * np.random.default_rng(0).normal(size=(4, 1000))
        samples[2, 300:310] = value
        replace_recording(tiny_bids, samples)
        with pytest.raises(
            CohortError, match=r"channel 'Pz' holds 10 NaN or infinite samples from 1.5 s"
        ):
            load(tiny_bids)

    def test_recording_that_is_cut_short(self, tiny_bids: Path) -> None:
        """MNE alone goes on with what is left."""
        content = recording(tiny_bids).read_bytes()
        recording(tiny_bids).write_bytes(content[: len(content) // 2])
        with pytest.raises(CohortError, match=r"'sub-02_task-rest_eeg.edf' .* does not match the"):
            load(tiny_bids)

    def test_recording_that_is_no_edf(self, tiny_bids: Path) -> None:
        """A page of an error message, saved under its name."""
        recording(tiny_bids).write_text("<html>404</html>")
        with pytest.raises(CohortError, match=r"cannot use recording 'sub-02_task-rest_eeg.edf'"):
            load(tiny_bids)

    def test_channels_table_without_types(self, tiny_bids: Path) -> None:
        """What is EEG would be anybody's guess."""
        sidecar = recording(tiny_bids).with_name("sub-02_task-rest_channels.tsv")
        sidecar.write_text("name\nFz\n")
        with pytest.raises(CohortError, match=r"'sub-02_task-rest_eeg.edf' .* \['type'\]"):
            load(tiny_bids)

    def test_recordings_that_are_all_too_short(self, tiny_bids: Path) -> None:
        """Nothing would be left."""
        with pytest.raises(CohortError, match="every recording of data set 'tiny' is shorter"):
            load(tiny_bids, window_seconds=10.0)

    def test_excluded_recording_is_not_read(self, tiny_bids: Path) -> None:
        """The way out that the errors above name."""
        recording(tiny_bids).write_bytes(b"")

        assert load(tiny_bids, exclude=["sub-02"]).n_subjects == 3

    def test_recording_that_lies_where_bids_puts_none(self, tiny_bids: Path) -> None:
        """It must not disappear."""
        misplaced = tiny_bids / "sub-02" / recording(tiny_bids).name
        recording(tiny_bids).rename(misplaced)
        with pytest.raises(
            CohortError, match="1 recordings of data set 'tiny' are not where BIDS puts them"
        ):
            load(tiny_bids)


@pytest.fixture(scope="module")
def rest(data_dir: Path) -> Cohort:
    """Return EEGMAT with all its defaults."""
    return eegmat(data_dir=data_dir)


class TestEegmat:
    """The real data set, where it is at hand."""

    def test_rest_has_its_windows(self, rest: Cohort) -> None:
        """35 recordings of 90 s and one of 80 s, in windows of 2 s."""
        assert rest.X.shape == (1615, 8, 200)

    def test_everybody_takes_part(self, rest: Cohort) -> None:
        """36 people, nobody left out."""
        assert (rest.n_subjects, len(rest.notes)) == (36, 1)

    def test_samples_have_the_size_of_eeg(self, rest: Cohort) -> None:
        """A few to a few dozen microvolts."""
        assert np.all((rest.X.std(axis=(0, 2)) > 2) & (rest.X.std(axis=(0, 2)) < 50))

    def test_scores_are_the_table_s(self, rest: Cohort, data_dir: Path) -> None:
        """Person by person."""
        people = pd.read_csv(data_dir / "eegmat" / "participants.tsv", sep="\t")
        expected = dict(zip(people["participant_id"], people["n_subtractions"], strict=True))

        assert dict(zip(rest.subjects, rest.y, strict=True)) == expected

    def test_confounds_are_in_the_table(self, rest: Cohort) -> None:
        """Age and sex."""
        assert {"age", "sex"} <= set(rest.table.columns)

    def test_source_is_cited(self, rest: Cohort) -> None:
        """By its DOI."""
        assert rest.provenance["doi"] == "doi:10.13026/C2JQ1P"

    def test_channels_are_the_eight(self, rest: Cohort) -> None:
        """In the case study's order."""
        assert rest.ch_names == CH_NAMES

    def test_missing_folder_says_where_to_get_it(self, tmp_path: Path) -> None:
        """And how to point at it."""
        with pytest.raises(CohortError, match=r"--data DIR .* PhysioNet, doi:10.13026/C2JQ1P"):
            eegmat(data_dir=tmp_path)


@pytest.mark.parametrize(("name", "maker"), [("bids", bids), ("eegmat", eegmat)])
def test_registry_offers_it(name: str, maker: object) -> None:
    """Under the name that a suite uses."""
    assert COHORTS[name] is maker

"""BIDS folders that are refused: before signals are read where names and tables can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from bids_for_tests import TINY_SUBJECTS, edit_participants, load, recording, replace_recording

from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail if signals are read: the error under test must come first."""

    def prepare(*_: object, **__: object) -> None:
        pytest.fail("signals were read before the folder was checked")

    monkeypatch.setattr("pfactor_bench.cohorts.bids.cohort.prepare", prepare)


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

    @pytest.mark.parametrize("content", [b"", "participant_id\ttarget\n".encode("utf-16-le")])
    def test_unreadable_participants_table(self, tiny_bids: Path, content: bytes) -> None:
        """An empty file, or one in another encoding."""
        (tiny_bids / "participants.tsv").write_bytes(content)
        with pytest.raises(CohortError, match=r"cannot read participants.tsv of data set 'tiny'"):
            load(tiny_bids)

    def test_participants_table_without_names(self, tiny_bids: Path) -> None:
        """Targets would belong to nobody."""
        edit_participants(tiny_bids, "participant_id", "subject")
        with pytest.raises(CohortError, match="has no column 'participant_id'"):
            load(tiny_bids)

    def test_unknown_target(self, tiny_bids: Path) -> None:
        """With the closest column."""
        with pytest.raises(CohortError, match="no column 'targets': did you mean 'target'"):
            load(tiny_bids, target="targets")

    def test_target_named_like_a_window_s_column(self, tiny_bids: Path) -> None:
        """One of the two would be lost."""
        with pytest.raises(CohortError, match="target 'run' is a name that describes windows"):
            load(tiny_bids, target="run")

    def test_target_that_is_the_column_of_names(self, tiny_bids: Path) -> None:
        """It names subjects and has no target of any."""
        with pytest.raises(CohortError, match=r"target 'participant_id' .* names subjects"):
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

    def test_subject_with_two_rows(self, tiny_bids: Path) -> None:
        """Even where both say the same."""
        edit_participants(tiny_bids, "sub-03", "sub-02")
        with pytest.raises(CohortError, match="two rows for 'sub-02'"):
            load(tiny_bids)

    def test_target_that_is_a_word(self, tiny_bids: Path) -> None:
        """With its row."""
        edit_participants(tiny_bids, "-1.5", "low")
        with pytest.raises(CohortError, match=r"'target' of subject 'sub-02' \(row 1\) is 'low'"):
            load(tiny_bids)

    def test_constant_target(self, tiny_bids: Path) -> None:
        """Nothing can be learnt."""
        for target in ("0.5", "-1.5", "2\n"):
            edit_participants(tiny_bids, f"\t{target}", "\t1" + "\n" * target.endswith("\n"))
        with pytest.raises(CohortError, match="all 4 subjects of cohort 'tiny' have target = 1"):
            load(tiny_bids)

    def test_too_few_subjects(self, tiny_bids: Path) -> None:
        """Counted after every subject who is left out."""
        with pytest.raises(CohortError, match="has 2 subjects with a 'target': at least 3"):
            load(tiny_bids, exclude=["sub-01", "sub-02"])

    def test_excluded_subject_who_is_not_there(self, tiny_bids: Path) -> None:
        """A typo must not leave a subject in."""
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
        """As a recording reference is, in every subject's recording."""
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

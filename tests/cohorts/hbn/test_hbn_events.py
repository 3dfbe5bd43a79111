"""What the events of HBN's recordings say about their windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hbn_for_tests import DATASET, SUBJECTS, WITHOUT_TARGET, write_subjects

from pfactor_bench.cohorts.hbn.cohort import hbn

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from pfactor_bench.types import Cohort

NAMES = [f"sub-{name}" for name in SUBJECTS]


def edit_events(folder: Path, name: str, text: str) -> None:
    """Put other events into a subject's recording."""
    path = next(folder.glob(f"{DATASET}/{name}/eeg/*_events.tsv"))
    path.write_text("onset\tduration\tvalue\n" + text)


def of(cohort: Cohort, name: str) -> pd.DataFrame:
    """Return a subject's windows."""
    return cohort.table[cohort.table["subject"] == name]


BLOCKS = {"eyes-open": "eyes_open", "eyes-closed": "eyes_closed"}


class TestEvents:
    """Which stretch of a recording is rest."""

    def test_recording_is_cut_where_another_task_begins(self, local: Path) -> None:
        """And that is said."""
        edit_events(local, NAMES[0], "1\t0\tresting_start\n41\t0\tvideo_start\n")
        cohort = hbn(data_dir=local)

        assert of(cohort, NAMES[0])["stop"].max() <= 4100
        assert len(of(cohort, NAMES[0])) == 20
        assert any(
            "cut to 0.0-41.0 s of 52.0 s: other tasks' events (video" in n for n in cohort.notes
        )

    def test_recording_that_begins_with_another_task_is_cut(self, local: Path) -> None:
        """Its windows keep their place in the recording."""
        edit_events(
            local,
            NAMES[0],
            "0.5\t0\tvideo_start\n12\t0\tresting_start\n15\t0\tinstructed_toOpenEyes\n",
        )

        assert of(hbn(data_dir=local), NAMES[0])["start"].min() == 1200

    def test_other_subjects_keep_all_their_windows(self, local: Path) -> None:
        """The cut is one recording's."""
        edit_events(local, NAMES[0], "1\t0\tresting_start\n41\t0\tvideo_start\n")

        assert len(of(hbn(data_dir=local), NAMES[1])) == 26

    def test_recording_of_another_task_is_left_out(self, local: Path) -> None:
        """It is rest in name only."""
        for name in NAMES[:1]:
            edit_events(local, name, "1\t0\tvideo_start\n41\t0\tvideo_stop\n")
        write_subjects(local / DATASET, [*SUBJECTS, WITHOUT_TARGET], "R1")
        table = local / DATASET / "participants.tsv"
        table.write_text("\n".join(table.read_text().splitlines()[:-1]) + "\n")
        cohort = hbn(data_dir=local)

        assert NAMES[0] not in set(cohort.subjects)
        assert any(
            "left out: it holds events of other tasks (video_start" in n for n in cohort.notes
        )

    def test_boundaries_are_no_task(self, local: Path) -> None:
        """EEGLAB writes them at every break."""
        edit_events(local, NAMES[0], "1\t0\tresting_start\n20\t0\tboundary\n30\t0\tbreak cnt\n")

        assert len(of(hbn(data_dir=local), NAMES[0])) == 26

    def test_recording_that_is_whole_is_as_if_uncut(self, local: Path) -> None:
        """Events change no sample."""
        expected = hbn(data_dir=local).fingerprint
        for path in local.glob("*/*/eeg/*_events.tsv"):
            path.unlink()

        assert hbn(data_dir=local).fingerprint == expected

    @pytest.mark.parametrize(
        ("block", "first", "last"), [("eyes-open", 700, 2100), ("eyes-closed", 3700, 5100)]
    )
    def test_blocks_lie_after_their_instruction(
        self, block: str, first: int, last: int, local: Path
    ) -> None:
        """Open 5 to 19 s after it, closed 15 to 29 s."""
        windows = of(hbn(data_dir=local, task=block), NAMES[0])

        assert (windows["start"].min(), windows["stop"].max(), len(windows)) == (first, last, 7)

    def test_blocks_agree_with_eegdash(self, local: Path) -> None:
        """Its re-annotation of the same events."""
        import mne
        from eegdash.hbn.preprocessing import hbn_ec_ec_reannotation

        path = next(local.glob(f"{DATASET}/{NAMES[0]}/eeg/*.set"))
        raw = mne.io.read_raw(path, preload=True, verbose="ERROR")
        raw.set_annotations(
            mne.Annotations(
                [2.0, 22.0], [0, 0], ["instructed_toOpenEyes", "instructed_toCloseEyes"]
            )
        )
        marks = hbn_ec_ec_reannotation().transform(raw).annotations
        ours = {name: of(hbn(data_dir=local, task=name), NAMES[0]) for name in BLOCKS}

        assert {
            name: (100 * marks.onset[marks.description == description]).tolist()
            for name, description in BLOCKS.items()
        } == {name: windows["start"].tolist() for name, windows in ours.items()}

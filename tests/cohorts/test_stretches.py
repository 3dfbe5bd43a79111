"""Time that is interrupted: no filter and no window crosses a gap, boundary or bad segment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from bids_for_tests import load
from edf_for_tests import MICROVOLTS, edf, rhythm, write_edf, write_folder

from pfactor_bench.cohorts.bids.edf import read_edf_header
from pfactor_bench.cohorts.bids.stretches import split
from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from pathlib import Path

    from pfactor_bench.types import Cohort

DISCONTINUOUS = (
    "1 recordings were read with a warning: it is discontinuous: no filter and no window crosses a "
    "gap or boundary"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of four subjects, 20 s each."""
    return write_folder(tmp_path / "mine", seconds=20)


def places(cohort: Cohort) -> list[int]:
    """Return where sub-02's windows begin, in samples."""
    return cohort.table.loc[cohort.table["subject"] == "sub-02", "start"].tolist()


def write_events(folder: Path, rows: str) -> None:
    """Write sub-02's events."""
    path = edf(folder).with_name("sub-02_task-rest_events.tsv")
    path.write_text(f"onset\tduration\ttrial_type\n{rows}")


class TestGaps:
    """EDF+D: records that do not follow each other, which MNE joins."""

    onsets = (*range(7), *range(107, 120))

    def test_windows_end_at_a_gap_and_it_is_said(self, folder: Path) -> None:
        """At 7 s of samples: three windows before, six after."""
        write_edf(edf(folder), rhythm(20), onsets=self.onsets)
        cohort = load(folder)

        assert places(cohort) == [0, 200, 400, 700, 900, 1100, 1300, 1500, 1700]
        assert DISCONTINUOUS in cohort.notes

    def test_filter_does_not_cross_it(self, folder: Path) -> None:
        """A step at the gap moves no sample: each side is as if it stood alone."""
        signals = rhythm(20)
        write_edf(edf(folder), signals, onsets=self.onsets)
        calm = load(folder)
        signals[:, 1400:] += 1000
        write_edf(edf(folder), signals, onsets=self.onsets)
        stepped = load(folder)
        first = (calm.table["subject"] == "sub-02").to_numpy() & (calm.table["start"] < 600)

        np.testing.assert_array_equal(stepped.X[first], calm.X[first])

    def test_records_that_follow_each_other_are_not_cut(self, folder: Path) -> None:
        """Whatever the header calls the file."""
        expected = load(folder)
        write_edf(edf(folder), rhythm(20, seed=2), onsets=range(20))
        cohort = load(folder)

        assert (cohort.fingerprint, cohort.notes) == (expected.fingerprint, ())

    def test_annotation_after_a_gap_is_found_in_the_samples(self, folder: Path) -> None:
        """It says 109 s, which is the ninth second that was recorded."""
        write_edf(edf(folder), rhythm(20), onsets=self.onsets, texts=["+109\x152\x14BAD_move"])

        assert places(load(folder)) == [0, 200, 400, 700, 1100, 1300, 1500, 1700]

    def test_events_of_a_table_are_counted_likewise(self, folder: Path) -> None:
        """BIDS counts seconds from the first sample, gaps and all."""
        write_edf(edf(folder), rhythm(20), onsets=self.onsets)
        write_events(folder, "109\t2\tBAD_move\n")

        assert places(load(folder)) == [0, 200, 400, 700, 1100, 1300, 1500, 1700]

    def test_header_tells_where_gaps_are(self, folder: Path) -> None:
        """In seconds of samples."""
        write_edf(edf(folder), rhythm(20), onsets=self.onsets)
        header = read_edf_header(edf(folder))

        assert header.gaps() == [7.0]
        assert [header.sampled_at(at) for at in (3.5, 50, 107.5, 119)] == [3.5, 7, 7.5, 19]


class TestBadSegments:
    """What is marked BAD_ is kept out, or kept and said."""

    @pytest.mark.parametrize("name", ["BAD_move", "bad_blink", "BAD"])
    def test_they_are_left_out_and_counted(self, folder: Path, name: str) -> None:
        """Windows lie before and after it."""
        write_events(folder, f"5\t3\t{name}\n")
        cohort = load(folder)

        assert places(cohort) == [0, 200, 800, 1000, 1200, 1400, 1600, 1800]
        assert (
            "recording sub-02_task-rest_eeg.edf has 3.0 s that are marked bad, which were left out"
            in cohort.notes
        )

    def test_they_can_be_kept(self, folder: Path) -> None:
        """Samples are those of an unmarked recording, and it is said."""
        expected = load(folder)
        write_events(folder, "5\t3\tBAD_move\n")
        cohort = load(folder, bad_segments="keep")

        assert cohort.fingerprint == expected.fingerprint
        assert cohort.notes == (
            "recording sub-02_task-rest_eeg.edf has 3.0 s that are marked bad, which were kept",
        )

    def test_annotations_of_the_file_count(self, folder: Path) -> None:
        """Where there is no table of events."""
        write_edf(edf(folder), rhythm(20), texts=["+5\x153\x14BAD_move"])

        assert places(load(folder)) == [0, 200, 800, 1000, 1200, 1400, 1600, 1800]

    def test_samples_that_are_no_numbers_may_be_in_them(self, folder: Path) -> None:
        """That is why they are marked."""
        import mne

        volts = 1e-6 * rhythm(20)
        volts[:, 1100:1300] = np.nan
        info = mne.create_info([*MICROVOLTS], 200, "eeg", verbose="ERROR")
        edf(folder).unlink()
        raw = mne.io.RawArray(volts, info, verbose="ERROR")
        raw.export(edf(folder).with_suffix(".set"), verbose="ERROR")
        write_events(folder, "5\t3\tBAD_move\n")

        assert len(places(load(folder))) == 8

    @pytest.mark.parametrize("row", ["5\t3\tbadminton\n", "5\t3\tn/a\n", "n/a\t3\tBAD\n"])
    def test_other_events_cut_nothing(self, folder: Path, row: str) -> None:
        """A name may begin like that."""
        write_events(folder, row)

        assert len(places(load(folder))) == 10


class TestBoundaries:
    """Where EEGLAB and BrainVision say that samples do not follow each other."""

    @pytest.mark.parametrize("name", ["boundary", "New Segment/", "EDGE boundary"])
    def test_windows_end_there(self, folder: Path, name: str) -> None:
        """A boundary's duration is what was cut out: nothing that is here is lost."""
        write_events(folder, f"7.001\t50\t{name}\n")
        cohort = load(folder)

        assert len(places(cohort)) == 9
        assert DISCONTINUOUS in cohort.notes

    def test_first_sample_is_no_boundary(self, folder: Path) -> None:
        """Every recording begins with one."""
        write_events(folder, "0\t0\tNew Segment/\n-0.001\t0\tboundary\n")

        assert load(folder).notes == ()

    def test_epochs_are_cut_apart(self, folder: Path) -> None:
        """A recording that is made of them, by eeg.json at any level."""
        (folder / "eeg.json").write_text('{"RecordingType": "epoched", "EpochLength": 5}')

        assert places(load(folder)) == [0, 200, 500, 700, 1000, 1200, 1500, 1700]

    def test_epochs_of_unknown_length_are_refused(self, folder: Path) -> None:
        """Where they end cannot be guessed."""
        (folder / "eeg.json").write_text('{"RecordingType": "epoched"}')
        with pytest.raises(CohortError, match="epoched and gives EpochLength None"):
            load(folder)

    def test_gaps_that_nothing_locates_are_said(self, folder: Path) -> None:
        """eeg.json knows of them, the file does not."""
        (folder / "eeg.json").write_text('{"RecordingType": "discontinuous"}')

        assert "calls it discontinuous and no gap is found" in load(folder).notes[0]

    def test_recording_of_short_pieces_is_left_out_and_said(self, folder: Path) -> None:
        """Nothing of it is long enough for a window."""
        write_events(folder, "".join(f"{at}\t0\tboundary\n" for at in range(20)))

        assert (
            "recording sub-02_task-rest_eeg.edf has 20.0 s in pieces shorter than a window, which "
            "were left out" in load(folder).notes
        )


class TestRates:
    """A rate that marks a site is refused or said."""

    def test_recording_without_the_band_is_refused(self, folder: Path) -> None:
        """Sampled at 50 Hz, it holds nothing above 25 Hz."""
        write_edf(edf(folder), rhythm(20, 50), rates=50)
        with pytest.raises(CohortError, match=r"'sub-02_.*' .* at 50 Hz: nothing above 25 Hz"):
            load(folder)

    def test_recording_with_the_band_is_said(self, folder: Path) -> None:
        """It is brought up, and differs from the others."""
        write_edf(edf(folder), rhythm(20, 80), rates=80)

        assert load(folder).notes == (
            (
                "1 recordings were read with a warning: it was sampled at 80 Hz and brought up to "
                "100 Hz"
            ),
            (
                "recordings differ in their sampling rate (200 Hz in 3, 80 Hz in 1), which marks "
                "their sites: sub-02_task-rest_eeg.edf"
            ),
        )

    def test_channel_that_is_slower_than_the_file_is_found(self, folder: Path) -> None:
        """MNE brings it up to the fastest channel's rate and says nothing."""
        signals = [*rhythm(20)[:2], rhythm(20, 50)[2]]
        write_edf(edf(folder), signals, rates=[200, 200, 50])
        with pytest.raises(CohortError, match=r"'sub-02_.*' .* at 50 Hz: nothing above 25 Hz"):
            load(folder)

    def test_faster_channel_that_nobody_asked_for_changes_nothing(self, folder: Path) -> None:
        """EEG is read at its own rate."""
        expected = load(folder).fingerprint
        signals = [*rhythm(20, seed=2), rhythm(20, 400)[0]]
        names = [*MICROVOLTS, "ECG"]
        write_edf(edf(folder), signals, names=names, rates=[200, 200, 200, 400])

        assert load(folder).fingerprint == expected

    def test_references_that_differ_are_said(self, folder: Path) -> None:
        """From eeg.json; what is unknown does not differ."""
        (folder / "eeg.json").write_text('{"EEGReference": "Cz"}')
        other = edf(folder).with_name("sub-02_task-rest_eeg.json")
        other.write_text('{"EEGReference": "linked ears"}')

        assert load(folder).notes == (
            (
                "recordings differ in their reference (Cz in 3, linked ears in 1), which marks "
                "their sites: sub-02_task-rest_eeg.edf"
            ),
        )


@pytest.mark.parametrize(
    ("cuts", "holes", "expected"),
    [
        ((), (), [(1, 9)]),
        ((4,), (), [(1, 4), (4, 9)]),
        ((), ((3, 5),), [(1, 3), (5, 9)]),
        ((4,), ((3, 5), (4.5, 6)), [(1, 3), (6, 9)]),
        ((0, 1, 9, 12), ((0, 2), (8, 11)), [(2, 8)]),
        ((), ((0, 10),), []),
    ],
)
def test_what_is_left_between_cuts_and_holes(
    cuts: tuple[float, ...],
    holes: tuple[tuple[float, float], ...],
    expected: list[tuple[float, float]],
) -> None:
    """From 1 to 9 s."""
    assert split(1, 9, cuts, holes) == expected

"""BIDS' inheritance principle, and what channels.tsv says of channels, whichever level it is on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from bids_for_tests import TINY_MICROVOLTS, load, recording
from edf_for_tests import edf, rhythm, write_edf, write_folder

from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from pathlib import Path

LEVELS = [
    "task-rest_channels.tsv",
    "channels.tsv",
    "{0}/{0}_channels.tsv",
    "{0}/eeg/{0}_channels.tsv",
]


def lift(folder: Path, level: str) -> None:
    """Move all recordings' channels.tsv to another level."""
    for path in folder.rglob("sub-*_task-rest_channels.tsv"):
        path.rename(folder / level.format(path.name[:6]))


def mark(folder: Path, status: str, *, name: str = "Pz") -> None:
    """Write the status of a channel of sub-02's recording."""
    rows = "".join(
        f"{each}\tEEG\tuV\t{status if each == name else 'good'}\n" for each in TINY_MICROVOLTS
    )
    path = recording(folder).with_name("sub-02_task-rest_channels.tsv")
    path.write_text(f"name\ttype\tunits\tstatus\n{rows}")


@pytest.mark.parametrize("level", LEVELS)
def test_channels_tsv_applies_from_every_level(tiny_bids: Path, level: str) -> None:
    """Else EOG would be taken for EEG in silence."""
    lift(tiny_bids, level)

    assert load(tiny_bids).ch_names == ("Fz", "Cz", "Pz")


def test_table_without_run_applies_to_every_run(tiny_bids: Path) -> None:
    """All entities of its name are the recording's."""
    for path in tiny_bids.rglob("*_task-rest_eeg.edf"):
        path.rename(path.with_name(path.name.replace("_eeg", "_run-1_eeg")))

    assert load(tiny_bids).ch_names == ("Fz", "Cz", "Pz")


@pytest.mark.parametrize("name", ["task-count_channels.tsv", "._task-rest_channels.tsv"])
def test_table_of_another_recording_does_not_apply(tiny_bids: Path, name: str) -> None:
    """Nor a file that a system left there."""
    lift(tiny_bids, name)

    assert load(tiny_bids).ch_names == ("Fz", "Cz", "Pz", "EOG")


def test_closest_table_applies(tiny_bids: Path) -> None:
    """A study's table is overruled by the subject's own."""
    rows = "".join(f"{name}\tMISC\tuV\n" for name in TINY_MICROVOLTS)
    (tiny_bids / "channels.tsv").write_text(f"name\ttype\tunits\n{rows}")

    assert load(tiny_bids).ch_names == ("Fz", "Cz", "Pz")


def test_two_tables_at_one_level_are_refused(tiny_bids: Path) -> None:
    """Neither says more of the recording."""
    lift(tiny_bids, "task-rest_channels.tsv")
    (tiny_bids / "acq-a_channels.tsv").write_text("name\ttype\n")
    for path in tiny_bids.rglob("*_task-rest_eeg.edf"):
        path.rename(path.with_name(path.name.replace("_eeg", "_acq-a_eeg")))
    with pytest.raises(CohortError, match=r"'acq-a_channels.tsv' and 'task-rest_channels.tsv'"):
        load(tiny_bids)


def test_channel_that_is_described_in_two_ways_is_refused(tiny_bids: Path) -> None:
    """It would be EEG or not by the order of rows."""
    path = recording(tiny_bids).with_name("sub-02_task-rest_channels.tsv")
    path.write_text(f"{path.read_text()}Fz\tEOG\tuV\n")
    with pytest.raises(CohortError, match="describes 'Fz' twice, and not alike"):
        load(tiny_bids)


@pytest.mark.parametrize("level", LEVELS)
def test_changed_table_is_another_entry_of_the_store(
    tiny_bids: Path, level: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it stands: what is read is what is hashed."""
    monkeypatch.setenv("PFACTOR_BENCH_STORE", str(tmp_path / "store"))
    lift(tiny_bids, level)
    load(tiny_bids, channels=["Pz"])
    for path in tiny_bids.rglob("*channels.tsv"):
        path.write_text(path.read_text().replace("Pz\tEEG", "Pz\tEMG"))
    with pytest.raises(CohortError, match=r"channel 'Pz' .* is of type 'emg'"):
        load(tiny_bids, channels=["Pz"])


class TestBadChannels:
    """What channels.tsv marks bad is never used in silence."""

    def test_it_is_kept_and_said(self, tiny_bids: Path) -> None:
        """By default: samples are those of the recording."""
        expected = load(tiny_bids).fingerprint
        mark(tiny_bids, "BAD")
        cohort = load(tiny_bids)

        assert cohort.fingerprint == expected
        assert cohort.notes == (
            (
                "1 recordings were read with a warning: channel Pz is marked bad and was kept as "
                "it is"
            ),
        )

    def test_recording_is_dropped_and_said(self, tiny_bids: Path) -> None:
        """If that is asked for."""
        mark(tiny_bids, "bad")
        cohort = load(tiny_bids, bad_channels="drop")

        assert "sub-02" not in set(cohort.table["subject"])
        assert cohort.notes == (
            (
                "recording sub-02_task-rest_eeg.edf left out: it has channels that are marked bad, "
                "Pz"
            ),
        )

    def test_channel_that_nobody_asked_for_costs_nothing(self, tiny_bids: Path) -> None:
        """Only what is used counts."""
        mark(tiny_bids, "bad")

        assert load(tiny_bids, channels=["Fz", "Cz"], bad_channels="drop").notes == ()

    def test_channel_without_enough_neighbours_is_refused(self, tiny_bids: Path) -> None:
        """Two others say nothing about its place."""
        mark(tiny_bids, "bad")
        with pytest.raises(CohortError, match="Pz are marked bad and cannot be interpolated"):
            load(tiny_bids, bad_channels="interpolate")

    def test_channel_is_interpolated_from_the_good_ones(self, tmp_path: Path) -> None:
        """Its own samples count for nothing."""
        folder = write_folder(tmp_path / "mine")
        names = ["Cz", "C1", "C2", "FCz", "CPz", "Fz"]
        shared = rhythm(5)[1]
        rows = "".join(f"{name}\tEEG\tuV\tgood\n" for name in names[1:])
        for number in range(1, 5):
            path = edf(folder, f"sub-0{number}")
            write_edf(path, [3000 * np.ones(1000), *[shared] * 5], names=names)
            path.with_name(path.name.replace("eeg.edf", "channels.tsv")).write_text(
                f"name\ttype\tunits\tstatus\nCz\tEEG\tuV\tbad\n{rows}"
            )
        cohort = load(folder, channels=["Cz", "C1"], bad_channels="interpolate")

        np.testing.assert_allclose(cohort.X[:, 0], cohort.X[:, 1], atol=1.0)
        assert "channel Cz is marked bad and was interpolated" in cohort.notes[-1]

    @pytest.mark.parametrize("key", ["bad_channels", "bad_segments"])
    def test_policy_that_is_none_is_refused(self, tiny_bids: Path, key: str) -> None:
        """With those that there are."""
        with pytest.raises(CohortError, match=f"{key} is 'repair': give one of .*keep"):
            load(tiny_bids, **{key: "repair"})

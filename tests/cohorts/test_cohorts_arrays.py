"""Cohorts from arrays and from braindecode's windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from pfactor_bench.cohorts import COHORTS, from_braindecode
from pfactor_bench.cohorts.arrays import arrays
from pfactor_bench.cohorts.bids.cohort import bids
from pfactor_bench.cohorts.memory_maps import is_mapped
from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from pathlib import Path

    from pfactor_bench.types import Cohort

SUBJECTS = np.repeat(["a", "b", "c", "d"], 3)
TARGETS = np.repeat([0.5, -1.0, 2.0, 0.0], 3)


@pytest.fixture
def content() -> dict[str, np.ndarray]:
    """Return twelve windows of four subjects."""
    X = np.random.default_rng(0).standard_normal((12, 2, 50)).astype(np.float32)
    return {"X": X, "y": TARGETS, "subjects": SUBJECTS}


def write_npz(folder: Path, content: dict[str, np.ndarray]) -> str:
    """Write one file."""
    np.savez(folder / "mine.npz", allow_pickle=False, **content)
    return "mine.npz"


def write_npy(folder: Path, content: dict[str, np.ndarray]) -> str:
    """Write a folder with a file per array."""
    (folder / "mine").mkdir()
    for name, array in content.items():
        np.save(folder / "mine" / f"{name}.npy", array)
    return "mine"


def write_zarr(folder: Path, content: dict[str, np.ndarray]) -> str:
    """Write a group."""
    import zarr

    group = zarr.open_group(folder / "mine.zarr", mode="w")
    group.create_array("X", data=content["X"], chunks=(5, 2, 50))
    group.create_array("y", data=content["y"])
    group.create_array("subjects", data=content["subjects"])
    return "mine.zarr"


def load(folder: Path, dataset: str, **changes: Any) -> Cohort:
    """Load them."""
    how = {"target": "target", "sfreq": 100.0, "channels": ["Cz", "Pz"], "data_dir": folder}
    return arrays(dataset=dataset, **{**how, **changes})


class TestArrays:
    """Three ways to keep arrays."""

    @pytest.mark.filterwarnings("ignore")
    @pytest.mark.parametrize("write", [write_npz, write_npy, write_zarr])
    def test_content_is_the_cohort_s(
        self, write: Any, content: dict[str, np.ndarray], tmp_path: Path
    ) -> None:
        """Samples, targets and subjects."""
        cohort = load(tmp_path, write(tmp_path, content))

        np.testing.assert_array_equal(cohort.X, content["X"])
        assert cohort.y.tolist() == TARGETS.tolist()
        assert cohort.subjects.tolist() == SUBJECTS.tolist()
        assert cohort.name == "mine"

    @pytest.mark.parametrize("dtype", ["complex64", "U8", "bool"])
    def test_samples_that_are_no_real_numbers_are_refused(
        self, dtype: str, content: dict[str, np.ndarray], tmp_path: Path
    ) -> None:
        """Half of a complex number is none of the signal."""
        content["X"] = content["X"].astype(dtype)
        with pytest.raises(CohortError, match=r"X of 'mine.npz' has dtype .*: samples are real"):
            load(tmp_path, write_npz(tmp_path, content))

    def test_folder_of_npy_is_mapped(self, content: dict[str, np.ndarray], tmp_path: Path) -> None:
        """It need not fit in memory."""
        assert is_mapped(load(tmp_path, write_npy(tmp_path, content)).X)

    def test_windows_are_numbered_and_that_is_said(
        self, content: dict[str, np.ndarray], tmp_path: Path
    ) -> None:
        """Nobody knows where they lie."""
        cohort = load(tmp_path, write_npz(tmp_path, content))

        assert cohort.table["sample_id"].tolist()[:4] == [
            "a__w000",
            "a__w001",
            "a__w002",
            "b__w000",
        ]
        assert cohort.notes[0].startswith("where windows lie in their recording is not known")

    def test_table_of_windows_is_taken(
        self, content: dict[str, np.ndarray], tmp_path: Path
    ) -> None:
        """With the places of the windows."""
        rows = {"start": np.arange(12) * 7, "stop": np.arange(12) * 7 + 50, "age": 9}
        pd.DataFrame(rows).to_csv(tmp_path / "mine.csv", index=False)
        cohort = load(tmp_path, write_npz(tmp_path, content), table="mine.csv")

        assert cohort.table["start"].tolist() == rows["start"].tolist()
        assert cohort.notes == ()

    def test_table_of_subjects_is_taken(
        self, content: dict[str, np.ndarray], tmp_path: Path
    ) -> None:
        """In any order."""
        subjects = pd.DataFrame({"subject": ["d", "c", "b", "a"], "age": [4, 3, 2, 1]})
        subjects.to_parquet(tmp_path / "mine.parquet")
        cohort = load(tmp_path, write_npz(tmp_path, content), table="mine.parquet")

        assert cohort.table["age"].tolist() == np.repeat([1, 2, 3, 4], 3).tolist()

    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            ({"age": [1, 2]}, "has 2 rows: it needs one for each of the 12 windows"),
            ({"subject": ["a", "b", "c"], "age": [1, 2, 3]}, "no row for subject 'd'"),
        ],
    )
    def test_table_that_does_not_fit(
        self,
        rows: dict[str, Any],
        message: str,
        content: dict[str, np.ndarray],
        tmp_path: Path,
    ) -> None:
        """Neither windows nor subjects."""
        pd.DataFrame(rows).to_csv(tmp_path / "mine.csv", index=False)
        with pytest.raises(CohortError, match=message):
            load(tmp_path, write_npz(tmp_path, content), table="mine.csv")

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"y": TARGETS[:5]}, r"y of 'mine\.npz' has shape \(5,\)"),
            ({"subjects": SUBJECTS[:5]}, r"subjects of 'mine\.npz' has shape \(5,\)"),
            ({"X": np.zeros((12, 50), dtype=np.float32)}, r"have shape \(12, 50\)"),
        ],
    )
    def test_arrays_that_do_not_fit(
        self,
        change: dict[str, np.ndarray],
        message: str,
        content: dict[str, np.ndarray],
        tmp_path: Path,
    ) -> None:
        """With their shapes."""
        with pytest.raises(CohortError, match=message):
            load(tmp_path, write_npz(tmp_path, {**content, **change}))

    def test_array_that_is_missing(self, content: dict[str, np.ndarray], tmp_path: Path) -> None:
        """With what there is."""
        content["subject"] = content.pop("subjects")
        with pytest.raises(CohortError, match="no array 'subjects': did you mean 'subject'"):
            load(tmp_path, write_npz(tmp_path, content))

    def test_pickled_objects_are_refused(
        self, content: dict[str, np.ndarray], tmp_path: Path
    ) -> None:
        """They may run anything."""
        content["subjects"] = content["subjects"].astype(object)
        np.savez(tmp_path / "mine.npz", **content)
        with pytest.raises(CohortError, match="without pickled"):
            load(tmp_path, "mine.npz")

    @pytest.mark.parametrize("name", ["../mine.npz", "/etc/passwd", ".."])
    def test_path_is_refused(self, name: str, tmp_path: Path) -> None:
        """A suite names a data set, never a place."""
        with pytest.raises(CohortError, match="is not a folder's name"):
            load(tmp_path, name)

    def test_file_that_is_no_array(self, tmp_path: Path) -> None:
        """With what is needed."""
        (tmp_path / "mine.npz").write_text("no zip")
        with pytest.raises(CohortError, match=r"cannot read arrays from 'mine\.npz'"):
            load(tmp_path, "mine.npz")

    def test_registry_offers_it(self) -> None:
        """Under the name that a suite uses."""
        assert COHORTS["arrays"] is arrays


@pytest.mark.filterwarnings("ignore")
class TestTable:
    """Names in a table are text, whatever they look like."""

    @pytest.mark.parametrize("suffix", ["csv", "tsv"])
    def test_names_with_leading_zeros_are_joined(
        self, suffix: str, content: dict[str, np.ndarray], tmp_path: Path
    ) -> None:
        """A reader that takes 01 for 1 finds nobody."""
        mark = {"csv": ",", "tsv": "\t"}[suffix]
        rows = [f"{number:02d}{mark}{20 + number}" for number in range(4)]
        (tmp_path / f"t.{suffix}").write_text("\n".join([f"subject{mark}age", *rows]) + "\n")
        content["subjects"] = np.repeat(["00", "01", "02", "03"], 3)
        cohort = load(tmp_path, write_npz(tmp_path, content), table=f"t.{suffix}")

        assert cohort.table["age"].tolist() == np.repeat([20, 21, 22, 23], 3).tolist()

    def test_name_that_differs_in_zeros_is_shown(
        self, content: dict[str, np.ndarray], tmp_path: Path
    ) -> None:
        """It is no guess that a program may make."""
        (tmp_path / "t.csv").write_text("subject,age\n1,20\n2,30\n3,40\n4,50\n")
        content["subjects"] = np.repeat(["01", "2", "3", "4"], 3)
        with pytest.raises(CohortError, match="'01'; '1', which differs in case or zeros only"):
            load(tmp_path, write_npz(tmp_path, content), table="t.csv")

    def test_hidden_files_are_no_arrays(
        self, content: dict[str, np.ndarray], tmp_path: Path
    ) -> None:
        """As macOS leaves them on a shared disk."""
        dataset = write_npy(tmp_path, content)
        (tmp_path / dataset / "._X.npy").write_bytes(b"\0\5\26\7")

        assert load(tmp_path, dataset).n_subjects == 4


class TestBraindecode:
    """Windows that braindecode has cut."""

    @pytest.fixture
    def windows(self, tiny_bids: Path) -> Any:
        """Return the tiny data set's rest recordings as a user would cut them."""
        from braindecode.datasets import BaseConcatDataset, RawDataset
        from braindecode.preprocessing import (
            Preprocessor,
            create_fixed_length_windows,
            preprocess,
        )
        from mne.io import read_raw_edf

        subjects = pd.read_csv(tiny_bids / "participants.tsv", sep="\t", index_col=0)
        recordings = []
        for name, row in subjects.iterrows():
            path = tiny_bids / str(name) / "eeg" / f"{name}_task-rest_eeg.edf"
            described = {"subject": name, "task": "rest", **row}
            recordings.append(RawDataset(read_raw_edf(path, preload=True), described))
        concat = BaseConcatDataset(recordings)
        steps = [
            Preprocessor(name, apply_on_array=False, **how)
            for name, how in {
                "pick_channels": {"ch_names": ["Fz", "Cz", "Pz"], "ordered": True},
                "resample": {"sfreq": 100},
                "filter": {"l_freq": 1, "h_freq": 30},
            }.items()
        ]
        preprocess(concat, steps)
        return create_fixed_length_windows(
            concat,
            window_size_samples=200,
            window_stride_samples=200,
            on_last_window="drop",
            preload=False,
        )

    def test_windows_are_those_of_the_folder(self, windows: Any, tiny_bids: Path) -> None:
        """The same as if it had been loaded here."""
        theirs = from_braindecode(windows, target="target")
        ours = bids(dataset="tiny", target="target", task="rest", data_dir=tiny_bids.parent)

        np.testing.assert_allclose(theirs.X, ours.X, atol=1e-4)
        assert theirs.y.tolist() == ours.y.tolist()
        assert theirs.ch_names == ours.ch_names
        for column in ("subject", "start", "stop", "age", "sex"):
            assert theirs.table[column].tolist() == ours.table[column].tolist()

    @pytest.mark.parametrize(
        ("target", "message"), [("targe", "has no 'targe': did you mean 'target'")]
    )
    def test_unknown_target(self, target: str, message: str, windows: Any) -> None:
        """With the closest entry."""
        with pytest.raises(CohortError, match=message):
            from_braindecode(windows, target=target)

    def test_recordings_of_two_kinds_are_refused(self, windows: Any) -> None:
        """They cannot stand in one array."""
        windows.datasets[1].raw.drop_channels(["Pz"])
        with pytest.raises(CohortError, match="recording 1 of cohort 'mine' has other channels"):
            from_braindecode(windows, target="target", name="mine")

    def test_unit_of_samples_is_declared(self, windows: Any) -> None:
        """A preprocessor may have scaled them to microvolts."""
        expected = from_braindecode(windows, target="target").X
        for recording in windows.datasets:
            recording.raw.load_data().apply_function(lambda volts: 1e6 * volts)
        cohort = from_braindecode(windows, target="target", unit="uV")

        np.testing.assert_allclose(cohort.X, expected, rtol=1e-5)
        assert cohort.unit == "uV"

    def test_unit_that_is_no_voltage_stays(self, windows: Any) -> None:
        """Standardised windows are no microvolts."""
        for recording in windows.datasets:
            recording.raw.load_data().apply_function(lambda volts: 1e6 * volts)

        assert from_braindecode(windows, target="target", unit="SD").unit == "SD"

    def test_samples_in_another_unit_than_declared_are_refused(self, windows: Any) -> None:
        """With the factor that is likely."""
        for recording in windows.datasets:
            recording.raw.load_data().apply_function(lambda volts: 1e6 * volts)
        with pytest.raises(CohortError, match=r"no EEG has .* factor of 1e-06 .* which unit"):
            from_braindecode(windows, target="target")

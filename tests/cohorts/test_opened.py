"""What is opened is what is hashed, and belongs to the recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from bids_for_tests import load
from edf_for_tests import MICROVOLTS, edf, rhythm, write_folder

from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of four subjects."""
    return write_folder(tmp_path / "mine")


def write_brainvision(
    folder: Path, data: str, *, marks: str = "a.vmrk", scale: float = 1.0, subject: str = "sub-02"
) -> Path:
    """Put a recording in as BrainVision, its samples in a file of any name."""
    header = edf(folder, subject).with_suffix(".vhdr")
    edf(folder, subject).unlink(missing_ok=True)
    samples = scale * rhythm(20, seed=2)
    samples.T.astype("<f4").tofile(header.with_name(data))
    header.with_name(marks).write_text(
        f"Brain Vision Data Exchange Marker File, Version 1.0\n[Common Infos]\nCodepage=UTF-8\n"
        f"DataFile={data}\n[Marker Infos]\nMk1=New Segment,,1,1,0,20200101000000000000\n"
    )
    rows = "".join(f"Ch{at}={name},,1,µV\n" for at, name in enumerate(MICROVOLTS, 1))
    header.write_text(
        f"Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nCodepage=UTF-8\n"
        f"DataFile={data}\nMarkerFile={marks}\nDataFormat=BINARY\n"
        f"DataOrientation=MULTIPLEXED\nNumberOfChannels=3\nSamplingInterval=5000\n"
        f"[Binary Infos]\nBinaryFormat=IEEE_FLOAT_32\n[Channel Infos]\n{rows}",
        encoding="utf-8",
    )
    return header


def amplitude(folder: Path) -> float:
    """Return the size of sub-02's rhythm in Pz."""
    cohort = load(folder)
    own = (cohort.table["subject"] == "sub-02").to_numpy()
    return float(cohort.X[own, 2].std() * np.sqrt(2))


@pytest.mark.parametrize("data", ["sub-02_task-rest_eeg.eeg", "sub-02_task-rest_eeg.dat", "p.eeg"])
def test_new_samples_are_another_entry_whatever_their_file_is_called(
    folder: Path, data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The header that names it has not changed."""
    monkeypatch.setenv("PFACTOR_BENCH_STORE", str(tmp_path / "store"))
    write_brainvision(folder, data)
    before = amplitude(folder)
    write_brainvision(folder, data, scale=2.0)

    assert amplitude(folder) == pytest.approx(2 * before, rel=1e-3)


def test_new_markers_are_another_entry(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They cut the recording, whatever their file is called."""
    monkeypatch.setenv("PFACTOR_BENCH_STORE", str(tmp_path / "store"))
    header = write_brainvision(folder, "p.eeg", marks="q.vmrk")
    before = len(load(folder).X)
    marks = header.with_name("q.vmrk")
    marks.write_text(marks.read_text() + "Mk2=New Segment,,1401,1,0,20200101000000000000\n")

    assert len(load(folder).X) == before - 1


def test_samples_of_eeglab_are_hashed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They stand in an .fdt file, which may be called otherwise than the .set file."""
    from scipy.io import savemat

    monkeypatch.setenv("PFACTOR_BENCH_STORE", str(tmp_path / "store"))
    edf(folder).unlink()
    path = edf(folder).with_suffix(".set")
    data = path.with_name("p.fdt")
    fields = {
        "data": "p.fdt",
        "nbchan": 3,
        "pnts": 4000,
        "trials": 1,
        "srate": 200.0,
        "xmin": 0.0,
        "xmax": 19.995,
        "chanlocs": np.array([(name,) for name in MICROVOLTS], dtype=[("labels", "O")]),
        "event": [],
    }
    savemat(path, {"EEG": fields}, appendmat=False)
    rhythm(20, seed=2).T.astype("<f4").tofile(data)
    before = amplitude(folder)
    (2 * rhythm(20, seed=2)).T.astype("<f4").tofile(data)

    assert amplitude(folder) == pytest.approx(2 * before, rel=1e-3)


def test_header_that_opens_another_recording_is_refused(folder: Path) -> None:
    """As a copied header does whose DataFile nobody changed."""
    write_brainvision(folder, "sub-03_task-rest_eeg.eeg")
    with pytest.raises(CohortError, match=r"opens 'sub-03_task-rest_eeg.eeg', which is another"):
        load(folder)


def test_file_that_two_recordings_are_read_from_is_refused(folder: Path) -> None:
    """Though its name is nobody's."""
    first = write_brainvision(folder, "p.eeg")
    second = first.with_name("sub-02_task-rest_run-2_eeg.vhdr")
    second.write_bytes(first.read_bytes())
    with pytest.raises(CohortError, match=r"it is read from '.*', as 'sub-02_.*_eeg.vhdr' is"):
        load(folder)


def test_pointer_in_place_of_samples_is_named(folder: Path) -> None:
    """Its bytes would be read as samples."""
    header = write_brainvision(folder, "p.eeg")
    header.with_name("p.eeg").write_text("/annex/objects/MD5E-s240000--0123456789abcdef.eeg\n")
    with pytest.raises(CohortError, match=r"the content of 'p.eeg' is not here"):
        load(folder)


def test_header_without_its_samples_is_named(folder: Path) -> None:
    """A link of git-annex without its content."""
    header = write_brainvision(folder, "p.eeg")
    header.with_name("p.eeg").unlink()
    header.with_name("p.eeg").symlink_to("never-fetched")
    with pytest.raises(CohortError, match=r"cannot use recording 'sub-02_task-rest_eeg.vhdr'"):
        load(folder)

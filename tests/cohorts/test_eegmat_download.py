"""EEGMAT from PhysioNet, which is a server of the test's own here."""

from __future__ import annotations

import hashlib
import socket
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pfactor_bench.cohorts.eegmat import download as eegmat_fetch
from pfactor_bench.cohorts.eegmat.cohort import CH_NAMES, eegmat
from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUBJECTS = {"00": "9.7", "01": "29.35", "02": "12.88"}


class Quiet(SimpleHTTPRequestHandler):
    """Hands out files and says nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def physionet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Serve three subjects' recordings with their checksums; return the server's folder."""
    import mne

    folder = tmp_path / "physionet"
    folder.mkdir()
    info = mne.create_info([*CH_NAMES, "ECG ECG"], 500, "eeg", verbose="ERROR")
    rng = np.random.default_rng(0)
    for number in SUBJECTS:
        for task in "12":
            raw = mne.io.RawArray(1e-5 * rng.standard_normal((9, 5000)), info, verbose="ERROR")
            raw.export(
                folder / f"Subject{number}_{task}.edf", physical_range=(-200, 200), verbose="ERROR"
            )
    rows = "".join(f"Subject{number},20,F,2011,{target},1\n" for number, target in SUBJECTS.items())
    (folder / "subject-info.csv").write_text(
        f"Subject,Age,Gender,Recording year,Number of subtractions,Count quality\n{rows}"
    )
    sums = "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.name}\n"
        for path in sorted(folder.iterdir())
    )
    (folder / "SHA256SUMS.txt").write_text(sums)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setattr(eegmat_fetch, "_URL", f"http://127.0.0.1:{server.server_address[1]}/")
    yield folder
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.usefixtures("physionet")
def test_recordings_and_targets_are_fetched(tmp_path: Path) -> None:
    """And loaded like any folder."""
    cohort = eegmat(data_dir=tmp_path / "data", download=True)

    assert cohort.X.shape == (15, 8, 200)
    assert sorted(set(cohort.y)) == [9.7, 12.88, 29.35]


def test_nothing_is_fetched_twice(physionet: Path, tmp_path: Path) -> None:
    """The server may be gone."""
    first = eegmat(data_dir=tmp_path / "data", download=True)
    for path in physionet.iterdir():
        path.unlink()

    assert eegmat(data_dir=tmp_path / "data", download=True).fingerprint == first.fingerprint


@pytest.mark.usefixtures("physionet")
def test_heart_is_no_eeg(tmp_path: Path) -> None:
    """It is recorded beside it."""
    with pytest.raises(CohortError, match=r"'ECG ECG' .* is of type 'ecg'"):
        eegmat(data_dir=tmp_path / "data", download=True, channels=["ECG ECG"])


def test_file_with_another_checksum_is_refused(physionet: Path, tmp_path: Path) -> None:
    """And nothing is left that looks like the data set."""
    (physionet / "Subject01_2.edf").write_bytes(b"changed")
    with pytest.raises(CohortError, match=r"cannot fetch .*Subject01_2\.edf: .*hash"):
        eegmat(data_dir=tmp_path / "data", download=True)

    assert list((tmp_path / "data").iterdir()) == []


def test_file_that_is_missing_is_named(physionet: Path, tmp_path: Path) -> None:
    """After it was tried again."""
    (physionet / "subject-info.csv").unlink()
    with pytest.raises(CohortError, match=r"cannot fetch .*subject-info\.csv: 404"):
        eegmat(data_dir=tmp_path / "data", download=True)


def test_network_that_refuses_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With another way to get it."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        monkeypatch.setattr(eegmat_fetch, "_URL", f"http://127.0.0.1:{reserved.getsockname()[1]}/")
        with pytest.raises(CohortError, match=r"cannot reach 127.*C2JQ1P"):
            eegmat(data_dir=tmp_path, download=True)

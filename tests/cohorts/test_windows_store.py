"""Prepared windows on disk: prepared once, whole or not there, and checked when they are read."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pfactor_bench.cohorts.bids.cohort import bids
from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from pathlib import Path

    from pfactor_bench.types import Cohort

#: Loads the tiny data set in another process and says what it is.
LOAD = """
import sys
from pfactor_bench.cohorts.bids.cohort import bids
print(bids(dataset="tiny", target="target", task="rest", data_dir=sys.argv[1]).fingerprint)
"""

#: The same, but stops for good after the second recording: the moment to be killed.
LOAD_AND_STALL = """
import sys, time
from pfactor_bench.cohorts.bids import windows
prepare_recording, done = windows.prepare_recording, []
def stalling(*arguments):
    if len(done) == 2:
        print("stalled", flush=True)
        time.sleep(600)
    done.append(1)
    return prepare_recording(*arguments)
windows.prepare_recording = stalling
"""


def load(folder: Path, **changes: Any) -> Cohort:
    """Load the tiny data set's rest recordings."""
    arguments = {"dataset": folder.name, "target": "target", "task": "rest"}
    return bids(**{"data_dir": folder.parent, **arguments, **changes})


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a fresh store that is used from now on."""
    folder = tmp_path / "store"
    monkeypatch.setenv("PFACTOR_BENCH_STORE", str(folder))
    return folder


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows by the name of each recording that is really prepared."""
    from pfactor_bench.cohorts.bids import windows

    names: list[str] = []
    prepare_recording = windows.prepare_recording

    def counting(dataset: str, file: Any, preparation: Any) -> Any:
        names.append(file.subject)
        return prepare_recording(dataset, file, preparation)

    monkeypatch.setattr(windows, "prepare_recording", counting)
    return names


def entries(store: Path) -> dict[Path, int]:
    """Return every entry's samples with the time that they were written."""
    return {path: path.stat().st_mtime_ns for path in store.glob("recordings/*/*/windows.npy")}


def is_mapped(X: np.ndarray) -> bool:
    """Return whether an array's samples are on disk."""
    base = X
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    return isinstance(base, np.memmap)


def test_cohort_is_the_same_as_without_a_store(
    tiny_bids: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last bit and word."""
    from_disk = load(tiny_bids)
    monkeypatch.delenv("PFACTOR_BENCH_STORE")
    in_memory = load(tiny_bids)

    assert store.is_dir()
    assert (from_disk.fingerprint, from_disk.notes) == (in_memory.fingerprint, in_memory.notes)


@pytest.mark.usefixtures("store")
def test_samples_stay_on_disk(tiny_bids: Path) -> None:
    """The whole of a cohort need not fit in memory."""
    assert is_mapped(load(tiny_bids).X)


@pytest.mark.usefixtures("store")
def test_second_time_nothing_is_prepared(tiny_bids: Path, prepared: list[str]) -> None:
    """Each recording once."""
    load(tiny_bids)
    load(tiny_bids)

    assert prepared == ["sub-01", "sub-02", "sub-03", "sub-04"]


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    "changes",
    [{"h_freq": 20.0}, {"sfreq": 50.0, "h_freq": 20.0}, {"channels": ["Cz"]}, {"l_freq": None}],
)
def test_other_preparation_is_another_entry(
    changes: dict[str, Any], tiny_bids: Path, prepared: list[str]
) -> None:
    """Never the wrong filter's samples."""
    load(tiny_bids)
    load(tiny_bids, **changes)

    assert len(prepared) == 8


@pytest.mark.usefixtures("store")
def test_changed_recording_is_prepared_anew(tiny_bids: Path, prepared: list[str]) -> None:
    """And no other."""
    load(tiny_bids)
    path = tiny_bids / "sub-02" / "eeg" / "sub-02_task-rest_eeg.edf"
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    load(tiny_bids)

    assert prepared[4:] == ["sub-02"]


@pytest.mark.usefixtures("store")
def test_subject_more_costs_one_recording(tiny_bids: Path, prepared: list[str]) -> None:
    """Entries are recordings, not cohorts."""
    load(tiny_bids, exclude=["sub-03"])
    load(tiny_bids)

    assert prepared[3:] == ["sub-03"]


def test_killed_run_resumes_without_rework_or_loss(
    tiny_bids: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL leaves what was finished, and nothing that is not."""
    with monkeypatch.context() as without:
        without.delenv("PFACTOR_BENCH_STORE")
        expected = load(tiny_bids).fingerprint
    script = LOAD_AND_STALL + LOAD
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tiny_bids.parent)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PFACTOR_BENCH_STORE": str(store)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"stalled\n"
        process.send_signal(signal.SIGKILL)
    finished = entries(store)
    cohort = load(tiny_bids)

    assert len(finished) == 2
    assert finished.items() <= entries(store).items()
    assert cohort.fingerprint == expected


def test_two_processes_share_the_work(tiny_bids: Path, store: Path) -> None:
    """Both get the same cohort, and no recording is written twice."""
    command = [sys.executable, "-c", LOAD, str(tiny_bids.parent)]
    environment = {**os.environ, "PFACTOR_BENCH_STORE": str(store)}
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
        for _ in range(2)
    ]
    first, second = [process.communicate()[0] for process in both]

    assert first == second != ""
    assert len(entries(store)) == 4
    assert not list(store.glob("making-*"))


def test_entry_with_flipped_bytes_is_named_and_replaced(tiny_bids: Path, store: Path) -> None:
    """A disk that fails must not change a result."""
    expected = load(tiny_bids).fingerprint
    flip(next(iter(entries(store))))
    cohort = load(tiny_bids)

    assert cohort.fingerprint == expected
    assert cohort.notes[-1].startswith(
        "1 entries of the windows store were damaged and prepared anew: sub-0"
    )


def test_joined_windows_with_flipped_bytes_are_joined_anew(tiny_bids: Path, store: Path) -> None:
    """The copy that is mapped is compared, too."""
    expected = load(tiny_bids).fingerprint
    flip(next(store.glob("cohorts/*.npy")))

    assert load(tiny_bids).fingerprint == expected


def test_entry_that_is_cut_short_is_replaced(tiny_bids: Path, store: Path) -> None:
    """As a file system that was not synchronised leaves it."""
    expected = load(tiny_bids).fingerprint
    (next(iter(entries(store))).parent / "facts.json").write_bytes(b"")

    assert load(tiny_bids).fingerprint == expected


def test_full_disk_names_store_and_way_out(
    tiny_bids: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is finished stays; what is not leaves nothing behind."""
    written: list[int] = []
    save = np.save

    def full(stream: Any, array: np.ndarray, **how: Any) -> None:
        if len(written) == 2:
            stream.write(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(1)
        save(stream, array, **how)

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(CohortError, match=r"No space left on device.*PFACTOR_BENCH_STORE"):
        load(tiny_bids)

    assert len(entries(store)) == 2
    assert not list(store.glob("making-*"))


def test_store_that_is_a_file_is_refused(
    tiny_bids: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is read."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PFACTOR_BENCH_STORE", str(tmp_path / "file"))
    with pytest.raises(CohortError, match="cannot write to the windows store"):
        load(tiny_bids)


@pytest.mark.usefixtures("store")
def test_several_processes_give_the_same_cohort(
    tiny_bids: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the same order."""
    expected = load(tiny_bids).fingerprint
    monkeypatch.setenv("PFACTOR_BENCH_JOBS", "2")
    monkeypatch.setenv("PFACTOR_BENCH_STORE", str(tiny_bids.parent / "other"))

    assert load(tiny_bids).fingerprint == expected


def test_error_in_another_process_names_the_recording(
    tiny_bids: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if it had happened here."""
    monkeypatch.setenv("PFACTOR_BENCH_JOBS", "2")
    (tiny_bids / "sub-02" / "eeg" / "sub-02_task-rest_eeg.edf").write_bytes(b"no EDF")
    with pytest.raises(CohortError, match=r"cannot use recording 'sub-02_task-rest_eeg\.edf'"):
        load(tiny_bids)


@pytest.mark.parametrize("jobs", ["0", "many"])
def test_number_of_processes_must_be_one(
    jobs: str, tiny_bids: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A typo is no reason to guess."""
    monkeypatch.setenv("PFACTOR_BENCH_JOBS", jobs)
    with pytest.raises(CohortError, match=f"PFACTOR_BENCH_JOBS is '{jobs}'"):
        load(tiny_bids)


def flip(path: Path) -> None:
    """Change one bit in the middle of a file, and leave its size and time."""
    content, status = bytearray(path.read_bytes()), path.stat()
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

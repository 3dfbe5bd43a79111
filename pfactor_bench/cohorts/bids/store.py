"""Windows on disk: each recording prepared once, found again by what it was prepared from.

An entry is named by a hash over the recording's bytes and everything that was done to them, so an
entry is never out of date: another filter is another entry. It appears in one step, whole or not
at all, and its checksum is compared whenever it is read. Entries are plain ``.npy`` files, which
docs/scale.md compares with zarr.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pfactor_bench.cohorts.bids.recording import Windows
from pfactor_bench.cohorts.bids.sidecars import SIDECARS, find_sidecars
from pfactor_bench.errors import CohortError
from pfactor_bench.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pfactor_bench.cohorts.bids.folder import RecordingFile
    from pfactor_bench.cohorts.bids.preprocessing import Preparation

__all__ = ["STORE_VARIABLE", "DamagedEntryError", "WindowsStore", "named_store"]

#: The environment variable that names the folder of prepared windows.
STORE_VARIABLE = "PFACTOR_BENCH_STORE"

#: Raised whenever the same recording would be prepared to other samples.
_CODE_VERSION = 2

_ARRAY, _FACTS = "windows.npy", "facts.json"
_TEMPORARY = "making-"


class DamagedEntryError(Exception):
    """An entry whose bytes are not those that were written."""


def named_store() -> WindowsStore | None:
    """Return the store that ``PFACTOR_BENCH_STORE`` names; None keeps windows in memory.

    Raises
    ------
    CohortError
        If it cannot be written to.
    """
    named = os.environ.get(STORE_VARIABLE)
    return WindowsStore(Path(named)) if named else None


@dataclass(frozen=True, slots=True)
class WindowsStore:
    """A folder of prepared windows that several processes may fill at once.

    Parameters
    ----------
    folder
        Made if it is not there.

    Raises
    ------
    CohortError
        If it cannot be made.
    """

    folder: Path

    def __post_init__(self) -> None:
        with self._writing():
            for name in ("recordings", "cohorts", "digests", "locks"):
                (self.folder / name).mkdir(parents=True, exist_ok=True)

    def key(self, file: RecordingFile, opened: Sequence[Path], preparation: Preparation) -> str:
        """Return the name of the entry of a recording that is read from some files.

        Its sidecars count, too, wherever they stand.
        """
        described = asdict(preparation)
        if preparation.events is not None:
            described["events"]["own"] = sorted(preparation.events.own)
            described["events"]["neutral"] = sorted(preparation.events.neutral)
        files = [*opened, *(path for kind in SIDECARS for path in find_sidecars(file, kind))]
        content = [(path.name, self._digest(path)) for path in files]
        text = json.dumps([content, described, _CODE_VERSION, version("mne")], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @contextmanager
    def claimed(self, key: str) -> Iterator[None]:
        """Keep other processes from preparing the same recording; a dead one's claim is void."""
        from filelock import FileLock

        with FileLock(self.folder / "locks" / f"{key}.lock"):
            yield

    def read(self, key: str) -> Windows | None:
        """Return an entry, its samples on disk still; None where there is none.

        Raises
        ------
        DamagedEntryError
            If its bytes are not those that were written.
        """
        folder = self._entry(key)
        if not folder.exists():
            return None
        try:
            facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
            if _sha256(folder / _ARRAY) != facts.pop("sha256"):
                raise DamagedEntryError(f"samples of entry {key} have changed")
            return Windows(
                X=np.load(folder / _ARRAY, mmap_mode="r", allow_pickle=False),
                start=np.array(facts.pop("start"), dtype=np.int64),
                **{name: tuple(value) for name, value in facts.items()},
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DamagedEntryError(f"entry {key} cannot be read: {error}") from error

    def write(self, key: str, windows: Windows) -> None:
        """Add an entry; where another process was faster, keep that one.

        Raises
        ------
        CohortError
            If the disk is full or may not be written to. Nothing of the entry is left behind.
        """
        with self._writing(), self._made_aside() as aside:
            with (aside / _ARRAY).open("wb") as stream:
                np.save(stream, windows.X, allow_pickle=False)
                stream.flush()
                os.fsync(stream.fileno())
            facts: dict[str, Any] = {
                "sha256": _sha256(aside / _ARRAY),
                "start": windows.start.tolist(),
                "flat": windows.flat,
                "reader_warnings": windows.reader_warnings,
                "said": windows.said,
                "setup": windows.setup,
            }
            write_atomically(aside / _FACTS, json.dumps(facts).encode())
            entry = self._entry(key)
            entry.parent.mkdir(exist_ok=True)
            try:
                aside.rename(entry)
            except OSError:
                if not entry.exists():
                    raise

    def remove(self, key: str) -> None:
        """Take a damaged entry away."""
        shutil.rmtree(self._entry(key), ignore_errors=True)

    def join(self, keys: Sequence[str], channels: Sequence[int]) -> NDArray[np.float32]:
        """Return the windows of several entries as one memory map, written down once.

        Parameters
        ----------
        keys
            The entries, in order.
        channels
            Positions of the channels to keep.

        Raises
        ------
        CohortError
            If the disk is full or may not be written to.
        DamagedEntryError
            If an entry's bytes are not those that were written.
        """
        text = json.dumps([list(keys), list(channels)])
        path = self.folder / "cohorts" / f"{hashlib.sha256(text.encode()).hexdigest()}.npy"
        checksum = path.with_suffix(".sha256")
        if not (path.exists() and checksum.exists() and checksum.read_text() == _sha256(path)):
            with self._writing(), self._made_aside() as aside:
                joined = aside / _ARRAY
                self._write_joined(joined, keys, channels)
                write_atomically(checksum, _sha256(joined).encode())
                joined.replace(path)
        whole: NDArray[np.float32] = np.load(path, mmap_mode="r", allow_pickle=False)
        return whole

    def _write_joined(self, path: Path, keys: Sequence[str], channels: Sequence[int]) -> None:
        shapes = [np.load(self._entry(key) / _ARRAY, mmap_mode="r").shape for key in keys]
        shape = (sum(shape[0] for shape in shapes), len(channels), shapes[0][2])
        with path.open("wb") as stream:
            header = {"descr": "<f4", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(stream, header)
            for key in keys:
                windows = self.read(key)
                if windows is None:
                    raise DamagedEntryError(f"entry {key} is gone")
                stream.write(np.ascontiguousarray(windows.X[:, list(channels)]).tobytes())
            stream.flush()
            os.fsync(stream.fileno())

    def _entry(self, key: str) -> Path:
        return self.folder / "recordings" / key[:2] / key

    def _digest(self, path: Path) -> str:
        """Return the sha256 of a file, remembered as long as its size and time are the same."""
        status = path.stat()
        mark = f"{path.resolve()} {status.st_size} {status.st_mtime_ns}"
        remembered = self.folder / "digests" / hashlib.sha256(mark.encode()).hexdigest()
        if remembered.exists() and len(digest := remembered.read_text()) == 64:  # noqa: PLR2004
            return digest
        digest = _sha256(path)
        with self._writing():
            write_atomically(remembered, digest.encode())
        return digest

    @contextmanager
    def _made_aside(self) -> Iterator[Path]:
        """Lend a folder that is gone afterwards, unless it was moved to its place."""
        aside = Path(tempfile.mkdtemp(dir=self.folder, prefix=_TEMPORARY))
        try:
            yield aside
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CohortError(
                f"cannot write to the windows store {str(self.folder)!r} ({error.strerror or error}"
                f"): make room there or name another folder with --store or {STORE_VARIABLE}; "
                f"recordings that are finished are kept"
            ) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

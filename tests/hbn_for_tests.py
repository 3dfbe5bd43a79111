"""A small data set of the shape of HBN's first release, and a server that hands it out.

The server speaks the two protocols that EEGDash uses: its own API for records, and S3 for files.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DATASET = "ds005505"
CHANNELS = (*(f"E{number}" for number in range(1, 129)), "Cz")
SFREQ = 250.0

#: Names of subjects, their p-factor as participants.tsv has it, and how long they were recorded.
SUBJECTS = {"NDARAA01": ("-0.5", 50), "NDARAB02": ("0.25", 50), "NDARAC03": ("1.5", 50)}
WITHOUT_TARGET = "NDARAD04"

_REST = ((1.0, "resting_start"), (2.0, "instructed_toOpenEyes"), (22.0, "instructed_toCloseEyes"))


def write_dataset(
    parent: Path,
    *,
    dataset: str = DATASET,
    subjects: Sequence[str] = tuple(SUBJECTS),
    events: Sequence[tuple[float, str]] = _REST,
    seconds: int = 52,
    release: str = "R1",
) -> Path:
    """Write a release with one resting recording a subject, 129 channels in ``.set``, Cz flat."""
    import mne

    folder = parent / dataset
    rng = np.random.default_rng(5)
    info = mne.create_info([*CHANNELS], SFREQ, "eeg", verbose="ERROR")
    for subject in (*subjects, WITHOUT_TARGET):
        stem = folder / f"sub-{subject}" / "eeg" / f"sub-{subject}_task-RestingState"
        stem.parent.mkdir(parents=True)
        volts = 1e-5 * rng.standard_normal((129, int(seconds * SFREQ)))
        volts[CHANNELS.index("Cz")] = 0
        raw = mne.io.RawArray(volts, info, verbose="ERROR")
        raw.export(f"{stem}_eeg.set", verbose="ERROR")
        Path(f"{stem}_eeg.json").write_text(
            json.dumps(
                {"SamplingFrequency": SFREQ, "EEGReference": "Cz", "TaskName": "RestingState"}
            )
        )
        rows = "".join(f"{at}\tn/a\t{name}\n" for at, name in events)
        Path(f"{stem}_events.tsv").write_text(f"onset\tduration\tvalue\n{rows}")
        rows = "".join(f"{name}\tEEG\tuV\n" for name in CHANNELS)
        Path(f"{stem}_channels.tsv").write_text(f"name\ttype\tunits\n{rows}")
    write_subjects(folder, subjects, release)
    (folder / "dataset_description.json").write_text(
        '{"Name": "Tiny HBN", "BIDSVersion": "1.9.0", "License": "CC-BY-SA 4.0"}'
    )
    return folder


def write_subjects(folder: Path, subjects: Sequence[str], release: str) -> None:
    """Write participants.tsv with HBN's columns."""
    header = (
        "participant_id release_number sex age ehq_total p_factor attention internalizing "
        "externalizing RestingState"
    )
    rows = [
        f"sub-{name} {release} {'FM'[at % 2]} {8 + at}.5 70 {SUBJECTS.get(name, ('0.1',))[0]} 0.1 "
        f"0.2 0.3 available"
        for at, name in enumerate(subjects)
    ]
    rows.append(f"sub-{WITHOUT_TARGET} {release} M 12 70 n/a n/a n/a n/a available")
    text = "\n".join("\t".join(line.split(" ")) for line in (header, *rows))
    (folder / "participants.tsv").write_text(text + "\n")


class Server(ThreadingHTTPServer):
    """Hands out data sets below a folder; `failures` counts down requests for a file that fail."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = folder
        self.failures: dict[str, int] = {}
        self.got: list[str] = []

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def records(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the records of a data set that fit a query."""
        from eegdash.schemas import create_record

        dataset = wanted.get("dataset", "")
        folder = self.folder / dataset
        found = []
        for path in sorted(folder.glob("sub-*/eeg/*_eeg.set")):
            subject, task = path.name.split("_")[:2]
            stem = path.name.removesuffix("_eeg.set")
            if wanted.get("task", task.removeprefix("task-")) != task.removeprefix("task-"):
                continue
            where = path.relative_to(folder).parent
            row = dict(zip(*self._subjects(folder, subject), strict=True))
            record = create_record(
                dataset=dataset,
                storage_base=f"s3://openneuro.org/{dataset}",
                bids_relpath=str(path.relative_to(folder)),
                subject=subject.removeprefix("sub-"),
                task=task.removeprefix("task-"),
                dep_keys=[
                    str(where / f"{stem}_{ending}")
                    for ending in ("channels.tsv", "events.tsv", "eeg.json")
                ],
                sampling_frequency=SFREQ,
                nchans=129,
                ntimes=int(52 * SFREQ),
            )
            target = row["p_factor"]
            row["p_factor"] = None if target == "n/a" else float(target)
            found.append({**record, "participant_tsv": row})
        return found

    @staticmethod
    def _subjects(folder: Path, subject: str) -> tuple[list[str], list[str]]:
        header, *rows = (folder / "participants.tsv").read_text().splitlines()
        row = next(line for line in rows if line.startswith(f"{subject}\t"))
        return header.split("\t"), row.split("\t")


class Handler(BaseHTTPRequestHandler):
    """Answers what EEGDash asks."""

    server: Server

    def do_GET(self) -> None:
        """Answer with records or a file."""
        parts = urlsplit(self.path)
        if parts.path == "/api/eegdash/records":
            asked = parse_qs(parts.query)
            records = self.server.records(json.loads(asked.get("filter", ["{}"])[0]))
            skip, limit = int(asked.get("skip", ["0"])[0]), int(asked.get("limit", ["1000"])[0])
            self._send(json.dumps({"data": records[skip : skip + limit]}, default=str).encode())
        elif parts.path.startswith("/openneuro.org/"):
            self._send_file(parts.path.removeprefix("/openneuro.org/"))
        else:
            self.send_error(404)

    def do_HEAD(self) -> None:
        """Answer with a file's size."""
        path = self.server.folder / urlsplit(self.path).path.removeprefix("/openneuro.org/")
        self.send_response(200 if path.is_file() else 404)
        self.send_header("Content-Length", str(path.stat().st_size if path.is_file() else 0))
        self.end_headers()

    def _send_file(self, name: str) -> None:
        path = self.server.folder / name
        if not path.is_file():
            self.send_error(404)
        elif self.server.failures.get(path.name, 0) > 0:
            self.server.failures[path.name] -= 1
            self.send_error(403)
        else:
            self.server.got.append(path.name)
            self._send(path.read_bytes())

    def _send(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Run a server as long as the block lasts."""
    server = Server(folder)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""Fetching EEGMAT from PhysioNet, and naming its files as BIDS asks."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pfactor_bench.cohorts.reachable import reach
from pfactor_bench.errors import CohortError
from pfactor_bench.terminal.bar import progress_bar

if TYPE_CHECKING:
    from pooch import Pooch

__all__ = ["fetch_eegmat"]

_URL = "https://physionet.org/files/eegmat/1.0.0/"
_SUMS, _SUBJECTS = "SHA256SUMS.txt", "subject-info.csv"
_MEGABYTES = 175

#: How PhysioNet numbers the tasks.
_TASKS = {"1": "rest", "2": "arithmetic"}

#: PhysioNet's columns, and what they are called here.
_COLUMNS = {
    "subject": "participant_id",
    "age": "age",
    "gender": "sex",
    "recording year": "recording_year",
    "number of subtractions": "n_subtractions",
    "count quality": "count_quality",
}


def fetch_eegmat(parent: Path) -> None:
    """Fetch EEGMAT into ``eegmat`` below a folder, unless it is there.

    Every file is compared with the sha256 that PhysioNet lists for it. The folder appears in one
    step, when all of it is there.

    Parameters
    ----------
    parent
        The folder of data sets.

    Raises
    ------
    CohortError
        If the network cannot be reached, or a file is missing or has another checksum.
    """
    if (parent / "eegmat").exists():
        return
    reach(_URL, fix="get EEGMAT from doi:10.13026/C2JQ1P and name its folder with --data DIR")
    print(f"EEGMAT, about {_MEGABYTES} MB, is to be fetched into {parent}", file=sys.stderr)  # noqa: T201
    parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=parent, prefix=".eegmat-"))
    try:
        _fetch_into(aside)
        aside.chmod(0o755)
        aside.rename(parent / "eegmat")
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _fetch_into(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".eegmat-files-") as files:
        listed = _listed(Path(files))
        names = [name for name in sorted(listed.registry) if re.fullmatch(_RECORDING, name)]
        if not names or _SUBJECTS not in listed.registry:
            raise CohortError(f"{_URL}{_SUMS} lists no EEGMAT recordings: get it by hand")
        _write_subjects(_fetch(listed, _SUBJECTS), folder)
        for name in progress_bar(names, desc="fetching eegmat", unit="recording"):
            number, task = re.fullmatch(_RECORDING, name).groups()  # type: ignore[union-attr]
            stem = f"sub-{number}_task-{_TASKS[task]}"
            place = folder / f"sub-{number}" / "eeg" / f"{stem}_eeg.edf"
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(_fetch(listed, name), place)
            # The one channel that is no EEG.
            place.with_name(f"{stem}_channels.tsv").write_text("name\ttype\nECG ECG\tECG\n")


#: As ``Subject07_1.edf``.
_RECORDING = r"Subject(\d\d)_([12])\.edf"


def _listed(folder: Path) -> Pooch:
    """Return PhysioNet's files with their checksums, to be fetched into `folder`."""
    import pooch

    pooch.get_logger().setLevel("WARNING")
    try:
        sums = pooch.retrieve(_URL + _SUMS, known_hash=None, path=folder, fname=_SUMS)
    except Exception as error:
        raise CohortError(f"cannot fetch {_URL}{_SUMS}: {error}") from error
    lines = [line.split(maxsplit=1) for line in Path(sums).read_text("utf-8").splitlines()]
    registry = {
        name.strip(): f"sha256:{digest}" for digest, name in (x for x in lines if len(x) > 1)
    }
    return pooch.create(path=folder, base_url=_URL, registry=registry, retry_if_failed=2)


def _fetch(listed: Pooch, name: str) -> Path:
    try:
        return Path(listed.fetch(name))
    except Exception as error:
        raise CohortError(f"cannot fetch {_URL}{name}: {str(error).splitlines()[0]}") from error


def _write_subjects(path: Path, folder: Path) -> None:
    subjects = pd.read_csv(path, dtype=str, skipinitialspace=True)
    subjects.columns = subjects.columns.str.strip().str.lower()
    missing = [name for name in _COLUMNS if name not in subjects.columns]
    if missing:
        raise CohortError(f"{_URL}{_SUBJECTS} has no column {missing[0]!r}: get EEGMAT by hand")
    subjects = subjects[[*_COLUMNS]].rename(columns=_COLUMNS)
    subjects["participant_id"] = "sub-" + subjects["participant_id"].str.extract(
        r"(\d+)$", expand=False
    )
    subjects.to_csv(folder / "participants.tsv", sep="\t", index=False, na_rep="n/a")
    (folder / "dataset_description.json").write_text(
        '{"Name": "EEG During Mental Arithmetic Tasks", "BIDSVersion": "1.9.0", '
        '"License": "ODC-By 1.0", "DatasetDOI": "doi:10.13026/C2JQ1P"}\n',
        encoding="utf-8",
    )

"""Fetching what is missing of HBN: EEGDash knows the recordings, OpenNeuro's bucket holds them."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pfactor_bench.cohorts.assemble import listed
from pfactor_bench.cohorts.hbn.participants import read_subjects
from pfactor_bench.cohorts.hbn.releases import known_amount
from pfactor_bench.cohorts.reachable import reach
from pfactor_bench.errors import CohortError
from pfactor_bench.terminal.bar import progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["CONSENT_BYTES", "CONSENT_VARIABLE", "fetch"]

#: Says ``yes`` to fetching more than `CONSENT_BYTES`, as ``--yes`` does.
CONSENT_VARIABLE = "PFACTOR_BENCH_FETCH"

#: More than this is fetched only with consent.
CONSENT_BYTES = 1e9

_SERVICES = {
    "EEGDASH_API_URL": "https://data.eegdash.org",
    "AWS_ENDPOINT_URL_S3": "https://s3.us-east-2.amazonaws.com",
}
_ATTEMPTS = 3
_PAUSE_SECONDS = 0.5
_AT_A_TIME = 4

#: Read for every data set, whatever its recordings need.
_TABLES = ("participants.tsv", "dataset_description.json")


def fetch(
    releases: Mapping[str, str],
    *,
    task: str,
    target: str,
    exclude: Sequence[str],
    parent: Path,
) -> None:
    """Fetch the recordings of a task that are not there yet, and the tables that go with them.

    How many recordings and gigabytes there are to fetch is said before the first is fetched.

    Parameters
    ----------
    releases
        From a release's name to its data set.
    task
        Whose recordings.
    target, exclude
        Subjects without that target, or named here, are not fetched.
    parent
        The folder that the data sets lie in.

    Raises
    ------
    CohortError
        If the network cannot be reached, if there is more than `CONSENT_BYTES` to fetch and nobody
        agreed to it, or if a download fails again and again: all that failed are named.
    """
    for variable, usual in _SERVICES.items():
        reach(
            os.environ.get(variable) or usual,
            fix=f"set 'download: false' to use what is in the data folder; {variable} names "
            f"another server",
        )
    missing: list[Any] = []
    with _quiet_eegdash():
        for release, dataset in releases.items():
            known = _list(dataset, task, parent)
            _fetch_tables(known[0].record["storage"]["base"], parent / dataset)
            subjects, _ = read_subjects({release: parent / dataset}, target)
            wanted = set(subjects.index[subjects[target].notna()]) - set(exclude)
            missing += [
                recording
                for recording in known
                if f"sub-{recording.record['entities']['subject']}" in wanted
                and not (parent / dataset / recording.record["bids_relpath"]).exists()
            ]
    if missing:
        n_bytes = sum(_usual_bytes(recording, task) for recording in missing)
        _announce(releases, task, len(missing), n_bytes, parent)
        _download(missing, parent)


def _list(dataset: str, task: str, parent: Path) -> list[Any]:
    """Return EEGDash's recordings of a task."""
    from eegdash import EEGDashDataset

    try:
        found: list[Any] = EEGDashDataset(
            dataset=dataset, cache_dir=parent, task=task, _suppress_comp_warning=True
        ).datasets
    except Exception as error:
        raise CohortError(
            f"EEGDash does not list the {task} recordings of {dataset}: "
            f"{str(error).splitlines()[0]}; try again later, or set 'download: false'"
        ) from error
    return found


def _fetch_tables(base: str, folder: Path) -> None:
    from eegdash.downloader import download_files

    folder.mkdir(parents=True, exist_ok=True)
    try:
        download_files(
            [(f"{base}/{name}", folder / name) for name in _TABLES if not (folder / name).exists()],
            skip_missing=True,
        )
    except Exception as error:
        raise CohortError(f"cannot fetch the tables of {folder.name}: {error}") from error


def _usual_bytes(recording: Any, task: str) -> float:  # noqa: ANN401 - EEGDash has no types
    amount = known_amount(recording.record["dataset"], task)
    return amount.n_bytes / amount.recordings if amount else 0.0


def _announce(
    releases: Mapping[str, str], task: str, n_missing: int, n_bytes: float, parent: Path
) -> None:
    names = ", ".join(f"{dataset} ({release})" for release, dataset in releases.items())
    size = f"about {n_bytes / 1e9:.1f} GB" if n_bytes else "of unknown size"
    told = f"{n_missing} {task} recordings of {names}, {size}, are to be fetched into {parent}"
    agreed = os.environ.get(CONSENT_VARIABLE, "").lower() in {"yes", "1", "true"}
    if (n_bytes > CONSENT_BYTES or not n_bytes) and not agreed:
        raise CohortError(f"{told}: agree with --yes or {CONSENT_VARIABLE}=yes")
    print(told, file=sys.stderr)  # noqa: T201 - before it takes its time


def _download(missing: Sequence[Any], parent: Path) -> None:
    failed: dict[str, str] = {}
    # EEGDash draws a bar for every file; ours counts recordings, on the stream as it is now.
    with (
        progress_bar(total=len(missing), desc="fetching", unit="recording") as progress,
        _quiet_eegdash(),
        ThreadPoolExecutor(_AT_A_TIME) as pool,
    ):
        running = {pool.submit(_fetch_one, each.record, parent): each for each in missing}
        for done in as_completed(running):
            if why := done.result():
                failed[running[done].record["bids_relpath"]] = why
            progress.update()
    if failed:
        names = [name.rsplit("/", 1)[-1] for name in sorted(failed)]
        subjects = sorted({name.split("_", 1)[0] for name in names})
        raise CohortError(
            f"{len(failed)} of {len(missing)} recordings could not be fetched after {_ATTEMPTS} "
            f"attempts ({listed(names)}; first: {failed[min(failed)]}): run again to fetch "
            f"what is missing, or leave these subjects out with exclude: [{', '.join(subjects)}]"
        )


def _fetch_one(record: dict[str, Any], parent: Path) -> str:
    """Fetch one recording with what belongs to it; return why it failed, empty if it did not."""
    from eegdash import EEGDashDataset

    why = ""
    for attempt in range(_ATTEMPTS):
        time.sleep(_PAUSE_SECONDS * attempt)
        try:
            EEGDashDataset(
                cache_dir=parent, records=[record], _suppress_comp_warning=True
            ).download_all(n_jobs=1)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again and told
            why = str(error).splitlines()[0] if str(error) else type(error).__name__
        else:
            return ""
    return why


@contextmanager
def _quiet_eegdash() -> Iterator[None]:
    """Keep EEGDash's bars and news off the terminal, and the user's logging as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            # Where a warning is an error, EEGDash takes it for a missing table and says nothing.
            warnings.simplefilter("ignore")
            yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)

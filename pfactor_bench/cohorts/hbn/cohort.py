"""The Healthy Brain Network's EEG, as the case study's production call loads it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pfactor_bench.cohorts.assemble import check_targets, make_cohort
from pfactor_bench.cohorts.bids.folder import (
    choose_task,
    leave_out,
    list_recordings,
    refuse_empty,
)
from pfactor_bench.cohorts.bids.participants import read_json
from pfactor_bench.cohorts.bids.preprocessing import BadChannels, BadSegments, plan_preparation
from pfactor_bench.cohorts.bids.store import WindowsStore, named_store
from pfactor_bench.cohorts.bids.task_events import Block, TaskEvents
from pfactor_bench.cohorts.bids.windows import prepare
from pfactor_bench.cohorts.data_folder import DATA_VARIABLE, dataset_folder, home_expanded
from pfactor_bench.cohorts.hbn.participants import read_subjects
from pfactor_bench.cohorts.hbn.releases import find_releases, known_amount
from pfactor_bench.errors import CohortError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pfactor_bench.types import Cohort

__all__ = ["CACHE_VARIABLE", "CH_NAMES", "REFERENCE", "TARGETS", "hbn"]

#: The environment variable that EEGDash's users keep the name of their data folder in.
CACHE_VARIABLE = "EEGDASH_CACHE_DIR"

#: The case study's electrodes of the HydroCel GSN 128: Fz, Cz, Pz, Oz, C3, C4, P3, P4.
CH_NAMES = ("E11", "Cz", "E62", "E75", "E36", "E104", "E52", "E92")

#: Everything was recorded against it, so it holds zeros.
REFERENCE = "Cz"

#: What can be predicted.
TARGETS = ("p_factor", "attention", "internalizing", "externalizing", "age")

_REST = "RestingState"
_RESTING = TaskEvents(
    own=frozenset({"resting_start", "instructed_toOpenEyes", "instructed_toCloseEyes"}),
    neutral=frozenset({"boundary", "break cnt", "9999"}),
)

#: Blocks of rest by name, as `eegdash.hbn` cuts them: the seconds after the instruction in which
#: all subjects have followed it.
_BLOCKS = {
    "eyes-open": Block(event="instructed_toOpenEyes", start=5.0, stop=19.0),
    "eyes-closed": Block(event="instructed_toCloseEyes", start=15.0, stop=29.0),
}


def hbn(
    *,
    releases: str | Sequence[str] = "R1",
    target: str = "p_factor",
    task: str = _REST,
    channels: Sequence[str] = CH_NAMES,
    keep_reference: bool = False,
    download: bool = False,
    data_dir: Path | str | None = None,
    exclude: Sequence[str] = (),
    sfreq: float = 100.0,
    l_freq: float | None = 1.0,
    h_freq: float | None = 30.0,
    window_seconds: float = 2.0,
    bad_channels: BadChannels = "keep",
    bad_segments: BadSegments = "drop",
    unit: str | None = None,
) -> Cohort:
    """Return windows of one or more releases of HBN-EEG.

    Recordings lie in ``ds005505`` (R1) ... ``ds005516`` (R11), as EEGDash and OpenNeuro name them.
    Windows are prepared once and kept in the windows store.

    Parameters
    ----------
    releases
        As ``"R1"`` or ``"ds005505"``, a list of them, or ``"all"``.
    target
        ``"p_factor"``, ``"attention"``, ``"internalizing"``, ``"externalizing"`` or ``"age"``. The
        targets that are not asked for leave the table: they are siblings of the target.
    task
        Such as ``"RestingState"``; ``"eyes-open"`` and ``"eyes-closed"`` are its blocks. Recordings
        at rest that go on into another task are cut where it begins.
    channels
        Names in the order wanted.
    keep_reference
        Whether to keep Cz, which holds nothing but zeros, as the case study does. It is left out by
        default.
    download
        Whether to ask EEGDash for what is not in the folder and fetch it.
    data_dir
        The folder that the releases lie in; None takes the environment variable
        ``EEGDASH_CACHE_DIR``, else ``PFACTOR_BENCH_DATA``.
    exclude, sfreq, l_freq, h_freq, window_seconds, bad_channels, bad_segments, unit
        As in `pfactor_bench.cohorts.bids.cohort.bids`.

    Raises
    ------
    CohortError
        As `pfactor_bench.cohorts.bids.cohort.bids`; if a subject stands in two releases; or, with
        `download`, if the network cannot be reached, consent is missing, or a download fails.

    References
    ----------
    Alexander et al. 2017, doi:10.1038/sdata.2017.181; Shirazi et al. 2024,
    doi:10.1101/2024.10.03.615261.
    """
    named = find_releases(releases)
    _check_target(target)
    events, task = _events_of(task)
    preparation = plan_preparation(
        channels=channels,
        sfreq=sfreq,
        l_freq=l_freq,
        h_freq=h_freq,
        window_seconds=window_seconds,
        bad_channels=bad_channels,
        bad_segments=bad_segments,
        unit=unit,
        events=events,
    )
    parent = _data_folder(data_dir)
    if download:
        from pfactor_bench.cohorts.hbn.download import fetch

        fetch(named, task=task, target=target, exclude=exclude, parent=parent)
    folders = {
        release: _release_folder(release, dataset, task, parent)
        for release, dataset in named.items()
    }
    name = "hbn-" + "-".join(named) if len(named) < len(find_releases("all")) else "hbn-all"
    subjects, interpreted = read_subjects(folders, target)
    files = [file for folder in folders.values() for file in list_recordings(folder)]
    choose_task(name, files, task)
    files = [file for file in files if file.task == task]
    subjects, left_out = leave_out(name, subjects, files, target=target, exclude=exclude)
    check_targets(name, target, subjects[target])
    files = [file for file in files if file.subject in subjects.index and file.is_here]
    refuse_empty(name, files)
    prepared = prepare(
        name,
        files,
        preparation,
        store=named_store() or WindowsStore(_default_store()),
        drop_if_flat=() if keep_reference else (REFERENCE,),
    )
    descriptions = [read_json(folder / "dataset_description.json") for folder in folders.values()]
    return make_cohort(
        name=name,
        X=prepared.X,
        table=prepared.table.join(subjects, on="subject"),
        target=target,
        sfreq=sfreq,
        ch_names=prepared.ch_names,
        unit="uV",
        may_be_flat=(REFERENCE,) if keep_reference else (),
        provenance={
            "source": "hbn",
            "title": "Healthy Brain Network EEG, " + ", ".join(named),
            "dataset": list(named.values()),
            "doi": "doi:10.1038/sdata.2017.181",
            "license": sorted({str(text.get("License")) for text in descriptions}),
            "task": task,
            "block": events.block and events.block.event if events else None,
            "channels": list(prepared.ch_names),
            "sfreq": float(sfreq),
            "l_freq": l_freq,
            "h_freq": h_freq,
            "window_seconds": float(window_seconds),
            "bad_channels": bad_channels,
            "bad_segments": bad_segments,
        },
        notes=(*interpreted, *left_out, *prepared.notes),
    )


def _check_target(target: str) -> None:
    if target not in TARGETS:
        raise CohortError(f"unknown HBN target {target!r}{did_you_mean(target, TARGETS)}")


def _events_of(task: str) -> tuple[TaskEvents | None, str]:
    """Return the events that bound a task, and the task that the recordings are named by."""
    if task in _BLOCKS:
        own, neutral = _RESTING.own, _RESTING.neutral
        return TaskEvents(own=own, neutral=neutral, block=_BLOCKS[task]), _REST
    # Only rest is known well enough to say which events are not its own.
    return (_RESTING if task == _REST else None), task


def _data_folder(data_dir: Path | str | None) -> Path:
    given = data_dir or os.environ.get(CACHE_VARIABLE) or os.environ.get(DATA_VARIABLE)
    if not given:
        raise CohortError(
            f"nothing says where HBN is, or where to put it: give a folder as --data DIR or in the "
            f"environment variable {CACHE_VARIABLE} or {DATA_VARIABLE}"
        )
    return home_expanded(given).resolve()


def _release_folder(release: str, dataset: str, task: str, parent: Path) -> Path:
    try:
        return dataset_folder(dataset, parent)
    except CohortError as error:
        amount = known_amount(dataset, task)
        size = f" ({amount.recordings} recordings, {amount.n_bytes / 1e9:.1f} GB)" if amount else ""
        raise CohortError(
            f"{error}. To fetch the {task} recordings of HBN release {release}{size}, set "
            f"'download: true' in the suite's cohort, or get {dataset} from openneuro.org"
        ) from error


def _default_store() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return home_expanded(cache) / "pfactor-bench" / "windows"

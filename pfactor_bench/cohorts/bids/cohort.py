"""Cohorts from local BIDS folders, prepared as the case study prepares HBN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.cohorts.assemble import check_targets, make_cohort
from pfactor_bench.cohorts.bids.folder import (
    choose_task,
    leave_out,
    list_recordings,
    refuse_empty,
)
from pfactor_bench.cohorts.bids.participants import read_json, read_participants
from pfactor_bench.cohorts.bids.preprocessing import BadChannels, BadSegments, plan_preparation
from pfactor_bench.cohorts.bids.store import named_store
from pfactor_bench.cohorts.bids.windows import prepare
from pfactor_bench.cohorts.data_folder import dataset_folder
from pfactor_bench.cohorts.targets import parse_targets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pfactor_bench.types import Cohort

__all__ = ["bids"]


def bids(
    *,
    dataset: str,
    target: str,
    channels: Sequence[str] | None = None,
    task: str | None = None,
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
    """Return the windows of a local BIDS folder; nothing is fetched and nothing there is changed.

    Each recording is prepared on its own: channels picked, resampled, band-pass filtered, scaled to
    microvolts, and cut into windows that follow each other without overlap; what is left at the end
    is dropped.

    Parameters
    ----------
    dataset
        The folder's name.
    target
        The column of ``participants.tsv`` that holds the targets.
    channels
        Names in the order wanted; None takes the EEG channels of the first recording.
    task
        The task to load; may be left out where the folder holds one only.
    data_dir
        The folder that `dataset` lies in; None takes the environment variable
        ``PFACTOR_BENCH_DATA``.
    exclude
        Subjects to leave out, as ``"sub-00"``. The cohort's notes name them.
    sfreq
        Rate to resample to, in Hz.
    l_freq, h_freq
        Pass band in Hz; None leaves that side open.
    window_seconds
        Length of a window.
    bad_channels
        What becomes of a recording in which channels.tsv marks a channel bad that is asked for:
        ``"interpolate"`` it from the others, ``"drop"`` the recording, or ``"keep"`` it as it is.
        It is said in any case.
    bad_segments
        Whether to ``"drop"`` or ``"keep"`` segments that events or annotations mark ``BAD_``.
    unit
        Unit of samples whose files and channels.tsv do not say, such as ``"uV"``; for EEGLAB files,
        which never do, it goes before their convention of microvolts.

    Returns
    -------
    Cohort
        In ``"uV"``, subjects and recordings in alphabetical order.

    Raises
    ------
    CohortError
        If the folder, its targets, or a recording cannot be used. What names and tables can tell is
        found before a signal is read.
    """
    preparation = plan_preparation(
        channels=channels,
        sfreq=sfreq,
        l_freq=l_freq,
        h_freq=h_freq,
        window_seconds=window_seconds,
        bad_channels=bad_channels,
        bad_segments=bad_segments,
        unit=unit,
    )
    folder = dataset_folder(dataset, data_dir)
    subjects, interpreted = read_participants(folder, target)
    # A TSV holds nothing but text: that its numbers were text is no news.
    subjects[target], _ = parse_targets(
        subjects[target].tolist(), target=target, subjects=subjects.index.tolist()
    )
    files = list_recordings(folder)
    task = choose_task(dataset, files, task)
    files = [file for file in files if file.task == task]
    subjects, left_out = leave_out(dataset, subjects, files, target=target, exclude=exclude)
    check_targets(dataset, target, subjects[target])
    files = [file for file in files if file.subject in subjects.index and file.is_here]
    refuse_empty(dataset, files)
    description = read_json(folder / "dataset_description.json")
    prepared = prepare(dataset, files, preparation, store=named_store())
    return make_cohort(
        name=dataset,
        X=prepared.X,
        table=prepared.table.join(subjects, on="subject"),
        target=target,
        sfreq=sfreq,
        ch_names=prepared.ch_names,
        unit="uV",
        provenance={
            "source": "bids",
            "dataset": dataset,
            "title": description.get("Name"),
            "doi": description.get("DatasetDOI"),
            "license": description.get("License"),
            "task": task,
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

"""The tiny BIDS folder that tests load: what is in it, and how to load and change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pfactor_bench.cohorts.bids.cohort import bids

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from pfactor_bench.types import Cohort

#: Amplitude of each channel's 10 Hz rhythm in the tiny BIDS folder, in microvolts.
TINY_MICROVOLTS = {"Fz": 10.0, "Cz": 20.0, "Pz": 40.0, "EOG": 80.0}
TINY_SUBJECTS = ("sub-01", "sub-02", "sub-03", "sub-04")


def load(folder: Path, **changes: Any) -> Cohort:
    """Load the tiny data set's rest recordings, or what `changes` says."""
    arguments = {"dataset": folder.name, "target": "target", "task": "rest"}
    return bids(**{"data_dir": folder.parent, **arguments, **changes})


def edit_participants(folder: Path, old: str, new: str) -> None:
    """Replace text in participants.tsv."""
    path = folder / "participants.tsv"
    path.write_text(path.read_text().replace(old, new))


def recording(folder: Path, subject: str = "sub-02", task: str = "rest") -> Path:
    """Return the path of one recording."""
    return folder / subject / "eeg" / f"{subject}_task-{task}_eeg.edf"


def replace_recording(folder: Path, samples: np.ndarray, subject: str = "sub-02") -> None:
    """Put a rest recording in as EEGLAB, which can hold any number; samples in volts."""
    import mne

    path = recording(folder, subject)
    path.unlink()
    info = mne.create_info([*TINY_MICROVOLTS], 200, "eeg", verbose="ERROR")
    raw = mne.io.RawArray(samples, info, verbose="ERROR")
    raw.export(path.with_suffix(".set"), verbose="ERROR")

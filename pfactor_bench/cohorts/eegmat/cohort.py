"""EEGMAT: 36 subjects at rest and counting down, real EEG small enough for every machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.cohorts.bids.cohort import bids
from pfactor_bench.cohorts.bids.preprocessing import BadChannels, BadSegments  # noqa: TC001 - keys are checked by them
from pfactor_bench.cohorts.data_folder import data_folder, dataset_folder
from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pfactor_bench.types import Cohort

__all__ = ["CH_NAMES", "eegmat"]

#: The nearest that EEGMAT has to the case study's eight electrodes; O1 stands in for Oz.
CH_NAMES = ("EEG Fz", "EEG Cz", "EEG Pz", "EEG O1", "EEG C3", "EEG C4", "EEG P3", "EEG P4")


def eegmat(
    *,
    task: str = "rest",
    target: str = "n_subtractions",
    channels: Sequence[str] = CH_NAMES,
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
    """Return EEGMAT's windows with, as the target, how well subjects subtract.

    Parameters
    ----------
    task
        ``"rest"``, the eyes-closed rest before the task (36 subjects, 1,615 windows of 2 s), or
        ``"arithmetic"``, a minute of serial subtraction.
    target
        ``"n_subtractions"`` in four minutes, or another column of ``participants.tsv``.
    download
        Whether to fetch it from PhysioNet if it is not in the data folder (175 MB). Those files
        hold about three minutes of rest; the 1,615 windows are of the first 90 s.
    channels, data_dir, exclude, sfreq, l_freq, h_freq, window_seconds
        As in `pfactor_bench.cohorts.bids.cohort.bids`; the folder is called ``eegmat``.
    bad_channels, bad_segments, unit
        As there.

    Raises
    ------
    CohortError
        As `pfactor_bench.cohorts.bids.cohort.bids`; without the folder, where to get it.

    References
    ----------
    Zyma et al. 2019, "Electroencephalograms during mental arithmetic task performance", Data
    4(1):14, doi:10.3390/data4010014; PhysioNet, doi:10.13026/C2JQ1P.
    """
    if download:
        from pfactor_bench.cohorts.eegmat.download import fetch_eegmat

        fetch_eegmat(data_folder(data_dir))
    try:
        dataset_folder("eegmat", data_dir)
    except CohortError as error:
        raise CohortError(
            f"{error}. EEGMAT is on PhysioNet, doi:10.13026/C2JQ1P: set 'download: true' to fetch "
            f"it, or name its files as BIDS asks, eegmat/sub-00/eeg/sub-00_task-rest_eeg.edf, "
            f"beside a participants.tsv with the targets"
        ) from error
    return bids(
        dataset="eegmat",
        target=target,
        channels=channels,
        task=task,
        data_dir=data_dir,
        exclude=exclude,
        sfreq=sfreq,
        l_freq=l_freq,
        h_freq=h_freq,
        window_seconds=window_seconds,
        bad_channels=bad_channels,
        bad_segments=bad_segments,
        unit=unit,
    )

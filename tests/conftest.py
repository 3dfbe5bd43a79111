"""Data for the tests: real recordings where they are at hand, tiny ones made on the spot."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bids_for_tests import TINY_MICROVOLTS, TINY_SUBJECTS
from suites_for_tests import TINY_SUITE

CHECKOUT = Path(__file__).parents[1]


@pytest.fixture(scope="session", autouse=True)
def _programs_stand_alone() -> None:
    """Keep from programs that tests start that these tests are shared out among workers.

    Their own pytest-benchmark would take itself for a worker's, measure nothing and warn.
    """
    for name in [name for name in os.environ if name.startswith("PYTEST_XDIST_")]:
        del os.environ[name]


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Return the folder that holds the real data sets, or skip."""
    named = os.environ.get("PFACTOR_BENCH_DATA")
    folder = Path(named) if named else CHECKOUT.parent / "shared" / "data"
    if not (folder / "eegmat").is_dir():
        pytest.skip(f"no real EEG: {folder / 'eegmat'} is missing; set PFACTOR_BENCH_DATA")
    return folder.resolve()


@pytest.fixture(scope="session")
def _pristine_bids(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the tiny data set once: four subjects, two tasks, 5 s at 200 Hz, EDF."""
    import mne

    folder = tmp_path_factory.mktemp("pristine") / "tiny"
    rng = np.random.default_rng(0)
    time = np.arange(1000) / 200
    info = mne.create_info([*TINY_MICROVOLTS], 200, "eeg", verbose="ERROR")
    amplitudes = np.array([*TINY_MICROVOLTS.values()])[:, None]
    for subject in TINY_SUBJECTS:
        (folder / subject / "eeg").mkdir(parents=True)
        for task in ("rest", "count"):
            stem = folder / subject / "eeg" / f"{subject}_task-{task}"
            noise = rng.normal(size=(len(amplitudes), len(time)))
            volts = 1e-6 * (amplitudes * np.sin(2 * np.pi * 10 * time) + noise)
            raw = mne.io.RawArray(volts, info, verbose="ERROR")
            raw.export(f"{stem}_eeg.edf", physical_range=(-200, 200), verbose="ERROR")
            kinds = ["EOG" if name == "EOG" else "EEG" for name in TINY_MICROVOLTS]
            channels = pd.DataFrame({"name": [*TINY_MICROVOLTS], "type": kinds, "units": "uV"})
            channels.to_csv(f"{stem}_channels.tsv", sep="\t", index=False)
    (folder / "participants.tsv").write_text(
        "participant_id\tage\tsex\ttarget\n"
        "sub-01\t20\tF\t0.5\n"
        "sub-02\t30\tM\t-1.5\n"
        "sub-03\t40\tF\t2\n"
        "sub-04\t50\tM\t1\n"
    )
    (folder / "dataset_description.json").write_text(
        '{"Name": "Tiny", "BIDSVersion": "1.9.0", "License": "CC0", "DatasetDOI": "doi:10.0/tiny"}'
    )
    return folder


@pytest.fixture
def tiny_bids(_pristine_bids: Path, tmp_path: Path) -> Path:
    """Return a fresh copy of the tiny data set that a test may break."""
    return Path(shutil.copytree(_pristine_bids, tmp_path / "data" / "tiny"))


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory):
    """Return a function that runs the tiny suite afresh and returns the folder of its report."""
    from pfactor_bench.pipeline.run import run

    def run_it() -> Path:
        folder = tmp_path_factory.mktemp("tiny")
        suite = folder / "tiny.yaml"
        suite.write_text(TINY_SUITE, encoding="utf-8")
        run(str(suite), out=str(folder / "tiny"), device="cpu")  # as users pass them
        return folder / "tiny"

    return run_it


@pytest.fixture(scope="session")
def tiny_report(tiny_run) -> Path:
    """Return the folder of a finished report; nobody may write there."""
    return tiny_run()

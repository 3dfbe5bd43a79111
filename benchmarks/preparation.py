"""How fast recordings become windows, against the case study's plain braindecode calls.

Three comparisons, each in turns in fresh processes, by the median of wall times without
imports and the start of processes:

- real EEGMAT (36 recordings, 8 channels): the plain calls against the ``eegmat`` cohort's;
- a recording of HBN's size (129 channels, 500 Hz, 381 s, ``.set``): channels picked first and last;
- a store of one recording's windows each: plain ``.npy`` against zarr, written and read.

Writes ``docs/preparation.json``::

    python benchmarks/preparation.py --data DIR --folder SCRATCH
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from tqdm import trange

DOCS = Path(__file__).parents[1] / "docs"
CHANNELS = tuple(f"EEG {name}" for name in ("Fz", "Cz", "Pz", "O1", "C3", "C4", "P3", "P4"))
OF_129 = ("E11", "Cz", "E62", "E75", "E36", "E104", "E52", "E92")
N_ENTRIES = 200


def steps(channels, *, last: bool = False):
    """Return the case study's preprocessing, channels picked first, or last."""
    from braindecode.preprocessing import Preprocessor

    pick = [Preprocessor("pick_channels", ch_names=list(channels), ordered=True)]
    rest = [Preprocessor("resample", sfreq=100), Preprocessor("filter", l_freq=1, h_freq=30)]
    return rest + pick if last else pick + rest


def windows_of(dataset, channels, *, last: bool = False) -> np.ndarray:
    """Return windows in microvolts as the case study's calls make them."""
    from braindecode.preprocessing import create_fixed_length_windows, preprocess

    preprocess(dataset, steps(channels, last=last))
    cut = create_fixed_length_windows(
        dataset,
        window_size_samples=200,
        window_stride_samples=200,
        on_last_window="drop",
        preload=False,
    )
    return np.stack([window for window, *_ in cut]) * 1e6


def plain(data: Path) -> np.ndarray:
    """Load EEGMAT as the case study loads HBN."""
    from eegdash import EEGDashDataset

    fields = ["subject", "session", "run", "task", "n_subtractions"]
    dataset = EEGDashDataset(
        dataset="eegmat", cache_dir=data, task="rest", download=False, description_fields=fields
    )
    return windows_of(dataset, CHANNELS)


def ours(data: Path) -> np.ndarray:
    """Load EEGMAT as a suite does on two cores, checks and fingerprint included."""
    os.environ["PFACTOR_BENCH_JOBS"] = "2"
    from pfactor_bench.cohorts.eegmat.cohort import eegmat

    return eegmat(data_dir=data).X


def _recording(path: Path):
    from braindecode.datasets import BaseConcatDataset, RawDataset
    from mne.io import read_raw

    return BaseConcatDataset([RawDataset(read_raw(path, preload=True, verbose="ERROR"), {})])


def picked_last(path: Path) -> np.ndarray:
    """Prepare all 129 channels and keep eight."""
    return windows_of(_recording(path), OF_129, last=True)


def picked_first(path: Path) -> np.ndarray:
    """Prepare one recording as a suite does."""
    from pfactor_bench.cohorts.bids.folder import RecordingFile
    from pfactor_bench.cohorts.bids.preprocessing import plan_preparation
    from pfactor_bench.cohorts.bids.recording import prepare_recording

    preparation = plan_preparation(
        channels=OF_129, sfreq=100.0, l_freq=1.0, h_freq=30.0, window_seconds=2.0
    )
    file = RecordingFile(path=path, subject="sub-0", task="RestingState")
    return prepare_recording("ds005505", file, preparation).X


WAYS = {"plain": plain, "ours": ours, "picked_last": picked_last, "picked_first": picked_first}


def once(way: str, where: Path, out: Path) -> float:
    """Return the seconds of one way, in a process of its own that has imported everything."""
    command = [sys.executable, __file__, "--way", way, "--data", str(where), "--out", str(out)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return float(done.stdout.splitlines()[-1])


def compare(slow: str, fast: str, where: Path, rounds: int, scratch: Path) -> dict[str, object]:
    """Run two ways in turns; return medians, ratio, and how far their windows are apart."""
    seconds: dict[str, list[float]] = {slow: [], fast: []}
    for _ in trange(rounds, desc=f"{slow} against {fast}"):
        for way, taken in seconds.items():
            taken.append(once(way, where, scratch / f"{way}.npy"))
    one, other = (np.load(scratch / f"{way}.npy") for way in (slow, fast))
    medians = {way: statistics.median(taken) for way, taken in seconds.items()}
    return {
        "seconds": medians,
        "ratio": medians[slow] / medians[fast],
        "difference": float(np.abs(one - other).max() / np.abs(one).max()),
    }


def write_129(path: Path) -> None:
    """Write a recording of HBN's size."""
    import mne

    rng = np.random.default_rng(0)
    names = [*(f"E{number}" for number in range(1, 129)), "Cz"]
    info = mne.create_info(names, 500.0, "eeg", verbose="ERROR")
    volts = 1e-5 * rng.standard_normal((129, 381 * 500))
    mne.io.RawArray(volts, info, verbose="ERROR").export(path, verbose="ERROR")


def formats(scratch: Path) -> dict[str, dict[str, float]]:
    """Write and read entries of 150 windows as ``.npy`` and as zarr, compressed and not."""
    import zarr

    # Rounded as a 24-bit amplifier's microvolts are after filtering: not random to the last bit.
    rng = np.random.default_rng(0)
    X = np.cumsum(rng.standard_normal((150, 8, 200)), axis=-1).astype(np.float32)
    results = {}
    for kind in ("npy", "zarr", "zarr, not compressed"):
        folder = scratch / kind.replace(", ", "-").replace(" ", "-")
        folder.mkdir()
        began = time.perf_counter()
        for entry in range(N_ENTRIES):
            _write(kind, folder / str(entry), X, zarr)
        written = time.perf_counter()
        for entry in range(N_ENTRIES):
            _read(kind, folder / str(entry), zarr)[:].sum()
        read = time.perf_counter()
        picked = rng.integers(0, len(X), N_ENTRIES)
        for entry, window in enumerate(picked):
            _read(kind, folder / str(entry), zarr)[int(window)].sum()
        drawn = time.perf_counter()
        results[kind] = {
            "write_ms": 1e3 * (written - began) / N_ENTRIES,
            "read_ms": 1e3 * (read - written) / N_ENTRIES,
            "one_window_ms": 1e3 * (drawn - read) / N_ENTRIES,
            "megabytes": sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) / 1e6,
        }
    return results


def _write(kind: str, path: Path, X: np.ndarray, zarr) -> None:
    if kind == "npy":
        np.save(path.with_suffix(".npy"), X)
    elif kind == "zarr":
        zarr.save_array(path, X)
    else:
        zarr.create_array(path, data=X, compressors=None)


def _read(kind: str, path: Path, zarr):
    if kind == "npy":
        return np.load(path.with_suffix(".npy"), mmap_mode="r")
    return zarr.open_array(path, mode="r")


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds eegmat")
    parser.add_argument("--folder", type=Path, help="where scratch files go (1 GB)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=DOCS / "preparation.json")
    options = parser.parse_args()
    if options.way:
        import eegdash  # noqa: F401
        import mne

        mne.set_log_level("ERROR")
        WAYS[options.way](options.data)  # what is imported late is imported now
        began = time.perf_counter()
        X = WAYS[options.way](options.data)
        seconds = time.perf_counter() - began
        np.save(options.out, X)
        print(seconds)
        return
    scratch = Path(tempfile.mkdtemp(dir=options.folder))
    os.environ["CI"] = "true"  # no progress bars among what is read back
    try:
        write_129(scratch / "sub-0_task-RestingState_eeg.set")
        result = {
            "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python "
            f"{platform.python_version()}",
            "n_entries": N_ENTRIES,
            "eegmat": compare("plain", "ours", options.data.resolve(), options.rounds, scratch),
            "129 channels": compare(
                "picked_last",
                "picked_first",
                scratch / "sub-0_task-RestingState_eeg.set",
                options.rounds,
                scratch,
            ),
            "store": formats(scratch),
        }
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print(json.dumps(result, indent=1))
    options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()

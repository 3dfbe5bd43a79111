"""What a cohort of the size of all of HBN takes: memory, and time for opening, checking, training.

Makes a store of EEG-like windows (1/f and alpha, 1-30 Hz, mixed sources; 3,155 subjects × 150
windows × 8 channels × 200 samples are 3 GB, twice that on disk), injects near-duplicates of five
forms, and runs each piece of work in a process of its own. Writes ``docs/scale.json``, from which
``benchmarks/scale_page.py`` makes the page::

    python benchmarks/scale.py --folder DIR          # 300, 1,000 and 3,155 subjects, 20 minutes
    python benchmarks/scale.py --folder DIR --subjects 300
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.signal import resample
from tqdm import trange

N_WINDOWS, N_CHANS, N_TIMES, SFREQ = 150, 8, 200, 100.0
N_SOURCES, HIGHEST = 12, 30
FORMS = ("rescaled", "sign-flipped", "re-referenced", "lagged", "resampled")
N_INJECTED = 200
SUBJECTS = (300, 1_000, 3_155)
#: The check that `work_near` measures.
NEAR = "LK008"
WORK = ("open", "static", "near")
DOCS = Path(__file__).parents[1] / "docs"


def recording(rng: np.random.Generator) -> np.ndarray:
    """Return a subject's five minutes, shape ``(n_chans, n_times)``."""
    n_times = N_WINDOWS * N_TIMES
    frequency = np.fft.rfftfreq(n_times, 1 / SFREQ)
    shape = np.where((frequency >= 1) & (frequency <= HIGHEST), np.maximum(frequency, 1) ** -0.8, 0)
    parts = rng.standard_normal((2, N_SOURCES, len(frequency)), dtype=np.float32)
    spectrum = (parts[0] + 1j * parts[1]) * shape
    spectrum[:3] *= 1 + 4 * np.exp(-((frequency - rng.normal(10, 0.7)) ** 2) / 2)
    common = np.random.default_rng(0).standard_normal((N_CHANS, N_SOURCES))
    mixing = common + 0.3 * rng.standard_normal(common.shape)
    signal = (mixing @ np.fft.irfft(spectrum, n=n_times, axis=1)).astype(np.float32)
    return 10 * signal / signal.std()


def copied(form: str, signal: np.ndarray, window: int, rng: np.random.Generator) -> np.ndarray:
    """Return a window of a recording as a copy of that form would have it."""
    at = window * N_TIMES
    if form == "rescaled":
        return signal[:, at : at + N_TIMES] * rng.uniform(0.1, 10)
    if form == "sign-flipped":
        return -signal[:, at : at + N_TIMES]
    if form == "re-referenced":
        return (signal - signal[rng.integers(N_CHANS)])[:, at : at + N_TIMES]
    if form == "lagged":
        at += int(rng.integers(1, N_TIMES // 2 + 1))
        return signal[:, at : at + N_TIMES]
    slower = resample(signal, int(0.8 * signal.shape[1]), axis=1)
    return resample(slower, signal.shape[1], axis=1)[:, at : at + N_TIMES]


def plant(n_subjects: int, rng: np.random.Generator) -> dict[int, list[tuple[int, int, str]]]:
    """Return, by subject copied from, ``(source, copy, form)``; copies lie in the last third."""
    n_each = min(N_INJECTED, n_subjects * N_WINDOWS // 3 // len(FORMS) // 4)
    third = n_subjects * N_WINDOWS // 3
    # A lagged copy shares its second half with the window after: every third is a source.
    sources = 3 * rng.choice(2 * third // 3 - N_WINDOWS, n_each * len(FORMS), replace=False)
    sources = sources - (sources % N_WINDOWS == N_WINDOWS - 1)
    copies = 2 * third + rng.choice(third, n_each * len(FORMS), replace=False)
    injected: dict[int, list[tuple[int, int, str]]] = {}
    for number, (source, copy) in enumerate(zip(sources.tolist(), copies.tolist(), strict=True)):
        form = FORMS[number % len(FORMS)]
        injected.setdefault(source // N_WINDOWS, []).append((source, copy, form))
    return injected


def make(folder: Path, n_subjects: int) -> None:
    """Fill a store with subjects, and write down what was injected and which entries there are."""
    from pfactor_bench.cohorts.bids.recording import Windows
    from pfactor_bench.cohorts.bids.store import WindowsStore

    rng = np.random.default_rng(n_subjects)
    store, injected = WindowsStore(folder), plant(n_subjects, rng)
    waiting: dict[int, np.ndarray] = {}
    keys = []
    for subject in trange(n_subjects, desc=f"{n_subjects:,} subjects"):
        signal = recording(rng)
        X = np.ascontiguousarray(signal.reshape(N_CHANS, N_WINDOWS, N_TIMES).swapaxes(0, 1))
        for source, copy, form in injected.get(subject, []):
            waiting[copy] = copied(form, signal, source % N_WINDOWS, rng)
        for window in range(N_WINDOWS):
            if (held := waiting.pop(subject * N_WINDOWS + window, None)) is not None:
                X[window] = held
        keys.append(hashlib.sha256(f"{n_subjects} {subject}".encode()).hexdigest())
        store.write(keys[-1], Windows(X=X, start=np.arange(N_WINDOWS) * N_TIMES))
    pairs = [pair for pairs in injected.values() for pair in pairs]
    (folder / "keys.json").write_text(json.dumps(keys))
    (folder / "injected.json").write_text(json.dumps(pairs))
    store.join(keys, range(N_CHANS))


def load(folder: Path):
    """Open the store's cohort."""
    from pfactor_bench.cohorts import make_cohort
    from pfactor_bench.cohorts.bids.store import WindowsStore

    keys = json.loads((folder / "keys.json").read_text())
    n_subjects = len(keys)
    names = [f"sub-{subject:05d}" for subject in range(n_subjects)]
    start = np.tile(np.arange(N_WINDOWS) * N_TIMES, n_subjects)
    targets = np.random.default_rng(3).standard_normal(n_subjects)
    table = pd.DataFrame(
        {
            "sample_id": [f"{name}__w{w:03d}" for name in names for w in range(N_WINDOWS)],
            "subject": np.repeat(names, N_WINDOWS),
            "session": "",
            "run": "",
            "task": "rest",
            "start": start,
            "stop": start + N_TIMES,
            "p_factor": np.repeat(targets, N_WINDOWS),
        }
    )
    return make_cohort(
        name=f"scale-{n_subjects}",
        X=WindowsStore(folder).join(keys, range(N_CHANS)),
        table=table,
        target="p_factor",
        sfreq=SFREQ,
        ch_names=[f"E{number}" for number in range(N_CHANS)],
        unit="uV",
        provenance={"source": "benchmarks/scale.py"},
    )


def work_open(folder: Path) -> dict[str, object]:
    """Open, split, and go once through all training batches of a fold as training does."""
    import torch

    from pfactor_bench.splits.splitters import grouped_k_fold
    from pfactor_bench.training.loop import normalize_windows
    from pfactor_bench.training.windows import windows_at

    seconds = {}
    began = time.perf_counter()
    cohort = load(folder)
    seconds["open"] = time.perf_counter() - began
    began = time.perf_counter()
    fold = grouped_k_fold(n_folds=5)(cohort.subjects).folds[0]
    seconds["split"] = time.perf_counter() - began
    began = time.perf_counter()
    windows = windows_at(cohort.X, fold.train, torch.device("cpu"))
    total = 0.0
    for batch in torch.randperm(len(windows)).split(32):
        total += float(normalize_windows(windows[batch]).sum())
    seconds["batches"] = time.perf_counter() - began
    return {"seconds": seconds, "n_batches": -(-len(windows) // 32)}


def work_static(folder: Path) -> dict[str, object]:
    """Run the checks that read split, table and samples alone, exact duplicates among them."""
    from pfactor_bench.checks import catalogue, run_check
    from pfactor_bench.splits.splitters import grouped_k_fold

    cohort = load(folder)
    split = grouped_k_fold(n_folds=5)(cohort.subjects)
    statuses, seconds = {}, {}
    for entry in catalogue():
        if entry.code == NEAR:
            continue
        began = time.perf_counter()
        status = run_check(entry.code, cohort=cohort, split=split).status
        if status != "not_applicable":
            statuses[entry.code] = status
            seconds[entry.code] = time.perf_counter() - began
    return {"seconds": seconds, "statuses": statuses}


def work_near(folder: Path) -> dict[str, object]:
    """Look for near-duplicates and count which of the injected ones were found."""
    from pfactor_bench.checks.static.near_duplicates import near_pairs

    cohort = load(folder)
    began = time.perf_counter()
    pairs = near_pairs(cohort)
    seconds = time.perf_counter() - began
    found = set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    injected = json.loads((folder / "injected.json").read_text())
    forms = {
        form: [(source, copy) in found for source, copy, named in injected if named == form]
        for form in FORMS
    }
    # A lagged copy is a copy of the window after, too, if it lags by half a window.
    right = {(source + step, copy) for source, copy, _ in injected for step in (0, 1)}
    return {
        "seconds": {"near": seconds},
        "injected": {form: len(hits) for form, hits in forms.items()},
        "found": {form: sum(hits) for form, hits in forms.items()},
        "false_pairs": len(found - right),
    }


def measure(folder: Path, work: str) -> dict[str, object]:
    """Do one piece of work in a process of its own; return what it says and its peak memory."""
    command = [sys.executable, __file__, "--folder", str(folder), "--work", work]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="7 GB of room; emptied after")
    parser.add_argument("--subjects", type=int, nargs="+", default=SUBJECTS)
    parser.add_argument("--work", choices=WORK, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=DOCS / "scale.json")
    options = parser.parse_args()
    if options.work:
        result = {"open": work_open, "static": work_static, "near": work_near}[options.work](
            options.folder
        )
        result["peak_bytes"] = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps(result))
        return
    results = {}
    for n_subjects in options.subjects:
        folder = options.folder / f"subjects-{n_subjects}"
        try:
            make(folder, n_subjects)
            results[n_subjects] = {work: measure(folder, work) for work in WORK}
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        print(json.dumps({n_subjects: results[n_subjects]}, indent=1), flush=True)
    options.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()

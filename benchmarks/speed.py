"""Time the fast engine against the plain loop and against peers, and write it down.

    python benchmarks/speed.py [--rounds 7] [--seeds 64] [--only PART …] [--out docs]

writes speed.md, speed.svg and speed.json; with ``--only``, the other parts stay as they were
measured on the same machine before. What is compared is one part and takes turns, so that whatever
disturbs one disturbs the other; all of it runs on one thread
per process. Lightning is compared with if it is installed (`uv sync --group benchmarks`).
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from clock import take_turns
from machine import machine
from scipy import stats
from speed_page import write_page
from speed_works import (
    SUITE,
    cases,
    fast_steps,
    lightning_steps,
    plain_steps,
    prepared,
    skorch_steps,
    steps,
    train,
)
from tqdm import tqdm

from pfactor_bench.experiments.permutation.closed_form import probe_null
from pfactor_bench.experiments.permutation.null import permute_targets
from pfactor_bench.experiments.permutation.trained import trained_correlations
from pfactor_bench.models.build import build_model
from pfactor_bench.models.heads import encoder_state
from pfactor_bench.training.device import warm_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from clock import Timed

MODELS = 16
CORES = 2

#: Lets glibc keep what a process has freed, up to sizes that no step reaches.
_MEMORY_IS_KEPT = {"MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_TRIM_THRESHOLD_": str(2**32)}


def one_model(rounds: int) -> dict[str, Any]:
    """Time a step of one model, and of many, on one core; peers too.

    Each has a process of its own, as whoever uses it has: how often memory is given back to the
    system, and asked for again, depends on all that a process has done before.
    """
    works: dict[str, Callable[[], None]] = {
        "plain": plain_steps,
        "plain, kept": plain_steps,
        "skorch": skorch_steps,
    }
    works |= {f"fast, {n}": partial(fast_steps, n) for n in (1, 2, 4, 8)}
    if importlib.util.find_spec("lightning"):
        works["lightning"] = lightning_steps
    with ExitStack() as stack:
        turns = {}
        for name, work in works.items():
            kept = _MEMORY_IS_KEPT if name == "plain, kept" else {}
            process = stack.enter_context(_process(kept))
            turns[name] = partial(_wait, process, work)
        with tqdm(total=rounds, desc="steps") as bar:
            timed = take_turns(turns, rounds=rounds, on_round=bar.update)
    models = {name: int(name.removeprefix("fast, ")) if "fast" in name else 1 for name in works}
    return {
        name: {
            "step_ms": 1e3 * one.median / steps() / models[name],
            "spread_ms": 1e3 * one.spread / steps() / models[name],
            "faster": one.times_faster_than(timed["plain"]).median * models[name],
            "faster_than_kept": one.times_faster_than(timed["plain, kept"]).median * models[name],
        }
        for name, one in timed.items()
    }


def many_models(rounds: int) -> dict[str, Any]:
    """Time 16 models: the plain loop in one warm worker, the fast engine in two."""
    context = get_context("spawn")
    with (
        ProcessPoolExecutor(1, mp_context=context, initializer=_warm) as one,
        ProcessPoolExecutor(CORES, mp_context=context, initializer=_warm) as two,
    ):
        share = MODELS // CORES

        def fast() -> None:
            jobs = [two.submit(train, "fast", share, 100 + share * n) for n in range(CORES)]
            for job in jobs:
                job.result()

        works = {"plain": lambda: one.submit(train, "plain", MODELS).result(), "fast": fast}
        with tqdm(total=rounds, desc=f"{MODELS} models") as bar:
            timed = take_turns(works, rounds=rounds, on_round=bar.update)
    return _compared(timed)


def cold(rounds: int) -> dict[str, Any]:
    """Time a whole run, from the start of a process to its record."""
    text = SUITE.read_text(encoding="utf-8")
    head = text[: text.index("saliency:")].replace("seeds: [42, 43]", f"seeds: {MODELS}")
    plain = head.replace("threads: all", "threads: 1") + "claims: []\n"
    # Python compiles what it imports once, and most users let it keep the result.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as folder:

        def run(name: str, suite: str, *options: str) -> None:
            path = Path(folder) / f"{name}.yaml"
            path.write_text(suite, encoding="utf-8")
            out = tempfile.mkdtemp(dir=folder)
            command = [sys.executable, "-m", "pfactor_bench", "run", str(path), "--out", out]
            subprocess.run(  # noqa: S603
                [*command, *options], check=True, capture_output=True, env=environment
            )

        works = {
            "plain": lambda: run("plain", plain, "--workers", "1"),
            "fast": lambda: run("fast", plain.replace("engine: plain", "engine: fast")),
        }
        with tqdm(total=rounds, desc="cold") as bar:
            timed = take_turns(works, rounds=rounds, warm_up=1, on_round=bar.update)
    return _compared(timed)


def memory(rounds: int) -> dict[str, dict[str, float]]:
    """Return each engine's resident memory in MB, in processes that do nothing else.

    ``before`` is what imports and the cohort take, ``peak`` the most while a process trains its
    share of the models; medians over rounds. Needs Linux.
    """
    found: dict[str, list[tuple[float, float]]] = {"plain": [], "fast": []}
    for number in range(rounds):
        for engine in list(found)[:: -1 if number % 2 else 1]:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                found[engine].append(pool.submit(_before_and_peak, engine).result())
    medians = {engine: np.median(values, axis=0) for engine, values in found.items()}
    return {
        engine: {"before": float(before), "peak": float(peak)}
        for engine, (before, peak) in medians.items()
    }


def permutations() -> dict[str, Any]:
    """Time 1,000 permutations of a linear probe and 200 of training from scratch, on one core."""
    it, case = prepared(), cases(1)[0]
    torch.manual_seed(0)
    encoder = encoder_state(build_model(case.model, it.cohort))
    encoders = {fold.name: encoder for fold in it.split.folds}
    from dataclasses import replace

    probe = replace(case, regime="linear-probe", start="linear-probe")
    began = time.perf_counter()
    permuted = permute_targets(it.cohort, 1000, seed=0)
    probe_null(probe, it.cohort, it.split, permuted, device=it.device, encoders=encoders)
    closed = time.perf_counter() - began
    with tqdm(total=201, desc="permutations") as bar:
        began = time.perf_counter()
        for _ in trained_correlations(
            case,
            it.cohort,
            it.split,
            it.suite.budget,
            np.vstack([it.cohort.y, permuted[:200]]),
            device=it.device,
            on_run=bar.update,
        ):
            pass
    return {"probe_seconds": closed, "scratch_seconds": time.perf_counter() - began}


def same_skill(n: int) -> dict[str, Any]:
    """Train `n` seeds with either engine and compare the distributions of their final errors."""
    errors = {engine: train(engine, n, 1000) for engine in ("plain", "fast")}
    plain, fast = np.array(errors["plain"]), np.array(errors["fast"])
    return {
        "n": n,
        "means": [float(plain.mean()), float(fast.mean())],
        "sds": [float(plain.std(ddof=1)), float(fast.std(ddof=1))],
        "ks_p": float(stats.ks_2samp(plain, fast).pvalue),
        "mann_whitney_p": float(stats.mannwhitneyu(plain, fast).pvalue),
        "errors": errors,
    }


def roofline() -> dict[str, Any]:
    """Return what a step asks of the machine, and what the machine does at most."""
    from torch.utils.flop_counter import FlopCounterMode

    prepared()
    n, floats = 1024, 2**24
    square, long = torch.randn(n, n), torch.randn(floats)
    target = torch.empty_like(long)
    timed = take_turns(
        {"product": lambda: square @ square, "copy": lambda: target.copy_(long)}, rounds=20
    )
    flops = {}
    for name, work in (("plain", plain_steps), ("fast", partial(fast_steps, 1))):
        with FlopCounterMode(display=False) as counter:
            work()
        flops[name] = counter.get_total_flops() / steps()
    rate = 2 * n**3 / timed["product"].median
    model = build_model(cases(1)[0].model, prepared().cohort)
    numbers = sum(parameter.numel() for parameter in model.parameters())
    # Windows read, weights read twice, gradients written and read, two moments read and written.
    n_bytes = 4 * (prepared().suite.budget.batch_size * prepared().cohort.X[0].size + 9 * numbers)
    bandwidth = 8 * floats / timed["copy"].median
    return {
        "gflops_per_second": rate / 1e9,
        "gbytes_per_second": bandwidth / 1e9,
        "step_mflop": {name: value / 1e6 for name, value in flops.items()},
        "floor_ms": {name: 1e3 * value / rate for name, value in flops.items()},
        "bytes_ms": 1e3 * n_bytes / bandwidth,
    }


@contextmanager
def _process(environment: Mapping[str, str]) -> Iterator[ProcessPoolExecutor]:
    """Give a process with variables of its own, ready to train."""
    before = dict(os.environ)
    context = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as process:
        os.environ.update(environment)
        try:
            process.submit(_ready).result()
        finally:
            os.environ.clear()
            os.environ.update(before)
        yield process


def _ready() -> None:
    prepared()
    gc.disable()


def _wait(process: ProcessPoolExecutor, work: Callable[[], None]) -> None:
    process.submit(work).result()


def _warm() -> None:
    train("plain", 1)
    train("fast", 2)


def _before_and_peak(engine: str) -> tuple[float, float]:
    prepared()
    warm_up()
    before = _resident("VmRSS")
    # Else the peak would be that of the imports.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    # Twice, as in a warm worker: what the first leaves behind belongs to the second's peak.
    for _ in range(2):
        train(engine, MODELS // CORES)
    return before, _resident("VmHWM")


def _resident(key: str) -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith(f"{key}:"))
    return int(line.split()[1]) / 1024


def _compared(timed: dict[str, Timed]) -> dict[str, Any]:
    ratio = timed["fast"].times_faster_than(timed["plain"])
    return {
        **{f"{name}_seconds": one.median for name, one in timed.items()},
        **{f"{name}_spread": one.spread for name, one in timed.items()},
        "faster": ratio.median,
        "faster_quartiles": [ratio.low, ratio.high],
    }


_PARTS: dict[str, Callable[[argparse.Namespace], Any]] = {
    "one_model": lambda arguments: one_model(arguments.rounds),
    "many_models": lambda arguments: many_models(arguments.rounds),
    "cold": lambda arguments: cold(max(3, arguments.rounds // 2)),
    "memory": lambda arguments: memory(max(1, arguments.rounds // 2)),
    "permutations": lambda _arguments: permutations(),
    "roofline": lambda _arguments: roofline(),
    "same_skill": lambda arguments: same_skill(arguments.seeds),
}


def _same(results: dict[str, Any]) -> dict[str, Any]:
    """Return what has to be equal for two measurements to stand on one page."""
    keys = ("processor", "cores", "instructions", "torch")
    return {**{key: results["machine"][key] for key in keys}, "rounds": results["rounds"]}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seeds", type=int, default=64)
    parser.add_argument("--only", nargs="+", choices=_PARTS, default=list(_PARTS))
    parser.add_argument("--out", type=Path, default=Path("docs"))
    arguments = parser.parse_args()
    prepared()
    path = arguments.out / "speed.json"
    results = {"machine": machine(), "rounds": arguments.rounds}
    if arguments.only != list(_PARTS):
        before = json.loads(path.read_text(encoding="utf-8"))
        if _same(before) != _same(results):
            parser.error(f"{path} was measured with {_same(before)}, not {_same(results)}")
        results = before
    for part in arguments.only:
        results[part] = _PARTS[part](arguments)
    arguments.out.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    write_page(results, arguments.out)


if __name__ == "__main__":
    main()

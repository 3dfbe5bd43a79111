"""What running many cases costs beside the cases: overhead, efficiency, and how true a plan comes.

Every piece is repeated and its median reported; what is compared is measured in turns. Writes
``docs/execution.json`` and the tables of ``docs/execution.md``::

    python benchmarks/execution.py            # about 25 minutes on two cores

Only the pages: ``python benchmarks/execution.py --render``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import socket
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from tabulate import tabulate
from tqdm import tqdm

from pfactor_bench.config import load_suite
from pfactor_bench.execution.cluster import DaskCluster
from pfactor_bench.execution.pools import InProcess, Processes
from pfactor_bench.execution.progress import Tracker
from pfactor_bench.execution.results import is_finished, read_case, write_case
from pfactor_bench.execution.schedule import run_tasks
from pfactor_bench.execution.tasks import Task, TaskEnd
from pfactor_bench.execution.worker import attempt
from pfactor_bench.experiments.cost.pilot import Shape
from pfactor_bench.experiments.cost.plan import Size, make_plan
from pfactor_bench.pipeline.run import Execution
from pfactor_bench.pipeline.stages import Run
from pfactor_bench.records.provenance import collect_code
from pfactor_bench.types import CaseResult, Curves, Timing

DOCS = Path(__file__).parents[1] / "docs"
N_EMPTY, ROUNDS = 1_000, 3

CASES = """\
name: real-cases
title: Real cases
question: How many cores do they use?
cohort: {{kind: synthetic, n_subjects: {subjects}, n_windows: {windows}}}
split: {{kind: grouped-k-fold, n_folds: {folds}}}
models: [{models}]
regimes: [from-scratch]
seeds: {seeds}
budget: {{epochs: {epochs}}}
engine: {engine}
"""
CONFORMER = "{name: EEGConformer, args: {num_layers: 3, num_heads: 4, final_fc_length: auto}}"
FIVE = (
    f"{CONFORMER}, {{name: EEGNet}}, {{name: ShallowFBCSPNet}}, {{name: EEGNeX}}, "
    "{name: Deep4Net, args: {final_conv_length: auto}}"
)
N_WORKERS = 2


def empty_case(log: Path, path: Path, key: str) -> TaskEnd:
    """Leave behind all that a case does, without training anything."""
    return attempt(log, lambda _log: write_case(path, key, _nothing()))


def overhead(pool, folder: Path) -> float:
    """Return the seconds that a case costs which trains nothing: handing out, keeping, reading."""
    keys = {f"case-{number}": folder / f"case-{number}.npz" for number in range(N_EMPTY)}
    tasks = [
        Task(cases=(name,), work=partial(empty_case, folder / f"{name}.log", path, name))
        for name, path in keys.items()
    ]
    began = time.perf_counter()
    tracker = Tracker(total=len(tasks), folder=folder)
    found = [name for name, path in keys.items() if is_finished(path, name)]
    failed = run_tasks(tasks, pool, tracker)
    lost = [name for name, path in keys.items() if read_case(path, name) is None]
    _refuse(found, failed, lost)
    return (time.perf_counter() - began) / N_EMPTY


def efficiency(engine: str, rounds: int) -> dict[str, float]:
    """Return how well two processes use two cores on real cases, compared in turns."""
    alone, together = [], []
    pool = Processes(2)
    for future in [pool.submit(os.getpid) for _ in range(8)]:
        future.result()
    with tempfile.TemporaryDirectory() as named:
        folder = Path(named)
        suite = _suite(
            folder,
            subjects=18,
            windows=24,
            folds=5,
            models=CONFORMER,
            seeds=16,
            epochs=2,
            engine=engine,
        )
        for number in range(-1, rounds):
            for where, execution, seconds in (
                ("here", Execution(workers=1), alone),
                ("there", Execution(executor=pool.workers), together),
            ):
                out = folder / f"{where}-{number}"
                run = Run(suite, device="cpu", out=out, execution=execution).begin()
                began = time.perf_counter()
                run.train(suite.cases)
                _refuse(run.failed)
                if number >= 0:  # the first warms up
                    seconds.append(time.perf_counter() - began)
    pool.stop()
    one, two = statistics.median(alone), statistics.median(together)
    return {"engine": engine, "one": one, "two": two, "efficiency": one / two / 2}


def plan_against_run(n_workers: int) -> dict[str, float]:
    """Plan fifty cases of five models as HBN is planned, from noise and sizes; then run them."""
    with tempfile.TemporaryDirectory() as named:
        folder = Path(named)
        suite = _suite(
            folder,
            subjects=40,
            windows=12,
            folds=2,
            models=FIVE,
            seeds=10,
            epochs=2,
            engine="plain",
        )
        shape = Shape(
            ch_names=("Fz", "Cz", "Pz", "Oz", "C3", "C4", "P3", "P4"),
            sfreq=100.0,
            n_times=200,
            held_out=1.0,
            n_folds=2,
        )
        size = Size(n_subjects=40, n_windows=480, n_train=(240,) * 2)
        began = time.perf_counter()
        plan = make_plan(suite, shape, size, device="cpu", n_workers=n_workers)
        pilot = time.perf_counter() - began
        execution = Execution(workers=n_workers)
        run = Run(suite, device="cpu", out=folder / "out", execution=execution).begin()
        began = time.perf_counter()
        run.train(suite.cases)
        measured = time.perf_counter() - began
        _refuse(run.failed)
    return {
        "workers": n_workers,
        "cases": plan.n_cases,
        "pilot": pilot,
        "planned": plan.seconds,
        "measured": measured,
        "factor": max(plan.seconds / measured, measured / plan.seconds),
    }


@contextmanager
def loopback_cluster():
    """Start a Dask scheduler and two workers on loopback; yield the scheduler's address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_serve, args=("scheduler", port, address))]
    processes += [context.Process(target=_serve, args=("worker", port, address)) for _ in range(2)]
    for process in processes:
        process.start()
    try:
        yield address
    finally:
        for process in processes:
            process.kill()
            process.join()


def _serve(what: str, port: int, address: str) -> None:
    from distributed import Scheduler, Worker

    async def serve() -> None:
        server = (
            Scheduler(host="127.0.0.1", port=port, dashboard_address="127.0.0.1:0")
            if what == "scheduler"
            else Worker(address, nthreads=1, memory_limit=0)
        )
        async with server:
            await server.finished()

    asyncio.run(serve())


def _refuse(*problems: object) -> None:
    """Stop where something went wrong: a time of half the work is no measurement."""
    if any(problems):
        raise RuntimeError(f"not every case was computed once: {problems}")


def _suite(folder: Path, **values: object):
    path = folder / "suite.yaml"
    path.write_text(CASES.format(**values), encoding="utf-8")
    return load_suite(path)


def _nothing() -> CaseResult:
    """Return the smallest result that there is."""
    one = np.zeros(1)
    return CaseResult(
        predictions=pd.DataFrame(
            {"sample_id": ["w"], "subject": ["s"], "fold": ["f"], "role": ["test"], "y_pred": one}
        ),
        curves=(Curves(train_mse=one, val_mse=one, val_r=one),),
        saliency=(),
        n_parameters=0,
        n_trainable=0,
        n_frozen=0,
        budgets=(),
        timings=(Timing(name="t", device="cpu", seconds=0.0),),
    )


def measure_overheads(bar: tqdm) -> list[dict[str, object]]:
    """Return the overhead in each pool, measured in turns."""
    seconds: dict[str, list[float]] = {}
    processes = Processes(2)
    with loopback_cluster() as address, tempfile.TemporaryDirectory() as named:
        dask = _patiently(address)
        pools = {
            "this process": (InProcess(), 5),
            "2 local processes": (processes, 20),
            "Dask, 2 workers on loopback": (dask, 50),
        }
        for pool, _ in pools.values():  # importing torch is not a case's overhead
            for future in [pool.submit(os.getpid) for _ in range(8)]:
                future.result()
        for number in range(-1, ROUNDS):
            for name, (pool, _) in pools.items():
                bar.set_description(f"overhead, {name}")
                folder = Path(named) / f"{number}-{len(seconds)}-{name}"
                folder.mkdir()
                spent = overhead(pool, folder)
                if number >= 0:
                    seconds.setdefault(name, []).append(spent)
            bar.update()
        processes.stop()
        dask.stop()
    return [
        {
            "where": name,
            "milliseconds": 1000 * statistics.median(seconds[name]),
            "range": [1000 * min(seconds[name]), 1000 * max(seconds[name])],
            "allowed": allowed if name != "this process" else None,
        }
        for name, (_, allowed) in pools.items()
    ]


def _patiently(address: str) -> DaskCluster:
    deadline = time.monotonic() + 120
    while True:
        try:
            cluster = DaskCluster(address)
            if cluster.size == N_WORKERS:
                return cluster
            cluster.stop()
        except Exception:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.5)


def measure() -> dict[str, object]:
    """Measure everything."""
    with tqdm(total=ROUNDS + 5, desc="overhead") as bar:
        overheads = measure_overheads(bar)
        efficiencies = []
        for engine in ("plain", "fast"):
            bar.set_description(f"efficiency, {engine}")
            efficiencies.append(efficiency(engine, ROUNDS))
            bar.update()
        plans = []
        for n_workers in (1, 2):
            bar.set_description(f"plan, {n_workers} workers")
            plans.append(plan_against_run(n_workers))
            bar.update()
    return {
        "overheads": overheads,
        "efficiencies": efficiencies,
        "plans": plans,
        "n_empty": N_EMPTY,
        "rounds": ROUNDS,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {sys.version.split()[0]}",
        "date": datetime.now(UTC).date().isoformat(),
        "commit": collect_code()["commit"],
    }


def render(found: dict[str, object]) -> None:
    """Write the tables into the page, between its marks."""
    tables = {
        "overhead": _table(
            ["where", "ms a case, median", "range", "bound"],
            [
                (
                    one["where"],
                    f"{one['milliseconds']:.1f}",
                    "{:.1f} to {:.1f}".format(*one["range"]),
                    one["allowed"] or "–",
                )
                for one in found["overheads"]
            ],
        ),
        "efficiency": _table(
            ["engine", "1 process", "2 processes", "efficiency"],
            [
                (
                    one["engine"],
                    f"{one['one']:.1f} s",
                    f"{one['two']:.1f} s",
                    f"{one['efficiency']:.2f}",
                )
                for one in found["efficiencies"]
            ],
        ),
        "plan": _table(
            ["processes", "pilot", "planned", "measured", "factor"],
            [
                (
                    one["workers"],
                    *(f"{one[name]:.0f} s" for name in ("pilot", "planned", "measured")),
                    f"{one['factor']:.2f}",
                )
                for one in found["plans"]
            ],
        ),
        "machine": f"{found['machine']}; {found['date']}, commit {str(found['commit'])[:12]}; "
        f"medians of {found['rounds']} rounds in turns, {found['n_empty']:,} empty cases.",
    }
    page = DOCS / "execution.md"
    text = page.read_text(encoding="utf-8")
    for name, table in tables.items():
        begin, end = f"<!-- {name} -->\n", f"\n<!-- end {name} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}{table}{end}{after}"
    page.write_text(text, encoding="utf-8")


def _table(headers: list[str], rows: list[tuple[object, ...]]) -> str:
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--render", action="store_true", help="write the page again, measure nothing"
    )
    options = parser.parse_args()
    path = DOCS / "execution.json"
    if not options.render:
        path.write_text(json.dumps(measure(), indent=1) + "\n", encoding="utf-8")
    render(json.loads(path.read_text(encoding="utf-8")))
    print(path.with_suffix(".md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()

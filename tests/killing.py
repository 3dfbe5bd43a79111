"""Runs that are killed at random moments, led from a warm process so that each starts at once.

Importing torch takes longer than forty tiny cases. So all of this happens in one process that has
imported it and forks runs, schedulers and workers, each a real process of its own.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import time
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
from tasks_for_tests import forked_workers
from tiny_cases import tiny_suite

from pfactor_bench.config import load_suite
from pfactor_bench.errors import ExecutionError
from pfactor_bench.execution import results as finished
from pfactor_bench.execution import worker as casework
from pfactor_bench.execution.cluster import cluster_device
from pfactor_bench.execution.processes import warm_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_FORK = multiprocessing.get_context("fork")

#: A case of the tiny suite takes about so long: enough for a kill to find some under way.
NAP = "if seed >= 42: time.sleep(0.02)"


def in_warm_process(function: Callable[..., object], *args: object) -> object:
    """Return ``function(*args)`` of a process that may fork, unlike the one that runs tests."""
    context = warm_context()
    ours, theirs = context.Pipe()
    process = context.Process(target=_answer, args=(theirs, function, args))
    process.start()
    theirs.close()
    try:
        answer = ours.recv()
    except EOFError:
        answer = RuntimeError("the warm process died")
    process.join()
    if isinstance(answer, Exception):
        raise answer
    return answer


def run_undisturbed(folder: Path) -> float:
    """Run the forty cases of `folder` from start to end; return the seconds."""
    began = time.monotonic()
    child = _FORK.Process(target=_run, args=(folder, {"workers": 1}))
    child.start()
    child.join()
    assert child.exitcode == 0
    return time.monotonic() - began


def run_killed(folder: Path, kills: int, seed: int) -> dict[str, object]:
    """Kill the run of `folder` again and again, then let it end; return what happened.

    Returns
    -------
    dict
        ``finished``: how many cases each killed run left behind; ``twice``: cases that were
        computed although their file was there; ``computed``: cases in the order of their end.
    """
    forked_workers()
    moments = np.random.default_rng(seed)
    left_behind = []
    for number in range(kills):
        execution = {"workers": 1 + number % 2}
        child = _FORK.Process(target=_run, args=(folder, execution))
        child.start()
        # The first ones in the middle of the cases, whatever the speed of the machine; the last
        # ones anywhere.
        if number < kills - 3:
            _wait_for_more(folder, int(moments.integers(4)), child)
            time.sleep(moments.uniform(0.0, 0.01))
        else:
            time.sleep(moments.uniform(0.0, 0.3))
        child.kill()
        child.join()
        left_behind.append(_n_finished(folder))
    child = _FORK.Process(target=_run, args=(folder, {"workers": 2}))
    child.start()
    child.join()
    assert child.exitcode == 0
    return {"finished": left_behind, **_written_down(folder)}


def run_on_cluster(folder: Path, kills: int, seed: int) -> dict[str, object]:
    """Run on two Dask workers on loopback; kill workers, and once the scheduler, on the way.

    Returns
    -------
    dict
        As `run_killed`, and ``killed``: what was killed.
    """
    moments = np.random.default_rng(seed)
    killed = []
    with cluster(folder) as supervised:
        child = _FORK.Process(target=_run, args=(folder, {"cluster": supervised.address}))
        child.start()
        for number in range(kills):
            _wait_for_more(folder, 1 + int(moments.integers(3)), child)
            if number == kills // 2:
                supervised.restart_scheduler()
                killed.append("scheduler")
            elif kills:
                supervised.kill_worker(int(moments.integers(2)))
                killed.append("worker")
            supervised.replace_dead_workers()
        while child.is_alive():
            supervised.replace_dead_workers()
            time.sleep(0.05)
        child.join()
        assert child.exitcode == 0
    return {"killed": killed, "finished": _n_finished(folder), **_written_down(folder)}


class Cluster:
    """A Dask scheduler and two workers, as someone keeps them alive who watches over them.

    Parameters
    ----------
    folder
        Where workers note what they compute.
    resources
        What workers offer.
    """

    def __init__(self, folder: Path, resources: dict[str, int]) -> None:
        self._folder, self._resources = folder, resources
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self._port}"
        self._scheduler = self._start(_serve_scheduler, self._port)
        self._workers = [self._start_worker() for _ in range(2)]

    def kill_worker(self, number: int) -> None:
        """Kill one of the two."""
        self._workers[number].kill()
        self._workers[number].join()

    def restart_scheduler(self) -> None:
        """Kill the scheduler, and start another under the same address."""
        self._scheduler.kill()
        self._scheduler.join()
        time.sleep(0.3)
        self._scheduler = self._start(_serve_scheduler, self._port)

    def replace_dead_workers(self) -> None:
        """Start a worker for each that is gone."""
        for number, worker in enumerate(self._workers):
            if not worker.is_alive():
                worker.join()
                self._workers[number] = self._start_worker()

    def stop(self) -> None:
        """Kill all of it."""
        for process in (*self._workers, self._scheduler):
            process.kill()
            process.join()

    def _start_worker(self):
        return self._start(_serve_worker, self.address, self._folder, self._resources)

    @staticmethod
    def _start(target: Callable[..., None], *args: object):
        process = _FORK.Process(target=target, args=args)
        process.start()
        return process


@contextmanager
def cluster(folder: Path, resources: dict[str, int] | None = None) -> Iterator[Cluster]:
    """Start a cluster, and leave nothing of it behind."""
    supervised = Cluster(folder, resources or {})
    try:
        yield supervised
    finally:
        supervised.stop()


def _answer(pipe, function: Callable[..., object], args: tuple) -> None:
    # Whatever is imported now, no fork has to.
    import_module("distributed")
    import_module("pfactor_bench.pipeline.run")
    import_module("pfactor_bench.report.figures.figure")
    try:
        answer = function(*args)
    except Exception as error:  # noqa: BLE001 - the test is told
        answer = RuntimeError(f"{type(error).__name__}: {error}")
    pipe.send(answer)


def forty_cases(folder: Path) -> None:
    """Write the suite of forty cases into `folder`."""
    tiny_suite(folder, seeds=40, fault=NAP)


def _run(folder: Path, execution: dict[str, object]) -> None:
    """Run the suite of `folder`, and write down what is computed."""
    from pfactor_bench.pipeline.run import Execution, run

    forked_workers()
    _write_down(folder)
    run(
        load_suite(folder / "suite.yaml"),
        out=folder / "out",
        data_dir=None,
        device="cpu",
        execution=Execution(**execution),
        # It is cases that are killed here; forty of them would pay for an audit.
        audit=False,
    )


def _write_down(folder: Path) -> None:
    """Note every case that is computed, and whether it was finished when that began."""
    write, train = finished.write_case, casework.train_missing
    finished_before: set[Path] = set()

    def looking(training, group, *given) -> None:
        finished_before.clear()
        finished_before.update(one.path for one in group if one.is_finished)
        train(training, group, *given)

    def noting(path: Path, key: str, result) -> None:
        if path in finished_before:
            _append(folder / "twice", path.name)
        write(path, key, result)
        _append(folder / "computed", path.name)

    casework.train_missing, casework.write_case = looking, noting


def _append(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def _written_down(folder: Path) -> dict[str, object]:
    lines = {
        name: (folder / name).read_text(encoding="utf-8").split()
        if (folder / name).exists()
        else []
        for name in ("twice", "computed")
    }
    return dict(lines)


def _n_finished(folder: Path) -> int:
    return len(list((folder / "out" / "cases").glob("*.npz")))


def _wait_for_more(folder: Path, n: int, child) -> None:
    """Wait until the run has finished so many more cases."""
    enough = _n_finished(folder) + n
    while child.is_alive() and _n_finished(folder) < enough:
        time.sleep(0.002)


def _serve_scheduler(port: int) -> None:
    from distributed import Scheduler

    async def serve() -> None:
        where = {"host": "127.0.0.1", "port": port, "dashboard_address": "127.0.0.1:0"}
        async with Scheduler(**where) as scheduler:
            await scheduler.finished()

    _quietly(serve)


def choose_devices(folder: Path, resources: dict[str, int]) -> list[str]:
    """Return what each name of a device means on workers that have `resources`."""
    chosen = []
    with cluster(folder, resources) as supervised:
        _wait_for_workers(supervised.address)
        for name in ("auto", "cpu", "cuda"):
            try:
                chosen.append(cluster_device(supervised.address, name))
            except ExecutionError as error:
                chosen.append(str(error))
    return chosen


def _wait_for_workers(address: str) -> None:
    from distributed import Client

    with Client(address, timeout=300, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=300)


def _serve_worker(address: str, folder: Path, resources: dict[str, int]) -> None:
    from distributed import Worker

    _write_down(folder)

    async def serve() -> None:
        async with Worker(address, nthreads=1, memory_limit=0, resources=resources) as worker:
            await worker.finished()

    _quietly(serve)


def _quietly(serve: Callable[[], object]) -> None:
    """Serve until killed, without a word about connections that others have dropped."""
    import logging

    logging.disable(logging.CRITICAL)
    asyncio.run(serve())

"""A Dask cluster as a pool: the same tasks on other machines, through restarts of its scheduler.

Only names of files and small values go through the scheduler. Workers read the cohort from the
run's folder and write finished cases there, so it lies on storage that all of them see.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from pfactor_bench.errors import ExecutionError
from pfactor_bench.execution.pools import failure
from pfactor_bench.execution.tasks import TaskEnd

#: Seconds that a scheduler has to answer, and to come back after it was lost.
_ANSWER, _COME_BACK = 10.0, 300.0

#: The number of workers changes with the cluster; it is asked for at most this often, in seconds.
_ASK_EVERY = 2.0

#: So many tasks are submitted even where no worker is there yet, for clusters that grow on demand.
_LEAST_DEPTH = 16

#: What workers with a GPU are started with: ``dask worker … --resources GPU=1``.
_GPU = "GPU"


class DaskCluster:
    """The workers of a Dask scheduler.

    Parameters
    ----------
    address
        Of the scheduler, such as ``tcp://node1:8786``.
    n_gpus
        How many units of the workers' resource ``GPU`` a task takes.
    patience
        Seconds that a scheduler has to come back after it was lost.

    Raises
    ------
    ExecutionError
        If dask.distributed is not installed, or no scheduler answers.
    """

    def __init__(self, address: str, *, n_gpus: int = 0, patience: float = _COME_BACK) -> None:
        self._address, self._patience = address, patience
        self._resources = {_GPU: n_gpus} if n_gpus else None
        self.name = f"the Dask cluster at {address}"
        self._asked, self._size = float("-inf"), 0
        self._connect(_ANSWER)

    @property
    def size(self) -> int:
        """How many workers there are now."""
        if time.monotonic() - self._asked > _ASK_EVERY:
            # A scheduler that cannot be asked is noticed by the tasks that it loses.
            with contextlib.suppress(Exception):
                self._size = len(self._client.nthreads())
            self._asked = time.monotonic()
        return max(1, self._size)

    @property
    def depth(self) -> int:
        """Enough that no worker waits for the next task."""
        return max(_LEAST_DEPTH, 3 * self.size)

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:  # noqa: ANN401
        """Hand a task to the scheduler, which runs it again if its worker dies."""
        try:
            future: Future[Any] = self._executor.submit(function, *args)
        except Exception:  # noqa: BLE001 - whatever a client raises whose scheduler is gone
            future = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
        return future

    def recover(self) -> bool:
        """Wait for the scheduler to come back."""
        self.stop()
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline:
            with contextlib.suppress(ExecutionError):
                self._connect(min(5.0, self._patience))
                return True
            time.sleep(0.2)
        return False

    def explain(self, error: BaseException) -> TaskEnd:
        """Return what Dask says of a task that it gave up."""
        if type(error).__name__ == "KilledWorker":
            # Dask blames every task that a dead worker had been given, run or not.
            return TaskEnd(
                ending="again", reason="its workers died: it may need more memory than they have"
            )
        return failure(error)

    def stop(self) -> None:
        """Take back what has not begun; what a worker is at, it finishes and keeps."""
        with contextlib.suppress(Exception):
            self._client.close(timeout=2)

    def _connect(self, seconds: float) -> None:
        client = _client(self._address, seconds)
        self._client = client
        self._executor = client.get_executor(pure=False, retries=0, resources=self._resources)
        self._asked = float("-inf")


def cluster_device(address: str, name: str) -> str:
    """Return the type of device that a cluster's workers train on.

    Parameters
    ----------
    address
        Of the scheduler.
    name
        ``auto``, ``cpu`` or ``cuda``; ``auto`` takes GPUs where workers were started with them.

    Raises
    ------
    ExecutionError
        If no scheduler answers, or ``cuda`` is asked for and no worker has a GPU to offer.
    """
    if name == "cpu":
        return name
    client = _client(address, _ANSWER)
    try:
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        has_gpus = any(worker.get("resources", {}).get(_GPU) for worker in workers)
    finally:
        client.close()
    if name == "cuda" and not has_gpus:
        raise ExecutionError(
            f"device 'cuda' was asked for but no worker of {address!r} offers a GPU: start them "
            f"with `dask worker {address} --nthreads 1 --resources GPU=1`, or use --device cpu"
        )
    return "cuda" if has_gpus else "cpu"


def _client(address: str, seconds: float) -> Any:  # noqa: ANN401 - dask publishes no types
    try:
        from distributed import Client
    except ImportError:
        raise ExecutionError(
            "--cluster needs dask.distributed: python3 -m pip install 'pfactor-bench[cluster]'"
        ) from None
    try:
        return Client(address, timeout=seconds, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ExecutionError(
            f"no Dask scheduler answers at {address!r} ({error}): start one with `dask scheduler`, "
            f"and give the address that it prints"
        ) from error

"""Devices, and what has to be done to them before a clock is read or a seed is set."""

from __future__ import annotations

import random
import resource
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.errors import EnvironmentProblemError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch


def choose_device(name: str) -> torch.device:
    """Return the device called ``auto``, ``cpu`` or ``cuda``; ``auto`` takes a GPU if there is one.

    Raises
    ------
    EnvironmentProblemError
        If ``cuda`` is asked for and torch finds none.
    """
    import torch

    has_cuda = torch.cuda.is_available()
    if name == "cuda" and not has_cuda:
        raise EnvironmentProblemError(
            "device 'cuda' was asked for but torch finds no CUDA device: use --device cpu, or see "
            "`pfactor-bench doctor`"
        )
    return torch.device("cuda" if has_cuda and name != "cpu" else "cpu")


def synchronize(device: torch.device) -> None:
    """Wait until `device` has finished: its work is queued, so a clock read earlier is wrong."""
    if device.type == "cuda":
        import torch

        torch.cuda.synchronize(device)


def peak_memory(device: torch.device) -> int:
    """Return the peak so far in bytes: allocated on a GPU, else resident in this process."""
    if device.type == "cuda":
        import torch

        return int(torch.cuda.max_memory_allocated(device))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # macOS counts in bytes, Linux in KiB.
    return peak if sys.platform == "darwin" else peak * 1024


def warm_up() -> None:
    """Pay for what torch imports when its first optimiser is made, so that no case is charged."""
    import torch

    torch.optim.AdamW([torch.zeros(1)])


@contextmanager
def full_precision() -> Iterator[None]:
    """Let a GPU compute in float32 for a while: by itself torch lowers convolutions to TF32."""
    import torch

    products, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn
    before = products.allow_tf32, convolutions.allow_tf32
    products.allow_tf32 = convolutions.allow_tf32 = False
    try:
        yield
    finally:
        products.allow_tf32, convolutions.allow_tf32 = before


@contextmanager
def torch_threads(threads: int | None) -> Iterator[None]:
    """Let torch use so many threads for a while; None leaves what it takes by itself.

    The order in which floats are added depends on the number of threads, and with it a trained
    model's third decimal.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed every global random stream for a while, and leave them all as they were.

    The streams of torch, NumPy and the standard library are seeded, since a model may draw its
    initial weights from any of them.
    """
    import torch

    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002 - the global stream is what must be seeded
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)  # noqa: NPY002

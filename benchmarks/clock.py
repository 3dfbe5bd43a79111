"""A clock for comparisons: warm, synchronised, taking turns, without the garbage collector."""

from __future__ import annotations

import gc
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

__all__ = ["Ratio", "Timed", "leaves_work_queued", "take_turns"]

#: A device that is busy this long after work has returned was not waited for.
_QUEUED = 1e-3


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Timed:
    """How long something took, again and again.

    Parameters
    ----------
    seconds
        One per round, in the order of the rounds.
    """

    seconds: NDArray[np.float64]

    @property
    def median(self) -> float:
        """The median over rounds."""
        return float(np.median(self.seconds))

    @property
    def spread(self) -> float:
        """The interquartile range over rounds."""
        low, high = np.quantile(self.seconds, [0.25, 0.75])
        return float(high - low)

    def times_faster_than(self, other: Timed) -> Ratio:
        """Return by what factor this is faster, round against round.

        Rounds that were taken in turns share what disturbed them.
        """
        ratios = other.seconds / self.seconds
        low, high = np.quantile(ratios, [0.25, 0.75])
        return Ratio(median=float(np.median(ratios)), low=float(low), high=float(high))


@dataclass(frozen=True, kw_only=True, slots=True)
class Ratio:
    """The median of ratios over rounds, and their quartiles."""

    median: float
    low: float
    high: float


def take_turns(
    works: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    warm_up: int = 1,
    synchronize: Callable[[], object] = lambda: None,
    on_round: Callable[[], object] = lambda: None,
) -> dict[str, Timed]:
    """Time pieces of work in turns, so that what disturbs one disturbs all.

    Parameters
    ----------
    works
        What is timed, by name. In every other round they run in reverse order.
    rounds, warm_up
        How often each is timed, and how often it runs before that.
    synchronize
        Waits for the device; called before each clock is read.
    on_round
        Called after each round, for progress.
    """
    for _ in range(warm_up):
        for work in works.values():
            work()
    seconds: dict[str, list[float]] = {name: [] for name in works}
    with _no_garbage_collection():
        for number in range(rounds):
            for name in list(works)[:: -1 if number % 2 else 1]:
                synchronize()
                began = time.perf_counter()
                works[name]()
                synchronize()
                seconds[name].append(time.perf_counter() - began)
            on_round()
    return {name: Timed(seconds=np.array(values)) for name, values in seconds.items()}


def leaves_work_queued(work: Callable[[], object], synchronize: Callable[[], object]) -> bool:
    """Return whether a device is still busy when `work` returns.

    A clock around such work reads how long it takes to queue it.
    """
    synchronize()
    work()
    began = time.perf_counter()
    synchronize()
    return time.perf_counter() - began > _QUEUED


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()

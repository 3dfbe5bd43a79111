"""From what one case costs to what a suite costs."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pfactor_bench.execution.pools import Processes
from pfactor_bench.experiments.cost.pilot import Cost, Pilot
from pfactor_bench.models.regimes import REGIMES
from pfactor_bench.training.case import case_budget
from pfactor_bench.training.engine import Training, group_cases
from pfactor_bench.training.pretraining.sources import SourceTask
from pfactor_bench.types import Case, EngineChoice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pfactor_bench.config import Suite
    from pfactor_bench.experiments.cost.pilot import Shape
    from pfactor_bench.types import ModelSpec

#: A run that is shorter than this on one process is not worth asking how much two get in each
#: other's way.
_WORTH_ASKING = 30.0

#: float32.
_SAMPLE = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """How large a cohort and its folds are.

    Parameters
    ----------
    n_subjects, n_windows
        Of the cohort.
    n_train
        Training windows of each fold.
    """

    n_subjects: int
    n_windows: int
    n_train: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """Cases that differ in their seed only.

    Parameters
    ----------
    name
        The regime's label.
    n_cases
        How many.
    seconds
        Of one of them, alone on the machine.
    """

    name: str
    n_cases: int
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class CostPlan:
    """What a suite will cost.

    Parameters
    ----------
    kinds
        Its cases.
    size
        Of its cohort.
    device, n_workers
        What it was planned for.
    shared_seconds
        From the first case to the last, when workers take groups of cases in turn, each as fast as
        alone on the machine.
    slowdown
        How much longer a case takes where every worker is busy.
    pretraining_seconds
        For all encoders.
    peak_bytes
        Memory of one worker, without the windows.
    cohort_bytes
        Of the windows, which all workers share.
    stored_bytes
        Of all finished cases on disk.
    """

    kinds: tuple[Kind, ...]
    size: Size
    device: str
    n_workers: int
    shared_seconds: float
    slowdown: float
    pretraining_seconds: float
    peak_bytes: int
    cohort_bytes: int
    stored_bytes: int

    @property
    def n_cases(self) -> int:
        """How many cases there are."""
        return sum(kind.n_cases for kind in self.kinds)

    @property
    def work_seconds(self) -> float:
        """What all cases take, one after another."""
        return sum(kind.n_cases * kind.seconds for kind in self.kinds)

    @property
    def seconds(self) -> float:
        """What the run takes on all workers, from the first case to the last."""
        return self.pretraining_seconds + self.shared_seconds * self.slowdown


def make_plan(
    suite: Suite,
    shape: Shape,
    size: Size,
    *,
    device: str,
    n_workers: int,
    n_source_windows: int = 0,
    on_pilot: Callable[[str], object] = lambda _name: None,
) -> CostPlan:
    """Time a case of each kind and add up.

    Parameters
    ----------
    suite
        What is planned.
    shape
        Of its windows: what is timed.
    size
        Of its cohort: what is added up.
    device
        ``cpu`` or ``cuda``.
    n_workers
        How many processes will share the cases.
    n_source_windows
        Windows that encoders are pretrained on; 0 without a source that is learnt here.
    on_pilot
        Called with the regime's label before each pilot, for progress.
    """
    import torch

    training = Training(
        engine=suite.engine,
        budget=suite.budget,
        saliency=suite.saliency,
        device=torch.device(device),
        threads=suite.threads or torch.get_num_threads(),
    )
    pilots: dict[str, Pilot] = {}
    costs: dict[str, Cost] = {}
    counts = Counter(case.regime for case in suite.cases)
    groups = group_cases(suite.engine, suite.cases, n_workers=n_workers, device=device)
    for group in _first_groups(groups):
        case = group[0]
        on_pilot(case.regime)
        own = replace(training, budget=case_budget(case, suite.budget))
        pilots[case.regime] = Pilot(training=own, group=group, shape=shape)
        costs[case.regime] = pilots[case.regime].cost()
    epochs = suite.budget.epochs
    kinds = tuple(
        Kind(
            name=regime,
            n_cases=counts[regime],
            seconds=sum(cost.fold_seconds(n_train, epochs) for n_train in size.n_train),
        )
        for regime, cost in costs.items()
    )
    seconds = {kind.name: kind.seconds for kind in kinds}
    rows = size.n_windows * len(size.n_train)
    plan = CostPlan(
        kinds=kinds,
        size=size,
        device=device,
        n_workers=n_workers,
        shared_seconds=_shared(
            (sum(seconds[case.regime] for case in group) for group in groups), n_workers
        ),
        slowdown=1.0,
        pretraining_seconds=_pretraining(suite, pilots, n_source_windows, len(size.n_train)),
        peak_bytes=max(cost.peak_bytes for cost in costs.values()),
        cohort_bytes=size.n_windows * len(shape.ch_names) * shape.n_times * _SAMPLE,
        stored_bytes=int(
            sum(counts[regime] * cost.bytes_per_window * rows for regime, cost in costs.items())
        ),
    )
    if n_workers > 1 and plan.work_seconds > _WORTH_ASKING:
        on_pilot(f"{n_workers} processes at once")
        costliest = max(kinds, key=lambda kind: kind.n_cases * kind.seconds)
        plan = replace(plan, slowdown=_slowdown(pilots[costliest.name], n_workers))
    return plan


def _shared(seconds: Iterable[float], n_workers: int) -> float:
    """Return when the last of some tasks ends that workers take in turn."""
    ends = [0.0] * n_workers
    for one in seconds:
        heapq.heapreplace(ends, ends[0] + one)
    return max(ends)


def _first_groups(groups: Iterable[tuple[Case, ...]]) -> list[tuple[Case, ...]]:
    """Return the first group of each regime."""
    found: dict[str, tuple[Case, ...]] = {}
    for group in groups:
        for case in group:
            found.setdefault(case.regime, group)
    return [
        tuple(case for case in group if case.regime == regime) for regime, group in found.items()
    ]


def _pretraining(suite: Suite, pilots: Mapping[str, Pilot], n_windows: int, n_folds: int) -> float:
    """Return the seconds that encoders take: each model's, for each fold that has its own."""
    source = suite.source
    if not n_windows or not isinstance(source, SourceTask):
        return 0.0
    models: list[ModelSpec] = []
    total = 0.0
    for case in suite.cases:
        if not REGIMES[case.start].pretrained or case.model in models:
            continue
        models.append(case.model)
        scratch = Case(regime="pretraining", model=case.model, seed=0)
        pilot = pilots[case.regime]
        budget = replace(source.budget, inner=None)
        plain = replace(
            pilot.training, engine=EngineChoice(kind="plain"), budget=budget, saliency=()
        )
        n_encoders = n_folds if source.subjects == "outside-fold" else 1
        cost = replace(pilot, training=plain, group=(scratch,)).cost()
        total += n_encoders * cost.fold_seconds(n_windows, source.budget.epochs)
    return total


def _slowdown(pilot: Pilot, n_workers: int) -> float:
    """Return how much longer a pilot takes on every worker at once than on one alone."""
    length = 6 * pilot.training.budget.batch_size, 3
    pool = Processes(n_workers)
    try:
        alone: float = pool.submit(pilot.seconds, *length).result()
        together = [pool.submit(pilot.seconds, *length) for _ in range(n_workers)]
        slowest: float = max(future.result() for future in together)
    finally:
        pool.stop()
    return max(1.0, slowest / alone)

"""Engines: which cases are trained as one job, and how.

The plain engine is the reference and exact to the case study's draws. The fast one does the same
mathematics with fewer passes over memory and for many cases at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pfactor_bench.registry import Registry
from pfactor_bench.training.case import run_each
from pfactor_bench.training.device import torch_threads
from pfactor_bench.training.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from pfactor_bench.training.work import Encoders
    from pfactor_bench.types import Budget, Case, CaseResult, Cohort, EngineChoice, Split


@dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    """A way to train cases.

    Parameters
    ----------
    group
        From cases, number of workers and type of device to groups.
    run
        From a group, and what its cases share, to its results.
    """

    group: Callable[[Sequence[Case], int, str], tuple[tuple[Case, ...], ...]]
    run: Callable[[EngineChoice, Sequence[Case], Work], dict[Case, CaseResult]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Training:
    """How cases are trained, whatever they are and on whatever: small enough to travel.

    Parameters
    ----------
    engine, budget, saliency
        As in the suite.
    device
        Where.
    threads
        How many torch uses.
    """

    engine: EngineChoice
    budget: Budget
    saliency: Sequence[str]
    device: torch.device
    threads: int

    def run(
        self,
        group: Sequence[Case],
        cohort: Cohort,
        split: Split,
        encoders: Encoders | None = None,
        on_epoch: Callable[[], object] = lambda: None,
    ) -> dict[Case, CaseResult]:
        """Train a group with so many threads; takes and returns what `run_group` does."""
        with torch_threads(self.threads):
            return run_group(
                self.engine,
                group,
                cohort,
                split,
                self.budget,
                device=self.device,
                encoders=encoders,
                saliency=self.saliency,
                on_epoch=on_epoch,
            )


#: More cases at once gain nothing on a CPU, and small groups share out evenly.
_MOST_ON_A_CPU = 8

ENGINES: Registry[Engine] = Registry("engine")


def group_cases(
    engine: EngineChoice, cases: Sequence[Case], *, n_workers: int = 1, device: str = "cpu"
) -> tuple[tuple[Case, ...], ...]:
    """Divide cases into jobs, each of which one worker trains at once.

    Parameters
    ----------
    engine
        Whose kind is in `ENGINES`.
    cases
        What is to be trained. What is finished already does not belong here.
    n_workers
        How many workers share the jobs; no group is so large that one would have none.
    device
        The type of their device. On a GPU a group is as large as it can be: what fits into memory
        is found out where it is trained.

    Returns
    -------
    tuple of tuple of Case
        Every case once.
    """
    return ENGINES[engine.kind].group(cases, n_workers, device)


def run_group(
    engine: EngineChoice,
    group: Sequence[Case],
    cohort: Cohort,
    split: Split,
    budget: Budget,
    *,
    device: torch.device,
    encoders: Encoders | None = None,
    saliency: Sequence[str] = (),
    on_epoch: Callable[[], object] = lambda: None,
) -> dict[Case, CaseResult]:
    """Train and evaluate the cases of one group on every fold.

    Parameters
    ----------
    engine
        Whose kind is in `ENGINES`.
    group
        Of `group_cases`, or part of one.
    cohort, split, budget, device, encoders, saliency, on_epoch
        As in `Work`.

    Returns
    -------
    dict
        From each case, the same object, to its result, in the group's order.

    Raises
    ------
    ModelError
        If an encoder is missing or does not fit, or frozen weights changed.
    """
    work = Work(
        cohort=cohort,
        split=split,
        budget=budget,
        device=device,
        encoders=encoders or {},
        saliency=saliency,
        on_epoch=on_epoch,
    )
    return ENGINES[engine.kind].run(engine, group, work)


def _run_fast(engine: EngineChoice, group: Sequence[Case], work: Work) -> dict[Case, CaseResult]:
    # It imports torch and braindecode, which whoever only reads a suite need not wait for.
    from pfactor_bench.training.fast.together import run_together

    return run_together(engine, group, work)


def _alike(cases: Sequence[Case], n_workers: int, device: str) -> tuple[tuple[Case, ...], ...]:
    """Put cases together that differ in nothing but their seed, a fair share to each worker."""
    alike: list[list[Case]] = []
    for case in cases:
        for other in alike:
            if _differ_in_seed_only(case, other[0]):
                other.append(case)
                break
        else:
            alike.append([case])
    most = _MOST_ON_A_CPU if device == "cpu" else len(cases)
    largest = max(1, min(most, -(-len(cases) // n_workers)))
    return tuple(
        tuple(group[start : start + largest])
        for group in alike
        for start in range(0, len(group), largest)
    )


def _differ_in_seed_only(one: Case, other: Case) -> bool:
    return (one.model, one.start, one.learning_rate) == (
        other.model,
        other.start,
        other.learning_rate,
    )


ENGINES.register("plain")(
    Engine(
        group=lambda cases, _n_workers, _device: tuple((case,) for case in cases),
        run=lambda _engine, group, work: run_each(group, work),
    )
)
ENGINES.register("fast")(Engine(group=_alike, run=_run_fast))

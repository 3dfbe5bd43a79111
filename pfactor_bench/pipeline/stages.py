"""A run: a suite on its way from file to report, stage after stage."""

from __future__ import annotations

import shlex
from contextlib import nullcontext
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING

from pfactor_bench.auditing.regimes import audit_regime, audited_cases, kept_audit
from pfactor_bench.cohorts import load_cohort
from pfactor_bench.errors import ExecutionError
from pfactor_bench.execution.cases import Execution, run_cases, will_use_processes
from pfactor_bench.execution.lock import only_run_in
from pfactor_bench.execution.preparation import cache_folder, load_source, rehearse_starts
from pfactor_bench.execution.processes import begin_warming
from pfactor_bench.files import ensure_writable, report_folder
from pfactor_bench.measurements.names import refuse_unknown_measurements
from pfactor_bench.pipeline.audits import NOT_ASKED, with_audits
from pfactor_bench.pipeline.conclude import command_to_repeat, conclude, write_report
from pfactor_bench.splits.splitters import make_split
from pfactor_bench.training.device import choose_device, seeded, warm_up
from pfactor_bench.training.engine import Training
from pfactor_bench.training.inner_choice import refuse_too_few_to_choose_on
from pfactor_bench.training.pretraining.pretraining import plan_subjects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import Self

    import numpy as np
    import torch
    from numpy.typing import NDArray

    from pfactor_bench.auditing.result import Audit
    from pfactor_bench.config import Suite
    from pfactor_bench.config.declared import Exclusions
    from pfactor_bench.execution.progress import Progress
    from pfactor_bench.records.record import Record
    from pfactor_bench.training.pretraining.sources import SourceWindows
    from pfactor_bench.types import Case, CaseResult, Cohort, Split


class Run:
    """A suite on its way to a report; every stage is done when it is first asked for, and once.

    Parameters
    ----------
    suite
        What is run.
    out
        Folder of the report, which keeps finished cases; None keeps none.
    data_dir
        Where cohorts on disk are looked for.
    device
        ``auto``, ``cpu`` or ``cuda``.
    cache
        Folder of encoders; None takes the environment's, else one in `out`.
    execution
        Where and how persistently cases are run.
    exclusions
        Who was to be left out, where that was declared.
    patience
        Seconds to wait for another run that writes to `out`; None where the caller holds its lock.
    """

    def __init__(
        self,
        suite: Suite,
        *,
        out: Path | None = None,
        data_dir: Path | None = None,
        device: str = "auto",
        cache: Path | None = None,
        execution: Execution | None = None,
        exclusions: Exclusions | None = None,
        patience: float | None = None,
    ) -> None:
        self.suite, self.out, self.exclusions = suite, out, exclusions
        self.execution = execution or Execution()
        self._data_dir, self._device, self._cache = data_dir, device, cache
        self._patience = patience
        self._wanted: set[Case] = set()
        self._results: dict[Case, CaseResult] = {}
        #: Why cases have no result, by name.
        self.failed: dict[str, str] = {}
        #: By regime, its audit, or why it was left out; of those that were come to so far.
        self.audits: dict[str, Audit | str] = {}

    @cached_property
    def device(self) -> torch.device:
        """Where cases are trained."""
        return choose_device(self._device)

    @cached_property
    def cohort(self) -> Cohort:
        """On whom."""
        return load_cohort(self.suite.cohort, self._data_dir)

    @cached_property
    def split(self) -> Split:
        """How the cohort is divided."""
        split = make_split(self.suite.split, self.cohort.table)
        refuse_too_few_to_choose_on(self.cohort, split, self.suite.budget)
        return split

    @cached_property
    def source(self) -> SourceWindows | None:
        """The windows to pretrain on; None without a source task."""
        return load_source(self.suite.source, self.cohort, self._data_dir)

    @cached_property
    def pretrained_on(self) -> Mapping[str, NDArray[np.str_]]:
        """By fold, whom its encoder has seen or will see; empty without a source."""
        source = self.suite.source
        return plan_subjects(source, self.source, self.cohort, self.split) if source else {}

    @cached_property
    def cache(self) -> Path:
        """The folder of encoders."""
        return cache_folder(self.out, self._cache)

    @property
    def training(self) -> Training:
        """How cases are trained."""
        import torch

        return Training(
            engine=self.suite.engine,
            budget=self.suite.budget,
            saliency=self.suite.saliency,
            device=self.device,
            threads=self.suite.threads or torch.get_num_threads(),
        )

    @property
    def folder(self) -> Path:
        """The folder of a run that keeps something."""
        assert self.out is not None  # noqa: S101 - a run that is trained has one
        return self.out

    def prepare(self) -> Self:
        """Load, divide and rehearse: whatever may be refused is refused before any training."""
        for stage in ("device", "cohort", "split", "source", "pretrained_on", "_rehearsed"):
            getattr(self, stage)
        return self

    @cached_property
    def _rehearsed(self) -> Path | None:
        """The folder of encoders, if one is needed; every start has been rehearsed."""
        with seeded(0, self.device):
            rehearse_starts(self.suite, self.cohort)
        warm_up()
        return self.cache if self.source else None

    def begin(self) -> Self:
        """Prepare, and refuse claims about numbers that will not be measured."""
        self.prepare()
        refuse_unknown_measurements(self)
        return self

    def but(self, **stages: object) -> Self:
        """Return a run, of which nothing is trained yet, whose stages are these, else the same."""
        other = copy(self)
        vars(other).update(stages, _results={}, _wanted=set(), failed={}, audits={})
        vars(other).pop("_concluded", None)
        return other

    def train(
        self,
        cases: Iterable[Case],
        *,
        on_progress: Callable[[Progress], object] = lambda _progress: None,
        on_epoch: Callable[[], object] = lambda: None,
    ) -> None:
        """Get the results of cases; raises and calls what `run_cases` does."""
        self.begin()
        with self._alone():
            results, failed = run_cases(
                self,
                cases,
                command=_command_to_go_on(self.suite, self.folder),
                on_progress=on_progress,
                on_epoch=on_epoch,
            )
        self._results |= results
        self.failed |= failed

    def want(self, cases: Iterable[Case]) -> None:
        """Note that cases will be asked for, so that they are trained together."""
        self._wanted.update(cases)

    def result(self, case: Case) -> CaseResult:
        """Return what `case` left behind; the first time, all that will be asked for is trained.

        Raises
        ------
        ExecutionError
            If the case failed.
        """
        if case not in self._results and case.id not in self.failed:
            self.want([case])
            wanted = tuple(one for one in self.suite.cases if one in self._wanted)
            may_fork = self.execution.workers is None
            if may_fork and will_use_processes(self.suite, self._device, len(wanted)):
                begin_warming()
            self.begin()
            try:
                self.train(wanted)
            except ExecutionError as error:
                self.failed |= dict.fromkeys((one.id for one in wanted), str(error))
        if case.id in self.failed:
            raise ExecutionError(f"case {case.id!r} has no result: {self.failed[case.id]}")
        return self._results[case]

    @property
    def results(self) -> dict[Case, CaseResult]:
        """What cases left behind, so far, in the suite's order."""
        return {case: self._results[case] for case in self.suite.cases if case in self._results}

    @property
    def is_complete(self) -> bool:
        """Whether every case has a result."""
        return len(self._results) == len(self.suite.cases)

    def audit(self, case: Case) -> Audit:
        """Return the audit of a case's regime, which is run once."""
        found = self.audits.get(case.regime)
        if found is None or isinstance(found, str):
            self.audits[case.regime] = found = audit_regime(self.begin(), case)
        return found

    @property
    def record(self) -> Record:
        """The record of what has been trained and audited."""
        regimes = audited_cases(self.suite.cases)
        audits = {regime: self.audits.get(regime, NOT_ASKED) for regime in regimes}
        return with_audits(self._concluded, audits)

    def whole_record(self) -> Record:
        """Return the record after training every case that has not been.

        Raises
        ------
        ExecutionError
            If one failed.
        """
        for case in self.suite.cases:
            self.result(case)
        return self.record

    @cached_property
    def _concluded(self) -> Record:
        return conclude(self)

    def publish(self) -> Path:
        """Write the report; return its path."""
        for regime, case in audited_cases(self.suite.cases).items():
            # Another process of the same session may have audited it.
            if regime not in self.audits and (kept := kept_audit(self, case)):
                self.audits[regime] = kept
        with self._alone():
            return write_report(self.record, self)

    def _alone(self) -> AbstractContextManager[None]:
        """Hold the folder's lock, after any other run that writes there."""
        ensure_writable(self.folder)
        if self._patience is None:
            return nullcontext()
        return only_run_in(self.folder, patience=self._patience)


def _command_to_go_on(suite: Suite, out: Path) -> str:
    """Return what to type to go on with a run in `out`."""
    elsewhere = out != report_folder(suite.name)
    return (
        f"{command_to_repeat(suite)} --out {shlex.quote(str(out))}"
        if elsewhere
        else command_to_repeat(suite)
    )

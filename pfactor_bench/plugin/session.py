"""A suite during a pytest session: every stage runs when a test first needs it."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from pfactor_bench.errors import ExecutionError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pfactor_bench.auditing.result import Audit
    from pfactor_bench.config import Suite
    from pfactor_bench.pipeline.run import Prepared
    from pfactor_bench.records.record import Record
    from pfactor_bench.types import Case, CaseResult

__all__ = ["SuiteRun"]

_NOT_ASKED = "not checked: the test of its audit was not among those run; run test_audit, too"


class SuiteRun:
    """One suite during one pytest session; every stage runs when a test first needs it.

    Parameters
    ----------
    suite
        What is run.
    out
        Folder of its report.
    data_dir
        Where cohorts on disk are looked for.
    device
        ``auto``, ``cpu`` or ``cuda``.
    """

    def __init__(self, suite: Suite, *, out: Path, data_dir: Path | None, device: str) -> None:
        self.suite = suite
        self.out = out
        self._data_dir = data_dir
        self._device = device
        self._wanted: set[Case] = set()
        self._results: dict[Case, CaseResult] = {}
        self._failed: dict[Case, str] = {}
        #: By regime, what has been audited so far.
        self.audits: dict[str, Audit] = {}

    @cached_property
    def prepared(self) -> Prepared:
        """The suite with its cohort loaded and split."""
        from pfactor_bench.measurements.names import refuse_unknown_measurements
        from pfactor_bench.pipeline.run import prepare

        ready = prepare(self.suite, data_dir=self._data_dir, device=self._device, out=self.out)
        refuse_unknown_measurements(ready)
        return ready

    def want(self, cases: Iterable[Case]) -> None:
        """Note that cases will be asked for, so that they are run together."""
        self._wanted.update(cases)

    def result(self, case: Case) -> CaseResult:
        """Return what `case` left behind; the first time, all that will be asked for is run.

        Raises
        ------
        ExecutionError
            If the case failed.
        """
        if case not in self._results and case not in self._failed:
            self.want([case])
            self._run()
        if case in self._failed:
            raise ExecutionError(f"case {case.id!r} has no result: {self._failed[case]}")
        return self._results[case]

    def _run(self) -> None:
        from pfactor_bench.execution.cases import will_use_processes
        from pfactor_bench.execution.lock import only_run_in
        from pfactor_bench.execution.processes import begin_warming
        from pfactor_bench.files import ensure_writable

        cases = tuple(case for case in self.suite.cases if case in self._wanted)
        if will_use_processes(self.suite, self._device, len(cases)):
            begin_warming()

        from pfactor_bench.pipeline.run import Execution, run_cases

        prepared = replace(self.prepared, suite=replace(self.suite, cases=cases))
        ensure_writable(self.out)
        # Another process of the same session finds everything finished when its turn comes.
        with only_run_in(self.out, patience=float("inf")):
            try:
                results, failed = run_cases(prepared, Execution(workers=None))
            except ExecutionError as error:
                results, failed = {}, dict.fromkeys((case.id for case in cases), str(error))
        self._results |= results
        self._failed |= {case: failed[case.id] for case in cases if case.id in failed}

    def audit(self, case: Case) -> Audit:
        """Return the audit of a case's regime, which is run once."""
        from pfactor_bench.auditing.regimes import audit_regime

        if case.regime not in self.audits:
            self.audits[case.regime] = audit_regime(self.prepared, case)
        return self.audits[case.regime]

    @property
    def record(self) -> Record:
        """The whole suite's record; asking for it runs every case that has not run.

        It holds the audits that this session has run so far.
        """
        from pfactor_bench.auditing.regimes import audited_cases
        from pfactor_bench.pipeline.audits import with_audits

        regimes = audited_cases(self.suite.cases)
        audits = {regime: self.audits.get(regime, _NOT_ASKED) for regime in regimes}
        return with_audits(self._concluded, audits)

    @cached_property
    def _concluded(self) -> Record:
        from pfactor_bench.pipeline.conclude import conclude

        return conclude(self.prepared, self._all_results())

    @property
    def is_complete(self) -> bool:
        """Whether every case has run."""
        return len(self._results) == len(self.suite.cases)

    @property
    def is_begun(self) -> bool:
        """Whether any case has run."""
        return bool(self._results)

    def publish(self) -> Path:
        """Write the report, after any other run that writes to its folder; return its path."""
        from pfactor_bench.auditing.regimes import audited_cases, kept_audit
        from pfactor_bench.execution.lock import only_run_in
        from pfactor_bench.files import ensure_writable
        from pfactor_bench.pipeline.conclude import publish

        for regime, case in audited_cases(self.suite.cases).items():
            # Another process of the same session may have audited it.
            if regime not in self.audits and (kept := kept_audit(self.prepared, case)):
                self.audits[regime] = kept
        record = self.record
        ensure_writable(self.out)
        with only_run_in(self.out, patience=float("inf")):
            return publish(record, self.prepared, self._all_results(), self.out)

    def _all_results(self) -> dict[Case, CaseResult]:
        """Return every case's result in the suite's order."""
        return {case: self.result(case) for case in self.suite.cases}

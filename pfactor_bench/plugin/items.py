"""What the tests of a suite are parametrised over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pfactor_bench.publish.exports.properties import claim_properties, finding_properties

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pfactor_bench.auditing.result import Audit
    from pfactor_bench.checks import CatalogueEntry
    from pfactor_bench.pipeline.stages import Run
    from pfactor_bench.types import Case, Claim, Finding, Verdict

_DEVICES = ("cpu", "cuda")


@dataclass(frozen=True, kw_only=True, slots=True)
class SuiteItem:
    """One thing of one suite that a test is about."""

    run: Run

    @property
    def id(self) -> str:
        """The test's id."""
        raise NotImplementedError

    @property
    def cases(self) -> Iterable[Case]:
        """The cases whose results its test asks for: none where it trains by itself."""
        return ()

    @property
    def properties(self) -> list[tuple[str, str]]:
        """What is known of it so far, as JUnit keeps it, without computing anything."""
        return []


@dataclass(frozen=True, kw_only=True, slots=True)
class SuiteCase(SuiteItem):
    """One regime with one seed of one suite."""

    case: Case

    @property
    def id(self) -> str:
        """The test's id."""
        return f"{self.run.suite.name}/{self.case.id}"

    @property
    def cases(self) -> Iterable[Case]:
        """The case itself."""
        return (self.case,)


@dataclass(frozen=True, kw_only=True, slots=True)
class SuiteCheck(SuiteItem):
    """One leakage check of one suite."""

    entry: CatalogueEntry

    @property
    def id(self) -> str:
        """The test's id."""
        return f"{self.run.suite.name}/{self.entry.code}"

    @property
    def cases(self) -> Iterable[Case]:
        """All of the suite's."""
        return self.run.suite.cases

    @property
    def finding(self) -> Finding:
        """What the check found."""
        return next(f for f in self.run.whole_record().findings if f.code == self.entry.code)

    @property
    def properties(self) -> list[tuple[str, str]]:
        """What the check found, once every case has run."""
        return finding_properties(self.finding) if self.run.is_complete else []


@dataclass(frozen=True, kw_only=True, slots=True)
class SuiteAudit(SuiteItem):
    """One regime of one suite, to be audited from the first of its seeds."""

    case: Case

    @property
    def id(self) -> str:
        """The test's id."""
        return f"{self.run.suite.name}/{self.case.regime}/audit"

    def audit(self) -> Audit:
        """Train the regime on changed cohorts, once, and return what that brought to light."""
        return self.run.audit(self.case)

    @property
    def properties(self) -> list[tuple[str, str]]:
        """Its verdict, how often it trained, and the status of every check, once it is done."""
        found = self.run.audits.get(self.case.regime)
        if found is None or isinstance(found, str):
            return []
        statuses = [(one.code, one.status) for one in found.findings]
        return [
            ("regime", self.case.regime),
            ("verdict", found.verdict),
            ("runs", str(found.n_runs)),
            *statuses,
        ]


@dataclass(frozen=True, kw_only=True, slots=True)
class SuiteClaim(SuiteItem):
    """One claim of one suite."""

    claim: Claim

    @property
    def id(self) -> str:
        """The test's id."""
        return f"{self.run.suite.name}/{self.claim.id}"

    @property
    def cases(self) -> Iterable[Case]:
        """All of the suite's."""
        return self.run.suite.cases

    @property
    def verdict(self) -> Verdict:
        """What became of the claim."""
        return next(v for v in self.run.whole_record().verdicts if v.claim == self.claim.id)

    @property
    def properties(self) -> list[tuple[str, str]]:
        """What was measured and judged, once every case has run."""
        return claim_properties(self.claim, self.run.record) if self.run.is_complete else []


@dataclass(frozen=True, kw_only=True, slots=True)
class SuiteTiming(SuiteItem):
    """One case of one suite, to be timed on one device."""

    case: Case
    device: str

    @property
    def id(self) -> str:
        """The test's id."""
        return f"{self.run.suite.name}/{self.case.id}/{self.device}"


def _cases(run: Run) -> Iterable[SuiteItem]:
    return (SuiteCase(run=run, case=case) for case in run.suite.cases)


def _checks(run: Run) -> Iterable[SuiteItem]:
    from pfactor_bench.pipeline.checkable import checkable

    return (SuiteCheck(run=run, entry=entry) for entry in checkable(run.suite))


def _audits(run: Run) -> Iterable[SuiteItem]:
    from pfactor_bench.auditing.regimes import audited_cases

    return (SuiteAudit(run=run, case=case) for case in audited_cases(run.suite.cases).values())


def _claims(run: Run) -> Iterable[SuiteItem]:
    return (SuiteClaim(run=run, claim=claim) for claim in run.suite.claims)


def _timings(run: Run) -> Iterable[SuiteItem]:
    return (
        SuiteTiming(run=run, case=case, device=device)
        for case in run.suite.cases
        for device in _DEVICES
    )


#: By the argument that a test asks for: what a suite has of it.
MAKERS: dict[str, Callable[[Run], Iterable[SuiteItem]]] = {
    "suite_case": _cases,
    "suite_check": _checks,
    "suite_audit": _audits,
    "suite_claim": _claims,
    "suite_timing": _timings,
}

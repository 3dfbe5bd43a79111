"""The pytest plugin: parametrises tests over whatever the suites declare, and writes the reports.

A test asks for one of five arguments and is run once for each thing it names:

``suite_case``
    a `SuiteCase`: one regime with one seed;
``suite_check``
    a `SuiteCheck`: one leakage check;
``suite_audit``
    a `SuiteAudit`: one regime, audited as if it were a stranger's study;
``suite_claim``
    a `SuiteClaim`: one claim;
``suite_timing``
    a `SuiteTiming`: one case on one device.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from pfactor_bench.errors import PfactorBenchError
from pfactor_bench.files import REPORTS
from pfactor_bench.plugin.machine import (  # noqa: F401 - pytest looks for hooks in this module
    pytest_benchmark_compare_machine_info,
    pytest_benchmark_update_machine_info,
)
from pfactor_bench.plugin.session import SuiteRun
from pfactor_bench.publish.exports.properties import claim_properties, finding_properties
from pfactor_bench.publish.exports.summary import append_step_summary, summary_text, verdict_summary

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from pfactor_bench.auditing.audit import Audit
    from pfactor_bench.checks import CatalogueEntry
    from pfactor_bench.types import Case, Claim, Finding, Verdict

__all__ = ["SuiteAudit", "SuiteCase", "SuiteCheck", "SuiteClaim", "SuiteRun", "SuiteTiming"]

_RUNS = pytest.StashKey[dict[Path, "SuiteRun"]]()
_DEVICES = ("cpu", "cuda")
#: Lies beside the suites and is none.
_LEDGER = "expected_failures.yaml"


class _Item(Protocol):
    """What a test is parametrised over."""

    @property
    def id(self) -> str: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class SuiteCase:
    """One regime with one seed of one suite."""

    run: SuiteRun
    case: Case

    @property
    def id(self) -> str:
        """The test's id."""
        return f"{self.run.suite.name}/{self.case.id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class SuiteCheck:
    """One leakage check of one suite."""

    run: SuiteRun
    entry: CatalogueEntry

    @property
    def id(self) -> str:
        """The test's id."""
        return f"{self.run.suite.name}/{self.entry.code}"

    @property
    def finding(self) -> Finding:
        """What the check found."""
        return next(f for f in self.run.record.findings if f.code == self.entry.code)


@dataclass(frozen=True, kw_only=True, slots=True)
class SuiteAudit:
    """One regime of one suite, to be audited from the first of its seeds."""

    run: SuiteRun
    case: Case

    @property
    def id(self) -> str:
        """The test's id."""
        return f"{self.run.suite.name}/{self.case.regime}/audit"

    def audit(self) -> Audit:
        """Train the regime on changed cohorts, and return what that brought to light."""
        from pfactor_bench.auditing.regimes import audit_regime

        return audit_regime(self.run.prepared, self.case)


@dataclass(frozen=True, kw_only=True, slots=True)
class SuiteClaim:
    """One claim of one suite."""

    run: SuiteRun
    claim: Claim

    @property
    def id(self) -> str:
        """The test's id."""
        return f"{self.run.suite.name}/{self.claim.id}"

    @property
    def verdict(self) -> Verdict:
        """What became of the claim."""
        return next(v for v in self.run.record.verdicts if v.claim == self.claim.id)


@dataclass(frozen=True, kw_only=True, slots=True)
class SuiteTiming:
    """One case of one suite, to be timed on one device."""

    run: SuiteRun
    case: Case
    device: str

    @property
    def id(self) -> str:
        """The test's id."""
        return f"{self.run.suite.name}/{self.case.id}/{self.device}"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that choose suites, data, device and where reports go."""
    group = parser.getgroup("pfactor-bench", "suites of pfactor-bench")
    group.addoption(
        "--suite",
        action="append",
        type=Path,
        metavar="PATH",
        help="a suite file to run; may be given more than once "
        "(default: the quick ones beside the tests)",
    )
    group.addoption(
        "--suite-data",
        type=Path,
        metavar="DIR",
        help="folder that holds the datasets (default: $PFACTOR_BENCH_DATA)",
    )
    group.addoption(
        "--suite-out",
        type=Path,
        default=REPORTS,
        metavar="DIR",
        help=f"folder that gets one report per suite (default: {REPORTS})",
    )
    group.addoption(
        "--suite-device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where models are trained (default: a GPU if there is one)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Load the suites that were asked for, so that a broken one is a usage error."""
    config.stash[_RUNS] = {}
    for path in config.getoption("--suite") or ():
        _add_run(config, path)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each case, check, audit, claim or timing of the suites."""
    makers: dict[str, Callable[[SuiteRun], Iterable[_Item]]] = {
        "suite_case": _suite_cases,
        "suite_check": _suite_checks,
        "suite_audit": _suite_audits,
        "suite_claim": _suite_claims,
        "suite_timing": _suite_timings,
    }
    for name, maker in makers.items():
        if name in metafunc.fixturenames:
            runs = _runs(metafunc.config, metafunc.definition.path.parent)
            items = [item for run in runs for item in maker(run)]
            metafunc.parametrize(name, items, ids=[item.id for item in items])


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note which cases the tests that were chosen will ask for."""
    for value in (value for item in session.items for value in _parametrised(item)):
        if isinstance(value, SuiteCase):
            value.run.want([value.case])
        elif isinstance(value, SuiteCheck | SuiteClaim):
            value.run.want(value.run.suite.cases)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the report of every suite that ran to its end."""
    for run in session.config.stash[_RUNS].values():
        if run.is_complete:
            run.publish()
            append_step_summary(summary_text(run.record))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, object, object]:
    """Keep what a claim or a check found among the properties of its test, as JUnit writes them."""
    for value in _parametrised(item):
        known = {name for name, _ in item.user_properties}
        item.user_properties += [row for row in _properties(value) if row[0] not in known]
    return (yield)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what became of each suite, in a line or two, and where its report is."""
    lines = [line for run in config.stash[_RUNS].values() if run.is_begun for line in _summary(run)]
    if lines:
        terminalreporter.section("pfactor-bench")
    for line in lines:
        terminalreporter.write_line(line)


def _parametrised(item: pytest.Item) -> Iterable[object]:
    """Return what a test is run with."""
    callspec = getattr(item, "callspec", None)
    return callspec.params.values() if callspec else ()


def _properties(value: object) -> list[tuple[str, str]]:
    """Return what is known of a claim or a check, without computing anything for it."""
    if isinstance(value, SuiteClaim) and value.run.is_complete:
        return claim_properties(value.claim, value.run.record)
    if isinstance(value, SuiteCheck) and value.run.is_complete:
        return finding_properties(value.finding)
    return []


def _summary(run: SuiteRun) -> Iterator[str]:
    if not run.is_complete:
        yield f"{run.suite.name}: no report, since not every case ran"
        return
    for line in verdict_summary(run.record):
        yield f"{run.suite.name}: {line}"
    yield f"{run.suite.name}: report in {run.out / 'report.md'}"


def _runs(config: pytest.Config, folder: Path) -> list[SuiteRun]:
    """Return the suites that were asked for, else the quick ones in `folder`; each loads once."""
    runs = config.stash[_RUNS]
    if not config.getoption("--suite"):
        for path in sorted(folder.glob("*.yaml")):
            if path not in runs and path.name != _LEDGER:
                _add_run(config, path)
        return [run for run in runs.values() if run.suite.quick]
    return list(runs.values())


def _add_run(config: pytest.Config, path: Path) -> None:
    from pfactor_bench.config import load_suite

    try:
        suite = load_suite(path)
    except PfactorBenchError as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[_RUNS][path] = SuiteRun(
        suite,
        out=config.getoption("--suite-out") / suite.name,
        data_dir=config.getoption("--suite-data"),
        device=config.getoption("--suite-device"),
    )


def _suite_cases(run: SuiteRun) -> Iterable[SuiteCase]:
    return (SuiteCase(run=run, case=case) for case in run.suite.cases)


def _suite_checks(run: SuiteRun) -> Iterable[SuiteCheck]:
    from pfactor_bench.checks import catalogue

    return (SuiteCheck(run=run, entry=entry) for entry in catalogue())


def _suite_audits(run: SuiteRun) -> Iterable[SuiteAudit]:
    first = {case.regime: case for case in reversed(run.suite.cases)}
    return (SuiteAudit(run=run, case=first[regime]) for regime in reversed(first))


def _suite_claims(run: SuiteRun) -> Iterable[SuiteClaim]:
    return (SuiteClaim(run=run, claim=claim) for claim in run.suite.claims)


def _suite_timings(run: SuiteRun) -> Iterable[SuiteTiming]:
    return (
        SuiteTiming(run=run, case=case, device=device)
        for case in run.suite.cases
        for device in _DEVICES
    )

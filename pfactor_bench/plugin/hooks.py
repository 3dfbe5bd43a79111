"""The pytest plugin: parametrises tests over whatever the suites declare, and writes the reports.

A suite's file that is named on the command line is a file of tests. Any other test may ask for one
of five arguments, and is run once for each thing, of `pfactor_bench.plugin.items`, that it names:

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

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pfactor_bench.errors import PfactorBenchError
from pfactor_bench.files import REPORTS
from pfactor_bench.plugin.collect import SuiteFile, has_suite_shape
from pfactor_bench.plugin.items import MAKERS, SuiteItem
from pfactor_bench.plugin.machine import (  # noqa: F401 - pytest looks for hooks in this module
    pytest_benchmark_compare_machine_info,
    pytest_benchmark_update_machine_info,
)
from pfactor_bench.plugin.packages import pytest_collection_modifyitems  # noqa: F401 - the same
from pfactor_bench.publish.exports.summary import append_step_summary, summary_text, verdict_summary

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from pfactor_bench.pipeline.stages import Run

_RUNS = pytest.StashKey[dict[Path, "Run"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that choose suites, data, device and where reports go."""
    group = parser.getgroup("pfactor-bench", "suites of pfactor-bench")
    group.addoption(
        "--suite",
        action="append",
        metavar="SUITE",
        help="a suite to run, by file or name; may be given more than once "
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
    for named in config.getoption("--suite") or ():
        _run(config, named)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> SuiteFile | None:
    """Take a suite's file for tests where it was named itself: a folder may hold others' files."""
    is_named = file_path.suffix in {".yaml", ".yml"} and parent.session.isinitpath(file_path)
    if not is_named or not has_suite_shape(file_path):
        return None
    file: SuiteFile = SuiteFile.from_parent(parent, path=file_path)
    return file


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each case, check, audit, claim or timing of the suites."""
    for name, maker in MAKERS.items():
        if name in metafunc.fixturenames:
            items = [item for run in _runs(metafunc) for item in maker(run)]
            metafunc.parametrize(name, items, ids=[item.id for item in items])


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note which cases the tests that were chosen will ask for."""
    for item in (item for test in session.items for item in _items(test)):
        item.run.want(item.cases)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the report of every suite that ran to its end."""
    for run in session.config.stash[_RUNS].values():
        if run.is_complete:
            run.publish()
            append_step_summary(summary_text(run.record))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, object, object]:
    """Keep what a claim, a check or an audit found among its test's properties, for JUnit."""
    known = {name for name, _ in item.user_properties}
    found = [row for one in _items(item) for row in one.properties]
    item.user_properties += [row for row in found if row[0] not in known]
    return (yield)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what became of each suite, in a line or two, and where its report is."""
    lines = [line for run in config.stash[_RUNS].values() if run.results for line in _summary(run)]
    if lines:
        terminalreporter.section("pfactor-bench")
    for line in lines:
        terminalreporter.write_line(line)


def _items(test: pytest.Item) -> Iterable[SuiteItem]:
    """Return what of a suite a test is about; of other tests, nothing."""
    callspec = getattr(test, "callspec", None)
    given = callspec.params.values() if callspec else ()
    return [one for one in given if isinstance(one, SuiteItem)]


def _summary(run: Run) -> Iterator[str]:
    if not run.is_complete:
        yield f"{run.suite.name}: no report, since not every case ran"
        return
    for line in verdict_summary(run.record):
        yield f"{run.suite.name}: {line}"
    yield f"{run.suite.name}: report in {run.folder / 'report.md'}"


def _runs(metafunc: pytest.Metafunc) -> list[Run]:
    """Return the suites of a test: of its own file, those asked for, else quick ones beside it."""
    config, path = metafunc.config, metafunc.definition.path
    if metafunc.definition.getparent(SuiteFile):
        return [_run(config, path)]
    if named := config.getoption("--suite"):
        return [_run(config, one) for one in named]
    beside = (one for one in sorted(path.parent.glob("*.yaml")) if has_suite_shape(one))
    return [run for run in (_run(config, one) for one in beside) if run.suite.quick]


def _run(config: pytest.Config, named: str | Path) -> Run:
    """Return a suite of this session; each is loaded once."""
    from pfactor_bench.config import load_suite
    from pfactor_bench.config.bundled import suite_file
    from pfactor_bench.execution.cases import Execution
    from pfactor_bench.pipeline.stages import Run

    runs = config.stash[_RUNS]
    try:
        path = suite_file(named).resolve()
        suite = runs[path].suite if path in runs else load_suite(named)
    except PfactorBenchError as error:
        raise pytest.UsageError(str(error)) from error
    return runs.setdefault(
        path,
        Run(
            suite,
            out=config.getoption("--suite-out") / suite.name,
            data_dir=config.getoption("--suite-data"),
            device=config.getoption("--suite-device"),
            execution=Execution(workers=None),
            # Another process of the same session finds everything finished when its turn comes.
            patience=float("inf"),
        ),
    )

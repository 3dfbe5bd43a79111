"""The subcommands ``pfactor-bench run`` and ``status``."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pfactor_bench.cli.options import (
    add_cache_argument,
    add_data_arguments,
    add_declare_argument,
    add_suite_argument,
    count_above_zero,
    set_data_environment,
)
from pfactor_bench.cli.outcome import exit_code, verdict_lines
from pfactor_bench.files import REPORTS, report_folder

if TYPE_CHECKING:
    from types import FrameType

    from pfactor_bench.config import Suite
    from pfactor_bench.execution.progress import Progress
    from pfactor_bench.records.record import Record

GROUP = "benchmark"
HELP = "run a suite and write its report; a run that was stopped goes on"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``pfactor-bench run`` takes."""
    add_suite_argument(parser)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help=f"default: {REPORTS}/<suite's name>"
    )
    add_data_arguments(parser)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    add_cache_argument(parser)
    parser.add_argument(
        "--audit",
        action=argparse.BooleanOptionalAction,
        help="look for leaks by training every regime again, a dozen times, on changed data "
        "(default: where that costs less than the run itself)",
    )
    add_declare_argument(parser)
    where = parser.add_argument_group(
        "where cases run",
        "None of these changes a result but for rounding: finished cases are kept and shared.",
    )
    where.add_argument(
        "--workers",
        type=count_above_zero,
        metavar="N",
        help="local processes; 1 uses none (default: one per core)",
    )
    where.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="a Dask scheduler such as tcp://node1:8786, whose workers see OUT under the same path "
        "(needs pfactor-bench[cluster])",
    )
    where.add_argument(
        "--attempts",
        type=count_above_zero,
        default=3,
        metavar="N",
        help="how often a case is begun whose worker dies, hangs or lacks memory (default: 3)",
    )
    where.add_argument(
        "--case-timeout",
        type=float,
        metavar="SECONDS",
        help="end a worker that takes longer for what it was given (default: no limit)",
    )


def run(options: argparse.Namespace) -> int:
    """Run a suite, say what became of its claims, and return the exit code."""
    from pfactor_bench.config import load_suite

    set_data_environment(options)
    suite = load_suite(options.suite)
    if _begins_processes(suite, options):
        from pfactor_bench.execution.processes import begin_warming

        begin_warming()
    out: Path = options.out or report_folder(suite.name)
    # A batch system that wants its node back, and `kill`, are as good as Ctrl-C.
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        record = _run(suite, out, options)
    finally:
        signal.signal(signal.SIGTERM, before)
    print(verdict_lines(record))  # noqa: T201
    print(f"report: {out / 'report.md'}")  # noqa: T201
    return exit_code(record)


# argparse names the type in its message.
count_above_zero.__name__ = "count above 0"


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _begins_processes(suite: Suite, options: argparse.Namespace) -> bool:
    from pfactor_bench.execution.cases import will_use_processes

    if options.workers == 1 or options.cluster is not None:
        return False
    return will_use_processes(suite, options.device, len(suite.cases))


def _run(suite: Suite, out: Path, options: argparse.Namespace) -> Record:
    """Run with a bar where someone watches; else say once, at the end, how it went."""
    from pfactor_bench.pipeline.run import Execution, run
    from pfactor_bench.terminal.bar import is_watched

    last: list[Progress] = []
    record = run(
        suite,
        out=out,
        data_dir=options.data,
        device=options.device,
        cache=options.cache,
        execution=Execution(
            workers=options.workers,
            cluster=options.cluster,
            attempts=options.attempts,
            seconds=options.case_timeout,
        ),
        audit=options.audit,
        declare=options.declare,
        on_progress=last.append,
    )
    if last and not is_watched():
        print(f"{last[-1].line()}, on {last[-1].where}", file=sys.stderr)  # noqa: T201
    return record

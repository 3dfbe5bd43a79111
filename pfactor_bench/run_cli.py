"""The subcommands ``pfactor-bench run`` and ``status``."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pfactor_bench.data_options import (
    add_cache_argument,
    add_data_arguments,
    set_data_environment,
)

if TYPE_CHECKING:
    import argparse
    from types import FrameType

    from pfactor_bench.config import Suite
    from pfactor_bench.execution.progress import Progress
    from pfactor_bench.record import Record

__all__ = [
    "add_run_arguments",
    "add_status_arguments",
    "count_above_zero",
    "exit_code",
    "run_suite",
    "show_status",
    "verdict_lines",
]

#: Some cases have no result.
_MISSING = 3


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``pfactor-bench run`` takes."""
    parser.add_argument("suite", type=Path, metavar="SUITE", help="a suite's YAML file")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: reports/<suite's name>")
    add_data_arguments(parser)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    add_cache_argument(parser)
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


def add_status_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``pfactor-bench status`` takes."""
    parser.add_argument(
        "run", type=Path, metavar="RUN", help="the folder that a run writes to: reports/<suite>"
    )


def run_suite(options: argparse.Namespace) -> int:
    """Run a suite, say what became of its claims, and return the exit code."""
    from pfactor_bench.config import load_suite

    set_data_environment(options)
    suite = load_suite(options.suite)
    if _begins_processes(suite, options):
        from pfactor_bench.execution.processes import begin_warming

        begin_warming()
    out: Path = options.out or Path("reports") / suite.name
    # A batch system that wants its node back, and `kill`, are as good as Ctrl-C.
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        record = _run_with_progress(suite, out, options)
    finally:
        signal.signal(signal.SIGTERM, before)
    print(verdict_lines(record))  # noqa: T201
    print(f"report: {out / 'report.md'}")  # noqa: T201
    return exit_code(record)


def show_status(options: argparse.Namespace) -> int:
    """Say how far a run is; the exit code is 3 where cases failed or wait for somebody to go on."""
    from pfactor_bench.execution.lock import is_locked
    from pfactor_bench.execution.progress import read_progress

    progress = read_progress(options.run)
    is_running = is_locked(options.run)
    print(_status_text(progress, is_running=is_running))  # noqa: T201
    is_whole = progress.done == progress.total or (is_running and not progress.failed)
    return 0 if is_whole else _MISSING


def verdict_lines(record: Record) -> str:
    """Return a line per claim, per check that found something, and per case without a result."""
    from pfactor_bench.report.text import plain

    # plain: an exception's message may hold a terminal's control sequences.
    lines = [
        f"{verdict.status:<12} {verdict.level:<6} {plain(verdict.claim)}: "
        f"{plain(verdict.explanation)}"
        for verdict in record.verdicts
    ]
    lines += [
        f"{finding.status:<12} check  {plain(finding.code)} {plain(finding.title)}: "
        f"{plain(finding.explanation)}"
        for finding in record.findings
        if finding.status in {"fail", "error"}
    ]
    lines += [
        f"{'missing':<12} case   {plain(case['id'])}: {plain(case['reason'])}"
        for case in record.missing
    ]
    return "\n".join(lines)


def exit_code(record: Record) -> int:
    """Return 3 where cases have no result, else 1 for a leak or a gate that does not hold."""
    from pfactor_bench.claims import gate_failures

    if record.missing:
        return _MISSING
    leaks = any(finding.status in {"fail", "error"} for finding in record.findings)
    return int(leaks or bool(gate_failures(record.verdicts)))


def count_above_zero(text: str) -> int:
    """Return a number of things that an option gives, for argparse to refuse others."""
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


# argparse names the type in its message.
count_above_zero.__name__ = "count above 0"


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _begins_processes(suite: Suite, options: argparse.Namespace) -> bool:
    from pfactor_bench.dispatch import will_use_processes

    if options.workers == 1 or options.cluster is not None:
        return False
    return will_use_processes(suite, options.device, len(suite.cases))


def _status_text(progress: Progress, *, is_running: bool) -> str:
    from pfactor_bench.report.text import plain

    where = f"process {progress.pid} on {progress.host}"
    if is_running:
        lines = [f"running ({where}, {progress.where}): {progress.line()}"]
    elif progress.done + len(progress.failed) == progress.total:
        lines = [f"finished: {progress.line()}"]
    else:
        lines = [f"stopped ({where} is gone): {progress.line()}"]
    lines.append(f"last change: {progress.updated}")
    if is_running and progress.running:
        lines += ["", "under way:", *(f"  {plain(case)}" for case in progress.running)]
    if progress.failed:
        lines += ["", "failed:"]
        lines += [f"  {plain(case)}: {plain(why)}" for case, why in progress.failed.items()]
    if not is_running and progress.done < progress.total:
        lines += ["", f"to go on: {plain(progress.command)}"]
    return "\n".join(lines)


def _run_with_progress(suite: Suite, out: Path, options: argparse.Namespace) -> Record:
    from tqdm import tqdm

    from pfactor_bench.pipeline import Execution, run

    execution = Execution(
        workers=options.workers,
        cluster=options.cluster,
        attempts=options.attempts,
        seconds=options.case_timeout,
    )
    # None lets tqdm ask whether somebody is watching; a CI log is nobody, and gets one line.
    quiet = True if os.environ.get("CI") else None
    with tqdm(total=len(suite.cases), unit="case", disable=quiet, desc="loading") as bar:
        last: list[Progress] = []

        def show(progress: Progress) -> None:
            last[:] = [progress]
            bar.n = progress.done + len(progress.failed)
            failed = f"{len(progress.failed)} failed" if progress.failed else ""
            bar.set_description(", ".join(progress.running[:2]) or "cases", refresh=False)
            bar.set_postfix_str(failed, refresh=False)
            bar.refresh()

        record = run(
            suite,
            out=out,
            data_dir=options.data,
            device=options.device,
            cache=options.cache,
            execution=execution,
            on_progress=show,
            on_epoch=bar.refresh,
        )
    if bar.disable and last:
        print(f"{last[0].line()}, on {last[0].where}", file=sys.stderr)  # noqa: T201
    return record

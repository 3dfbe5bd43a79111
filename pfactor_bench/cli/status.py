"""The subcommand ``pfactor-bench status``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pfactor_bench.cli.outcome import MISSING
from pfactor_bench.files import REPORTS

if TYPE_CHECKING:
    import argparse

    from pfactor_bench.execution.progress import Progress

GROUP = "benchmark"
HELP = "say how far a run is"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``pfactor-bench status`` takes."""
    parser.add_argument(
        "run", type=Path, metavar="RUN", help=f"the folder that a run writes to: {REPORTS}/<suite>"
    )


def run(options: argparse.Namespace) -> int:
    """Say how far a run is; the exit code is 3 where cases failed or wait for someone to go on."""
    from pfactor_bench.execution.lock import is_locked
    from pfactor_bench.execution.progress import read_progress

    progress = read_progress(options.run)
    is_running = is_locked(options.run)
    print(_status_text(progress, is_running=is_running))  # noqa: T201
    is_whole = progress.done == progress.total or (is_running and not progress.failed)
    return 0 if is_whole else MISSING


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

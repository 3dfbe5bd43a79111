"""The subcommand ``pfactor-bench render``."""

from __future__ import annotations

import argparse
from pathlib import Path

from pfactor_bench.cli.options import folder_of

GROUP = "stored runs"
HELP = "write report and figure of a stored record again"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``pfactor-bench render`` takes."""
    parser.add_argument("record", type=Path, metavar="RECORD", help="record.json or its folder")


def run(options: argparse.Namespace) -> int:
    """Write report and figure of a stored record again."""
    from pfactor_bench.files import ensure_writable
    from pfactor_bench.records.record import read_record
    from pfactor_bench.report import draw_figures_side_by_side, render

    record, folder = read_record(options.record), folder_of(options.record)
    ensure_writable(folder)
    print(render(record, folder, draw=draw_figures_side_by_side))  # noqa: T201
    return 0

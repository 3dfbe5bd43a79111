"""The subcommand ``pfactor-bench judge``."""

from __future__ import annotations

import argparse
from pathlib import Path

from pfactor_bench.cli.options import folder_of
from pfactor_bench.cli.outcome import exit_code, verdict_lines

GROUP = "stored runs"
HELP = "judge a stored record again, perhaps by other claims; trains nothing"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``pfactor-bench judge`` takes."""
    parser.add_argument("record", type=Path, metavar="RECORD", help="record.json or its folder")
    parser.add_argument(
        "--suite",
        metavar="SUITE",
        help="take the claims from this suite instead: its YAML file, or its name",
    )


def run(options: argparse.Namespace) -> int:
    """Judge a stored record again and return the exit code."""
    from dataclasses import replace

    from pfactor_bench.claims import judge
    from pfactor_bench.records.record import read_record, write_record

    record = read_record(options.record)
    if options.suite:
        from pfactor_bench.config import load_suite

        record = replace(record, claims=load_suite(options.suite).claims)
    record = record.judged(judge(record.claims, record.measurements))
    write_record(record, folder_of(options.record))
    print(verdict_lines(record))  # noqa: T201
    return exit_code(record)

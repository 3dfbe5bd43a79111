"""The subcommand ``pfactor-bench remeasure``."""

from __future__ import annotations

import argparse
from pathlib import Path

GROUP = "stored runs"
HELP = "compute a stored run's numbers again from its predictions; trains nothing"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``pfactor-bench remeasure`` takes."""
    parser.description = (
        "Compute every number of a stored run again from its predictions, judge its claims and "
        "write its report, without training: for reports of an earlier version, whose intervals "
        "were made otherwise. The cohort must be at hand and unchanged. What checks found and how "
        "long training took stays as the run left it."
    )
    parser.add_argument("folder", type=Path, metavar="REPORT", help="the report's folder")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder that holds the datasets (default: $PFACTOR_BENCH_DATA)",
    )


def run(args: argparse.Namespace) -> int:
    """Measure again, print what ``run`` prints at its end, and return its exit code.

    Raises
    ------
    PfactorBenchError
        If the report is incomplete, or cohort or split are no longer those of the run.
    """
    from pfactor_bench.cli.outcome import exit_code, verdict_lines
    from pfactor_bench.pipeline.remeasure import remeasure

    record = remeasure(args.folder, data_dir=args.data)
    print(verdict_lines(record))  # noqa: T201
    print(f"report: {args.folder / 'report.md'}")  # noqa: T201
    return exit_code(record)

"""The subcommand ``pfactor-bench suites``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from pfactor_bench.config import Suite

GROUP = "benchmark"
HELP = "list the suites that `run` and others find by name"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``pfactor-bench suites`` takes."""
    parser.description = (
        "List the suites that come with the package: name, whether `pytest suites` runs it without "
        "being asked to, the data that it looks for in the folder that --data names, and title."
    )


def run(_options: argparse.Namespace) -> int:
    """Print a line for every suite and return the exit code."""
    from pfactor_bench.config import bundled_suites, load_suite

    rows = [_row(load_suite(name)) for name in bundled_suites()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())  # noqa: T201 - this is the command's answer
    return 0


def _row(suite: Suite) -> tuple[str, str, str, str]:
    return suite.name, "quick" if suite.quick else "", _data(suite), suite.title


def _data(suite: Suite) -> str:
    """Return the kinds of cohort that are read from disk: the suite's own and its source's."""
    from pfactor_bench.cohorts import reads_data_folder

    recipes = [suite.cohort, getattr(suite.source, "cohort", None)]
    kinds = dict.fromkeys(one.kind for one in recipes if one and reads_data_folder(one.kind))
    return f"needs {' and '.join(kinds)}" if kinds else "no data"

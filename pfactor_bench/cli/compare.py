"""The subcommand ``pfactor-bench compare``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from pfactor_bench.errors import OutputError

GROUP = "stored runs"
HELP = "set reports beside each other"


_DESCRIPTION = """\
Set every later report beside the first: claims and checks that changed, paired
differences subject by subject, timing on the same machine, and what else differs.
Prints Markdown, fit for a comment under a pull request.
"""

_EXAMPLE = """\
for example, for a pull request:
  pfactor-bench compare main/reports/eegmat reports/eegmat --fail-on regression --out comment.md
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``pfactor-bench compare`` takes."""
    parser.description, parser.epilog = _DESCRIPTION, _EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("first", type=Path, metavar="A", help="record.json or its folder")
    parser.add_argument(
        "others", type=Path, nargs="+", metavar="B", help="what is set beside it, one or more"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write it there instead")
    parser.add_argument(
        "--fail-on",
        choices=("regression",),
        help="exit with 1 if a claim or check got worse, or an error grew beyond its interval",
    )


def run(options: argparse.Namespace) -> int:
    """Print or write the comparison and return the exit code.

    Raises
    ------
    RecordError
        If a record or the arrays beside it cannot be read.
    OutputError
        If the file cannot be written.
    """
    from pfactor_bench.files import write_atomically
    from pfactor_bench.publish.compare.words import comparison_text
    from pfactor_bench.records.record import read_arrays, read_record

    paths: list[Path] = [options.first, *options.others]
    records = [read_record(path) for path in paths]
    arrays = [read_arrays(path if path.is_dir() else path.parent) for path in paths]
    parts = list(zip(_names(paths), records, arrays, strict=True))
    compared = [comparison_text(parts[0], part) for part in parts[1:]]
    text = "\n".join(words for words, _ in compared)
    if options.out is None:
        print(text, end="")  # noqa: T201 - this is the command's answer
    else:
        try:
            write_atomically(options.out, text.encode())
        except OSError as error:
            raise OutputError(
                f"cannot write the comparison {str(options.out)!r} ({error.strerror}): give "
                f"--out a file in a folder that exists"
            ) from error
    worse = any(lines for _, lines in compared)
    return int(bool(worse and options.fail_on))


def _names(paths: Sequence[Path]) -> list[str]:
    """Return what to call each report: its folder, with as many parents as tell them apart."""
    folders = [(path if path.is_dir() else path.parent).resolve().parts for path in paths]
    for depth in range(1, max(map(len, folders)) + 1):
        names = ["/".join(parts[-depth:]) for parts in folders]
        if len(set(names)) == len(set(folders)):
            break
    return names

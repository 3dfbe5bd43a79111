"""The subcommand ``pfactor-bench export``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from pfactor_bench.errors import OutputError

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record

GROUP = "stored runs"
HELP = "write a stored run as SARIF, a model card, a summary or BibTeX"


_DESCRIPTION = """\
Write a stored run in a form that other tools read: SARIF of its findings for
code scanning, a Hugging Face model card, the summary of a CI job, or a BibTeX
entry.
"""

_EXAMPLE = """\
for example, for code scanning:
  pfactor-bench export reports/case-study --format sarif --out findings.sarif
"""

_FORMATS = ("sarif", "model-card", "summary", "bibtex")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``pfactor-bench export`` takes."""
    parser.description, parser.epilog = _DESCRIPTION, _EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("record", type=Path, metavar="RECORD", help="record.json or its folder")
    parser.add_argument("--format", choices=_FORMATS, required=True)
    parser.add_argument("--regime", metavar="LABEL", help="of a model card (default: the first)")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write it there, not to the screen"
    )


def run(options: argparse.Namespace) -> int:
    """Print or write a record in another form and return the exit code.

    Raises
    ------
    RecordError
        If there is no record.
    UnknownNameError
        If it has no regime of that name.
    OutputError
        If the file cannot be written.
    """
    from pfactor_bench.files import write_atomically
    from pfactor_bench.records.record import read_record

    text = _exported(read_record(options.record), options)
    if options.out is None:
        print(text, end="")  # noqa: T201 - this is the command's answer
        return 0
    try:
        write_atomically(options.out, text.encode())
    except OSError as error:
        raise OutputError(
            f"cannot write {str(options.out)!r} ({error.strerror}): give --out a file in a folder "
            f"that exists"
        ) from error
    return 0


def _exported(record: Record, options: argparse.Namespace) -> str:
    if options.format == "sarif":
        from pfactor_bench.publish.exports.sarif import sarif_log

        log = sarif_log(record.findings, artifact=_suite_file(record), target=record.suite["name"])
        return json.dumps(log, indent=1, ensure_ascii=True, allow_nan=False) + "\n"
    if options.format == "model-card":
        from pfactor_bench.publish.exports.model_card import model_card

        return model_card(record, regime=options.regime)
    if options.format == "summary":
        from pfactor_bench.publish.exports.summary import summary_text

        return summary_text(record)
    from pfactor_bench.report.sections.citation import bibtex

    return bibtex(record) + "\n"


def _suite_file(record: Record) -> str:
    """Return the suite's file as the command that ran it named it, else its name alone."""
    words = str(record.provenance.get("command") or "").split()
    named = [word for word in words if word.endswith((".yaml", ".yml"))]
    return named[0] if named else str(record.suite["file"])

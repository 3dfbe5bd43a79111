"""The subcommand ``pfactor-bench publish``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pfactor_bench.publish.site.gather import PublishedReport

GROUP = "stored runs"
HELP = "write a static site of reports"


_DESCRIPTION = """\
Write a static site of reports: a leaderboard, the history that git knows, and a
page per report, with JSON beside each. It asks nothing of a server and loads
nothing from elsewhere: open DIR/index.html, or serve DIR.
"""

_EXAMPLE = """\
for example, then open site/index.html:
  pfactor-bench publish reports --site site
"""

#: What of a report's folder is shown or offered; everything else stays at home.
_COPIED = ("*.png", "*.svg", "*.json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``pfactor-bench publish`` takes."""
    parser.description, parser.epilog = _DESCRIPTION, _EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "reports", type=Path, metavar="REPORTS", help="folder that holds the reports' folders"
    )
    parser.add_argument(
        "--site", type=Path, required=True, metavar="DIR", help="folder of the site"
    )
    parser.add_argument("--title", default="pfactor-bench reports", help="default: %(default)s")


def run(options: argparse.Namespace) -> int:
    """Write the site and return the exit code.

    Raises
    ------
    RecordError
        If there is no report, or a record is broken.
    OutputError
        If the site cannot be written.
    """
    from pfactor_bench.publish.site.gather import earlier_records, gather_reports
    from pfactor_bench.publish.site.pages import site_pages
    from pfactor_bench.publish.site.write import write_site

    reports = gather_reports(options.reports)
    histories = {report.name: earlier_records(report) for report in reports}
    pages = site_pages(reports, histories, title=options.title)
    for report in reports:
        pages |= _copies(report)
    write_site(pages, options.site)
    print(options.site / "index.html")  # noqa: T201 - this is the command's answer
    return 0


def _copies(report: PublishedReport) -> dict[str, bytes]:
    return {
        f"reports/{report.name}/{path.name}": path.read_bytes()
        for pattern in _COPIED
        for path in sorted(report.folder.glob(pattern))
        if path.is_file() and not path.name.startswith(".")
    }

"""What a site is made of: the reports in a folder, and their earlier versions in git."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pfactor_bench.errors import RecordError
from pfactor_bench.records.record import RECORD_FILE, Record, read_record, record_of

REPORT_FILE = "report.md"

#: What becomes part of an address.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_MOST_VERSIONS = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedReport:
    """One folder with a ``report.md``.

    Parameters
    ----------
    name
        Of the folder; part of the page's address.
    folder
        Where it is.
    text
        The report.
    record
        What it was made from; None where that is not the record of a suite.
    """

    name: str
    folder: Path
    text: str
    record: Record | None


def gather_reports(root: Path) -> list[PublishedReport]:
    """Return every report below a folder, by name.

    Raises
    ------
    RecordError
        If there is none, a record is broken, or a folder's name does not fit into an address.
    """
    folders = sorted(path.parent for path in root.glob(f"*/{REPORT_FILE}"))
    if not folders:
        raise RecordError(
            f"no report in {str(root)!r}: give a folder whose folders hold a {REPORT_FILE}, such "
            f"as reports"
        )
    return [_report(folder) for folder in folders]


def earlier_records(report: PublishedReport) -> list[Record]:
    """Return the versions of a report's record that git knows, oldest first, the present one last.

    Outside git there is only the present one. Versions that cannot be read are left out: they were
    written by a version that released nothing.
    """
    if report.record is None:
        return []
    found: list[Record] = []
    for commit in reversed(_commits(report.folder)):
        text = _git(report.folder, "show", f"{commit}:./{RECORD_FILE}")
        try:
            found.append(record_of(json.loads(text or "")))
        except (ValueError, KeyError, TypeError):
            continue
    # One run may have been committed again, migrated or judged by other claims.
    by_run: dict[tuple[Any, ...], Record] = {_run_of(record): record for record in found}
    by_run[_run_of(report.record)] = report.record
    return list(by_run.values())


def _report(folder: Path) -> PublishedReport:
    if _NAME.fullmatch(folder.name) is None:
        raise RecordError(
            f"report folder {folder.name!r} cannot be part of an address: use letters, digits, "
            f"'.', '_' and '-'"
        )
    path = folder / REPORT_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"cannot read the report {str(path)!r}: {error}") from error
    return PublishedReport(name=folder.name, folder=folder, text=text, record=_record(folder))


def _record(folder: Path) -> Record | None:
    """Return the record of a suite; None where another kind of record or none stands there."""
    path = folder / RECORD_FILE
    if not path.exists():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RecordError(f"cannot read the record {str(path)!r}: {error}") from error
    is_a_suites = isinstance(data, dict) and "suite" in data and "measurements" in data
    return read_record(path) if is_a_suites else None


def _run_of(record: Record) -> tuple[Any, ...]:
    facts = record.provenance
    return facts.get("date"), facts.get("commit"), record.suite["sha256"]


def _commits(folder: Path) -> list[str]:
    listed = _git(folder, "log", f"--max-count={_MOST_VERSIONS}", "--format=%H", "--", RECORD_FILE)
    return (listed or "").split()


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git says in a folder; None where it has nothing to say."""
    try:
        return subprocess.run(  # noqa: S603 - fixed arguments
            ["git", *arguments],  # noqa: S607 - git is looked up as the user would
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError, UnicodeDecodeError):
        return None

"""``pfactor-bench audit``: arguments, progress, and the table at the end."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from pfactor_bench.auditing.report import VERDICTS, audit_report, worst_first
from pfactor_bench.cli.options import add_data_arguments, add_declare_argument, set_data_environment
from pfactor_bench.errors import OutputError
from pfactor_bench.report.text import plain

if TYPE_CHECKING:
    import argparse

    from pfactor_bench.auditing.result import Audit

GROUP = "audit"
HELP = "look for leaks in a study, a model, an estimator or saved predictions"


_EPILOG = """\
exit codes: 0 no leak found; 1 at least one check failed; 2 usage or input error; 3 the audit could
not decide. No leak found is not the same as no leak: `pfactor-bench checks` says what each check
cannot see.
"""


_WIDTH = 100

_EFFORTS = {"quick": "one fold, one draw of each change", "thorough": "all folds, many draws"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``pfactor-bench audit`` to a parser."""
    parser.epilog = _EPILOG
    parser.add_argument(
        "target",
        metavar="TARGET",
        help="path/file.py:study, package.module:study, package.module:factory, the name of a "
        "braindecode model, or predictions as .csv, .tsv, .parquet, .npy or .npz: a row per window "
        "or subject, its columns found by common names",
    )
    parser.add_argument(
        "--cohort",
        metavar="KIND|SUITE",
        default="synthetic",
        help="a kind of cohort, or a suite, by file or name, whose cohort to take "
        "(default: synthetic)",
    )
    add_data_arguments(parser)
    effort = parser.add_mutually_exclusive_group()
    for name, help_text in _EFFORTS.items():
        effort.add_argument(
            f"--{name}", action="store_const", dest="effort", const=name, help=help_text
        )
    parser.set_defaults(effort="default")
    parser.add_argument(
        "--only", metavar="LK…", nargs="+", help="run these checks only, such as LK003 LK101"
    )
    parser.add_argument(
        "--claims",
        metavar="FILE",
        type=Path,
        help="numbers claimed of predictions.csv, YAML or JSON: 'r: 0.21' or 'seeds: [42, 43]'",
    )
    parser.add_argument(
        "--columns",
        metavar="KEY=COLUMN,…",
        help="what the columns of predictions are called, such as sample_id=id,y_pred=prediction",
    )
    add_declare_argument(parser)
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the findings as JSON")
    parser.add_argument(
        "--sarif", metavar="FILE", type=Path, help="and as SARIF, for code scanning"
    )
    parser.add_argument("--out", metavar="DIR", type=Path, help="write a report into a folder")
    parser.add_argument(
        "--timeout", metavar="S", type=float, help="seconds for one run of the target (600)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the target and of all changes")


def run(options: argparse.Namespace) -> int:
    """Audit what was asked for, tell what was found, and return the exit code."""
    from pfactor_bench.auditing.targets import refuse_name

    refuse_name(options.target)  # before anything is imported or loaded that takes its time
    from pfactor_bench.auditing.artefacts import read_claims
    from pfactor_bench.auditing.audit import audit
    from pfactor_bench.auditing.columns import read_choice
    from pfactor_bench.files import ensure_writable, write_atomically

    columns = None if options.columns is None else read_choice(options.columns)
    set_data_environment(options)
    if options.out is not None:
        ensure_writable(options.out)
    for path in filter(None, (options.json, options.sarif)):
        ensure_writable(path.parent)
        if path.is_dir():
            raise OutputError(f"{str(path)!r} is a folder: name a file to write the findings into")
    result = audit(
        options.target,
        options.cohort,
        data_dir=options.data,
        effort=options.effort,
        only=options.only,
        timeout=options.timeout,
        seed=options.seed,
        claims=None if options.claims is None else read_claims(options.claims),
        columns=columns,
        declare=options.declare,
    )
    print(_table(result))  # noqa: T201
    if options.json is not None:
        write_atomically(options.json, result.to_json().encode())
    if options.sarif is not None:
        write_atomically(options.sarif, _sarif(result).encode())
    if options.out is not None:
        write_atomically(options.out / "audit.json", result.to_json().encode())
        write_atomically(options.out / "audit.md", audit_report(result).encode())
    return result.exit_code


def _table(result: Audit) -> str:
    """Return what was read, then what was found, the worst last, beside the verdict."""
    lines = [
        *(plain(note, limit=5000) for note in result.notes),
        _line_of(result, "not_applicable", "did not apply"),
        _line_of(result, "pass", "passed"),
    ]
    for finding in reversed(worst_first(result)):
        if finding.status in {"warn", "error", "fail"}:
            lines.append(f"{finding.status:<6} {finding.code}  {plain(finding.title)}")
            said = plain(f"{finding.explanation.rstrip('.')}. {finding.fix}", limit=5000)
            lines += textwrap.wrap(said, _WIDTH, initial_indent=" " * 7, subsequent_indent=" " * 7)
    verdict = f"{plain(result.target)}: {result.verdict}, {VERDICTS[result.verdict]}"
    headline = plain(result.headline, limit=5000)
    lines.append(f"{verdict}: {headline}" if headline else verdict)
    if result.reason and not result.exit_code:
        lines.append("no leak found by the checks asked for, which is not the same as clean")
    if result.reason:
        lines.append(plain(result.reason, limit=5000))
    return "\n".join(filter(None, lines))


def _line_of(result: Audit, status: str, word: str) -> str:
    codes = [finding.code for finding in result.findings if finding.status == status]
    return f"{len(codes)} {word}: {' '.join(codes)}" if codes else ""


def _sarif(result: Audit) -> str:
    from pfactor_bench.publish.exports.sarif import sarif_log

    # A target is file.py:name, module:name, a model's name or a table.
    artifact = result.target.rpartition(":")[0] or result.target
    log = sarif_log(result.findings, artifact=artifact, target=result.target)
    return json.dumps(log, indent=1, allow_nan=False) + "\n"

"""``pfactor-bench audit``: arguments, progress, and the table at the end."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from pfactor_bench.auditing.report import VERDICTS, audit_report, worst_first
from pfactor_bench.cli.options import add_data_arguments, set_data_environment
from pfactor_bench.errors import ConfigError, OutputError
from pfactor_bench.report.text import plain

if TYPE_CHECKING:
    import argparse

    from pfactor_bench.auditing.audit import Audit
    from pfactor_bench.types import Finding, Ingredient

__all__ = ["GROUP", "HELP", "add_arguments", "run"]

GROUP = "audit"
HELP = "look for leaks in a study, a model, an estimator or saved predictions"


_EPILOG = """\
exit codes: 0 no leak found; 1 at least one check failed; 2 usage or input error; 3 the audit could
not decide. No leak found is not the same as no leak: `pfactor-bench checks` says what each check
cannot see.
"""


_WIDTH = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``pfactor-bench audit`` to a parser."""
    parser.epilog = _EPILOG
    parser.add_argument(
        "target",
        metavar="TARGET",
        help="path/file.py:study, package.module:study, package.module:factory, the name of a "
        "braindecode model, or predictions.csv",
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
    effort.add_argument("--quick", action="store_true", help="one fold, one draw of each change")
    effort.add_argument("--thorough", action="store_true", help="all folds, many draws")
    parser.add_argument(
        "--only", metavar="LK…", nargs="+", help="run these checks only, such as LK003 LK101"
    )
    parser.add_argument(
        "--claims",
        metavar="FILE",
        type=Path,
        help="numbers claimed of predictions.csv, YAML or JSON: 'r: 0.21' or 'seeds: [42, 43]'",
    )
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
    from pfactor_bench.auditing.artefacts import read_claims
    from pfactor_bench.auditing.audit import DEFAULT, QUICK, THOROUGH, audit
    from pfactor_bench.cohorts import load_cohort
    from pfactor_bench.files import ensure_writable, write_atomically

    set_data_environment(options)
    if options.out is not None:
        ensure_writable(options.out)
    for path in filter(None, (options.json, options.sarif)):
        ensure_writable(path.parent)
        if path.is_dir():
            raise OutputError(f"{str(path)!r} is a folder: name a file to write the findings into")
    result = audit(
        options.target,
        load_cohort(_recipe(options.cohort), options.data),
        budget=QUICK if options.quick else THOROUGH if options.thorough else DEFAULT,
        only=options.only,
        timeout=options.timeout,
        seed=options.seed,
        claims=None if options.claims is None else read_claims(options.claims),
        on_finding=_progress,
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


def _recipe(name: str) -> Ingredient:
    """Return the recipe of a suite's cohort, or of one that needs nothing said of it."""
    from pfactor_bench.cohorts import COHORTS
    from pfactor_bench.config.named import cohort_recipe
    from pfactor_bench.config.values import needed_arguments

    recipe = cohort_recipe(name)
    if needed := needed_arguments(COHORTS[recipe.kind], recipe.args):
        raise ConfigError(
            f"cohort {name!r} needs {' and '.join(map(repr, needed))}: write them into a suite and "
            f"give its file, --cohort SUITE.yaml"
        )
    return recipe


def _progress(finding: Finding) -> None:
    print(f"{finding.code} {finding.status}", file=sys.stderr, flush=True)  # noqa: T201


def _table(result: Audit) -> str:
    lines = []
    for finding in worst_first(result):
        if finding.status in {"not_applicable", "skipped"}:
            continue
        lines.append(f"{finding.status:<6} {finding.code}  {plain(finding.title)}")
        if finding.status != "pass":
            said = plain(f"{finding.explanation.rstrip('.')}. {finding.fix}", limit=5000)
            lines += textwrap.wrap(said, _WIDTH, initial_indent=" " * 7, subsequent_indent=" " * 7)
    silent = [one.code for one in result.findings if one.status == "not_applicable"]
    if silent:
        lines.append(f"{len(silent)} checks did not apply: {' '.join(silent)}")
    lines.append(f"{plain(result.target)}: {result.verdict}, {VERDICTS[result.verdict]}")
    return "\n".join(lines)


def _sarif(result: Audit) -> str:
    from pfactor_bench.publish.exports.sarif import sarif_log

    # A target is file.py:name, module:name, a model's name or a table.
    artifact = result.target.rpartition(":")[0] or result.target
    log = sarif_log(result.findings, artifact=artifact, target=result.target)
    return json.dumps(log, indent=1, allow_nan=False) + "\n"

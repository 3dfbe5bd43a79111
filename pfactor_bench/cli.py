"""The command line. Each command imports what it needs, so that help and judging are instant."""

from __future__ import annotations

import argparse
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from pfactor_bench import __version__
from pfactor_bench.auditing.cli import add_audit_arguments, run_audit
from pfactor_bench.cohort_cli import add_cohort_arguments, run_cohort
from pfactor_bench.compare.cli import add_compare_arguments, run_compare
from pfactor_bench.errors import PfactorBenchError
from pfactor_bench.execution.montage_warning import montage_warning_ignored
from pfactor_bench.exports.cli import add_export_arguments, run_export
from pfactor_bench.learning_cli import add_learning_arguments, run_learning
from pfactor_bench.permute_cli import add_permute_arguments, run_permute
from pfactor_bench.plan_cli import add_plan_arguments, run_plan
from pfactor_bench.power_cli import add_power_arguments, run_power
from pfactor_bench.remeasure_cli import add_remeasure_arguments, run_remeasure
from pfactor_bench.run_cli import (
    add_run_arguments,
    add_status_arguments,
    exit_code,
    run_suite,
    show_status,
    verdict_lines,
)
from pfactor_bench.site.cli import add_publish_arguments, run_publish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pfactor_bench.checks import CatalogueEntry

__all__ = ["main"]

_DESCRIPTION = """\
Is a number that predicts a person's score from EEG real? pfactor-bench trains and scores models on
people they have never seen, looks for leaks, sets every score beside the train mean and its
interval, and says which claims hold.
"""

_EXIT_CODES = """\
exit codes: 0 nothing wrong; 1 a gate claim does not hold or a check found a leak; 2 bad usage or
input; 3 cases are missing; 70 pfactor-bench itself crashed; 130 interrupted
"""

#: As sysexits.h has it.
_CRASHED = 70


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments
        What was typed, without the program's name; by default what really was.
    """
    options = _parser().parse_args(arguments)
    try:
        with montage_warning_ignored():
            code: int = options.command(options)
    except PfactorBenchError as error:
        print(f"pfactor-bench: error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    except Exception:  # noqa: BLE001 - Python would end with 1, which says: a gate failed, or a leak
        traceback.print_exc()
        print(  # noqa: T201
            "pfactor-bench: this is pfactor-bench's own fault, and says nothing about what it was "
            "asked: please report it with the lines above",
            file=sys.stderr,
        )
        return _CRASHED
    except KeyboardInterrupt as stopped:
        reason = str(stopped) or "interrupted; no report was written"
        print(f"pfactor-bench: {reason}", file=sys.stderr)  # noqa: T201
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pfactor-bench",
        description=_DESCRIPTION,
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    run = commands.add_parser(
        "run", help="run a suite and write its report; a run that was stopped goes on"
    )
    add_run_arguments(run)
    run.set_defaults(command=run_suite)

    plan = commands.add_parser("plan", help="say what a suite will cost, from a timed pilot")
    add_plan_arguments(plan)
    plan.set_defaults(command=run_plan)

    status = commands.add_parser("status", help="say how far a run is")
    add_status_arguments(status)
    status.set_defaults(command=show_status)

    audit = commands.add_parser(
        "audit", help="look for leaks in a study, a model, an estimator or saved predictions"
    )
    add_audit_arguments(audit)
    audit.set_defaults(command=run_audit)

    judge = commands.add_parser(
        "judge", help="judge a stored record again, perhaps by other claims; trains nothing"
    )
    judge.add_argument("record", type=Path, metavar="RECORD", help="record.json or its folder")
    judge.add_argument("--suite", type=Path, help="take the claims from this suite instead")
    judge.set_defaults(command=_judge)

    render = commands.add_parser("render", help="write report and figure of a stored record again")
    render.add_argument("record", type=Path, metavar="RECORD", help="record.json or its folder")
    render.set_defaults(command=_render)

    compare = commands.add_parser("compare", help="set reports beside each other")
    add_compare_arguments(compare)
    compare.set_defaults(command=run_compare)

    remeasure = commands.add_parser(
        "remeasure",
        help="compute a stored run's numbers again from its predictions; trains nothing",
    )
    add_remeasure_arguments(remeasure)
    remeasure.set_defaults(command=run_remeasure)

    publish = commands.add_parser("publish", help="write a static site of reports")
    add_publish_arguments(publish)
    publish.set_defaults(command=run_publish)

    export = commands.add_parser(
        "export", help="write a stored run as SARIF, a model card, a summary or BibTeX"
    )
    add_export_arguments(export)
    export.set_defaults(command=run_export)

    checks = commands.add_parser("checks", help="list the leakage checks, or explain one")
    checks.add_argument("code", nargs="?", help="such as LK003")
    checks.set_defaults(command=_checks)

    cohort = commands.add_parser(
        "cohort", help="show what is in a cohort: people, scores, channels, fingerprint"
    )
    add_cohort_arguments(cohort)
    cohort.set_defaults(command=run_cohort)

    _add_sizing_commands(commands)

    doctor = commands.add_parser("doctor", help="say whether the installed packages work together")
    doctor.set_defaults(command=_doctor)
    return parser


def _add_sizing_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add what says how many people it takes, and what chance gives."""
    power = commands.add_parser(
        "power", help="how many people a claim needs, before recording them"
    )
    add_power_arguments(power)
    power.set_defaults(command=run_power)

    learning = commands.add_parser(
        "learning-curve", help="skill by the number of people trained on, and beyond it"
    )
    add_learning_arguments(learning)
    learning.set_defaults(command=run_learning)

    permutation = commands.add_parser(
        "permute", help="train again on scores dealt anew among people: what chance alone gives"
    )
    add_permute_arguments(permutation)
    permutation.set_defaults(command=run_permute)


def _judge(options: argparse.Namespace) -> int:
    from dataclasses import replace

    from pfactor_bench.claims import judge
    from pfactor_bench.record import read_record, write_record

    record = read_record(options.record)
    if options.suite:
        from pfactor_bench.config import load_suite

        record = replace(record, claims=load_suite(options.suite).claims)
    record = record.judged(judge(record.claims, record.measurements))
    write_record(record, _folder(options.record))
    print(verdict_lines(record))  # noqa: T201
    return exit_code(record)


def _render(options: argparse.Namespace) -> int:
    from pfactor_bench.record import ensure_writable, read_record
    from pfactor_bench.report import draw_figures_side_by_side, render

    record, folder = read_record(options.record), _folder(options.record)
    ensure_writable(folder)
    print(render(record, folder, draw=draw_figures_side_by_side))  # noqa: T201
    return 0


def _checks(options: argparse.Namespace) -> int:
    from pfactor_bench.checks import catalogue
    from pfactor_bench.errors import UnknownNameError

    entries = {entry.code: entry for entry in catalogue()}
    if options.code is None:
        for entry in entries.values():
            print(f"{entry.code}  {entry.title}")  # noqa: T201
        return 0
    if options.code not in entries:
        raise UnknownNameError("check", options.code, entries)
    print(_page(entries[options.code]))  # noqa: T201
    return 0


def _page(entry: CatalogueEntry) -> str:
    kinds = ", ".join(map(str, entry.kinds))
    parts = {
        "How it is detected": entry.detected,
        "Why it matters": entry.why,
        "How to fix it": entry.fix,
        "What it cannot see": entry.blind,
        "Source": entry.source,
    }
    text = "".join(f"\n\n{heading}\n  {body}" for heading, body in parts.items() if body)
    return f"{entry.code}  {entry.title}  (leak kind {kinds}){text}"


def _doctor(_options: argparse.Namespace) -> int:
    from pfactor_bench.doctor import diagnose

    report, healthy = diagnose()
    print(report)  # noqa: T201
    return 0 if healthy else 1


def _folder(record: Path) -> Path:
    return record if record.is_dir() else record.parent

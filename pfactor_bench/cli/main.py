"""The command line. Each command imports what it needs, so that help and judging are instant."""

from __future__ import annotations

import argparse
import io
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from pfactor_bench import cli
from pfactor_bench._version import __version__
from pfactor_bench.environment.packages import packages_needed
from pfactor_bench.errors import PfactorBenchError
from pfactor_bench.execution.montage_warning import montage_warning_ignored

_DESCRIPTION = """\
Is a number that predicts a target from EEG real? pfactor-bench trains and evaluates models on
subjects they have never seen, looks for leaks, sets every target beside the train mean and its
interval, and says which claims hold.
"""

_EXIT_CODES = """\
exit codes: 0 nothing wrong; 1 a gate claim does not hold or a check found a leak; 2 bad usage or
input; 3 cases are missing; 70 pfactor-bench itself crashed; 130 interrupted
"""

#: In the order of --help. A command says which of them it belongs to.
_GROUPS = ("audit", "benchmark", "stored runs", "sample size and chance", "installation")

#: As sysexits.h has it.
_CRASHED = 70


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments
        What was typed, without the program's name; by default what really was.
    """
    _print_what_the_terminal_can()
    options = _parser().parse_args(arguments)
    try:
        with montage_warning_ignored(), packages_needed():
            code: int = options.command.run(options)
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


def _print_what_the_terminal_can() -> None:
    """Print a question mark for what a stream cannot encode: a symbol is no reason to stop."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _parser() -> argparse.ArgumentParser:
    commands = _commands()
    parser = argparse.ArgumentParser(
        prog="pfactor-bench",
        description=_DESCRIPTION,
        epilog=f"{_overview(commands)}\n\n{_EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    # argparse lists commands in one block; the groups of the overview stand in its place.
    subparsers = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, help="one of those below"
    )
    for name, command in commands.items():
        subparser = subparsers.add_parser(name)
        command.add_arguments(subparser)
        subparser.set_defaults(command=command)
    return parser


def _commands() -> dict[str, ModuleType]:
    """Return every module beside this one that is a subcommand, by the name that is typed."""
    modules = (import_module(f"{cli.__name__}.{one.name}") for one in iter_modules(cli.__path__))
    return {
        module.__name__.rpartition(".")[2].replace("_", "-"): module
        for module in modules
        if hasattr(module, "HELP")
    }


def _overview(commands: dict[str, ModuleType]) -> str:
    width = 2 + max(map(len, commands))
    return "\n\n".join(
        "\n".join(
            [
                f"{group}:",
                *(
                    f"  {name:<{width}}{command.HELP}"
                    for name, command in commands.items()
                    if group == command.GROUP
                ),
            ]
        )
        for group in _GROUPS
    )

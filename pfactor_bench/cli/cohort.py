"""The subcommand ``pfactor-bench cohort``: look at the data before anything is trained."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pfactor_bench.cli.options import add_data_arguments, set_data_environment
from pfactor_bench.errors import ConfigError, OutputError
from pfactor_bench.types import Cohort

GROUP = "benchmark"
HELP = "show what is in a cohort: subjects, targets, channels, fingerprint"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``pfactor-bench cohort`` takes."""
    parser.add_argument(
        "cohort",
        metavar="SUITE|KIND",
        help="a suite's YAML file or name, or a kind of cohort, such as hbn",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="changes",
        help="another value for one of the cohort's keys, as YAML: --set 'releases=[R1, R2]'",
    )
    parser.add_argument(
        "--keep-reference",
        action="store_true",
        help="short for --set keep_reference=true: keep HBN's flat reference channel",
    )
    parser.add_argument("--figure", type=Path, metavar="PATH", help="draw it, too (.png, .svg)")
    add_data_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Print what is in a cohort and return the exit code.

    Raises
    ------
    ConfigError
        If there is no such cohort, or it takes no such key.
    CohortError
        If it cannot be loaded.
    OutputError
        If the figure cannot be written.
    """
    from pfactor_bench.config.named import cohort_recipe
    from pfactor_bench.report.cohort_overview import cohort_table

    if options.figure is not None and options.figure.suffix not in {".png", ".svg"}:
        raise OutputError(f"cannot draw {str(options.figure)!r}: give a path in .png or .svg")
    set_data_environment(options)
    recipe = cohort_recipe(options.cohort)
    args = {**recipe.args, **_changes(options)}
    cohort = _load(recipe.kind, args, options.data)
    print(cohort_table(cohort))  # noqa: T201 - this is the command's answer
    if options.figure is not None:
        _draw(cohort, options.figure)
        print(f"\n{options.figure}")  # noqa: T201
    return 0


def _changes(options: argparse.Namespace) -> dict[str, Any]:
    import yaml

    changes: dict[str, Any] = {"keep_reference": True} if options.keep_reference else {}
    for text in options.changes:
        key, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(
                f"--set {text!r} has no '=': give a key and a value, --set target=age"
            )
        try:
            changes[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {text!r}: the value is no YAML ({error})") from error
    return changes


def _load(kind: str, args: dict[str, Any], data_dir: Path | None) -> Cohort:
    import inspect

    from pfactor_bench.cohorts import COHORTS, load_cohort
    from pfactor_bench.config.file import FileSection
    from pfactor_bench.config.ingredient import keys_of, needed_arguments
    from pfactor_bench.config.parse import parse
    from pfactor_bench.errors import did_you_mean
    from pfactor_bench.types import Ingredient

    parameters = inspect.signature(COHORTS[kind]).parameters
    given = FileSection(file="--set", name=f"cohort {kind!r}", line=1, values=args, lines={})
    for key in args:
        if key not in parameters or key == "data_dir":
            known = set(parameters) - {"data_dir"}
            raise ConfigError(f"cohort {kind!r} takes no {key!r}{did_you_mean(key, known)}")
    needed = needed_arguments(COHORTS[kind], args)
    parse(given, keys_of(COHORTS[kind], supplied={"data_dir", *needed}))
    if needed:
        raise ConfigError(f"cohort {kind!r} needs {needed[0]!r}: add --set {needed[0]}=...")
    return load_cohort(Ingredient(kind=kind, args=args), data_dir)


def _draw(cohort: Cohort, path: Path) -> None:
    from pfactor_bench.files import write_atomically
    from pfactor_bench.report.figures.cohort_overview import draw_cohort

    try:
        write_atomically(path, draw_cohort(cohort)[path.suffix.removeprefix(".")])
    except OSError as error:
        raise OutputError(f"cannot write the figure {str(path)!r}: {error.strerror}") from error

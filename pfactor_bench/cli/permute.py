"""The subcommand ``pfactor-bench permute``."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from pfactor_bench.cli.options import (
    add_cache_argument,
    add_data_arguments,
    add_suite_argument,
    set_data_environment,
)
from pfactor_bench.errors import ConfigError
from pfactor_bench.files import REPORTS, report_folder

GROUP = "sample size and chance"
HELP = "train again on targets permuted among subjects: what chance alone gives"


_DESCRIPTION = """\
Permute the targets among subjects, run a regime's whole procedure on each, and say how often
it finds an r as high as on the true targets. A regime in which only the head trains is solved in
closed form, thousands of permutations in seconds; any other is trained anew for each, many at once.
Writes permutations/<regime>-seed-<seed>.json, .md, .svg and .png. What is finished is kept: a
killed command goes on where it stopped, and a larger --n adds to the permutations that are there.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``pfactor-bench permute`` takes."""
    parser.description = _DESCRIPTION
    add_suite_argument(parser)
    parser.add_argument(
        "--regime", metavar="NAME", help="one of the suite's regimes (default: the first)"
    )
    parser.add_argument(
        "--seed", type=int, metavar="S", help="one of the suite's seeds (default: the first)"
    )
    parser.add_argument(
        "--n",
        type=int,
        default=200,
        metavar="N",
        help="permutations; the smallest p that can come out is 1/(N+1) (default: 200)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help=f"folder that gets permutations/ (default: {REPORTS}/<suite's name>)",
    )
    add_cache_argument(parser)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    add_data_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Run the permutations, print what was found, write it, and return the exit code.

    Raises
    ------
    PfactorBenchError
        Before any training, if the suite, the data or an argument cannot be used.
    """
    from pfactor_bench.config import load_suite
    from pfactor_bench.experiments.permutation.page import (
        draw_permutations,
        permutation_page,
        permutation_sentences,
    )
    from pfactor_bench.experiments.permutation.run import case_of, file_name, permute
    from pfactor_bench.files import ensure_writable, write_atomically
    from pfactor_bench.pipeline.stages import Run
    from pfactor_bench.terminal.bar import progress_bar

    if args.n < 1:
        raise ConfigError(f"--n is {args.n}: permute the targets once at least")
    suite = replace(load_suite(args.suite), saliency=())
    case = case_of(suite, args.regime, args.seed)
    whole: Path = args.out or report_folder(suite.name)
    out, name = whole / "permutations", file_name(case)
    ensure_writable(out)
    set_data_environment(args)
    prepared = Run(
        suite, data_dir=args.data, device=args.device, out=whole, cache=args.cache
    ).prepare()
    # What a regime starts from may have to be pretrained first.
    with progress_bar(total=args.n + 1, unit="run", desc="preparing") as progress:

        def advance() -> None:
            progress.set_description(case.regime, refresh=False)
            progress.update()

        test = permute(prepared, case, args.n, out / f"{name}.json", on_run=advance)
    for suffix, image in draw_permutations(test).items():
        write_atomically(out / f"{name}.{suffix}", image)
    write_atomically(out / f"{name}.md", permutation_page(test, name).encode(errors="replace"))
    print("\n".join(permutation_sentences(test)))  # noqa: T201 - this is the command's answer
    print(f"\n{out / name}.md")  # noqa: T201
    return 0

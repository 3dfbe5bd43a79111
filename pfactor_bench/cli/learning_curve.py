"""The subcommand ``pfactor-bench learning-curve``."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pfactor_bench.cli.options import add_data_arguments, add_suite_argument, set_data_environment
from pfactor_bench.errors import ConfigError
from pfactor_bench.files import REPORTS, report_folder

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from pfactor_bench.experiments.learning_curve.fit import LearningCurve
    from pfactor_bench.pipeline.stages import Run

GROUP = "sample size and chance"
HELP = "skill by the number of subjects trained on, and beyond it"


_DESCRIPTION = """\
Train on fewer subjects and on all of them, evaluate on the same held-out ones, fit a power law to
their skill and extend it. Writes learning-curve.json, .svg and .png. Finished runs are kept, so
that a killed command goes on where it stopped.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``pfactor-bench learning-curve`` takes."""
    parser.description = _DESCRIPTION
    add_suite_argument(parser)
    parser.add_argument(
        "--predictor",
        metavar="NAME",
        help="a regime from scratch or a baseline, such as ridge-band-power (default: the first "
        "regime)",
    )
    parser.add_argument(
        "--subjects",
        type=int,
        nargs="+",
        metavar="N",
        help="numbers of training subjects, 4 at least (default: 5, from a fifth to all)",
    )
    parser.add_argument(
        "--repetitions",
        type=int,
        default=5,
        metavar="R",
        help="draws of subjects per number (default: 5)",
    )
    parser.add_argument(
        "--at",
        type=int,
        nargs="+",
        metavar="N",
        help="numbers of subjects to extend the curve to (default: 2, 5 and 10 times all)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help=f"folder (default: {REPORTS}/<suite's name>/learning-curve)",
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    add_data_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Measure the curve, print it, write it, and return the exit code.

    Raises
    ------
    PfactorBenchError
        Before any training, if the suite, the data or an argument cannot be used.
    """
    from pfactor_bench.config import load_suite
    from pfactor_bench.experiments.learning_curve.figure import draw_learning_curve
    from pfactor_bench.experiments.learning_curve.fit import extrapolate_learning_curve
    from pfactor_bench.experiments.learning_curve.run import default_sizes, skill_by_subjects
    from pfactor_bench.files import ensure_writable, write_atomically
    from pfactor_bench.pipeline.stages import Run
    from pfactor_bench.seeds import seed_for
    from pfactor_bench.terminal.bar import progress_bar

    suite = replace(load_suite(args.suite), saliency=())
    out: Path = args.out or report_folder(suite.name) / "learning-curve"
    ensure_writable(out)
    set_data_environment(args)
    prepared = Run(suite, data_dir=args.data, device=args.device, out=out).prepare()
    sizes = tuple(args.subjects or default_sizes(prepared.cohort, prepared.split))
    _check(sizes, args)
    predictor = args.predictor or suite.cases[0].regime
    with progress_bar(total=len(sizes) * args.repetitions, unit="run", desc=predictor) as progress:
        skills = skill_by_subjects(
            prepared, predictor, sizes, n_repetitions=args.repetitions, on_run=progress.update
        )
    at = tuple(args.at or (factor * max(sizes) for factor in (2, 5, 10)))
    curve = extrapolate_learning_curve(
        sizes, skills, at, seed=seed_for("learning-curve", suite.name, predictor)
    )
    facts = _facts(prepared, predictor, sizes, skills, curve)
    text = json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(out / "learning-curve.json", text.encode())
    for suffix, image in draw_learning_curve(predictor, sizes, skills, curve).items():
        write_atomically(out / f"learning-curve.{suffix}", image)
    print(_as_text(sizes, skills, curve))  # noqa: T201 - this is the command's answer
    print(f"\n{out / 'learning-curve.svg'}")  # noqa: T201
    return 0


def _check(sizes: Sequence[int], args: argparse.Namespace) -> None:
    """Refuse before training what could not be fitted after it."""
    if len(set(sizes)) < 4:  # noqa: PLR2004 - as many as the fit needs
        raise ConfigError(
            f"--subjects gives {len(set(sizes))} numbers of subjects: a curve needs 4 at least"
        )
    if args.repetitions < 2:  # noqa: PLR2004 - a spread needs two
        raise ConfigError(f"--repetitions is {args.repetitions}: a spread needs 2 at least")
    if any(n < 1 for n in args.at or ()):
        raise ConfigError(f"--at is {args.at}: give numbers of subjects above 0")


def _as_text(sizes: Sequence[int], skills: NDArray[np.float64], curve: LearningCurve) -> str:
    from tabulate import tabulate

    measured = [
        (f"{n:,}", f"{row.mean():.3f}", f"{row.min():.3f} to {row.max():.3f}", "measured")
        for n, row in zip(sizes, skills, strict=True)
    ]
    extended = [
        (f"{n:,}", f"{value:.3f}", f"{low:.3f} to {high:.3f}", "power law, spread over draws")
        for n, value, (low, high) in zip(curve.subjects, curve.targets, curve.spreads, strict=True)
    ]
    return (
        tabulate(
            measured + extended,
            headers=("subjects trained on", "skill", "range", ""),
            disable_numparse=True,
            colalign=("right", "right", "right", "left"),
        )
        + f"\n\nskill(n) = {curve.limit:.3f} - {curve.gain:.3g} n^-{curve.exponent:.2f}. The "
        "spread over draws\nof training subjects and seeds is no interval: it takes the power law "
        "and the held-out subjects for granted."
    )


def _facts(
    run: Run,
    predictor: str,
    sizes: Sequence[int],
    skills: NDArray[np.float64],
    curve: LearningCurve,
) -> dict[str, Any]:
    from pfactor_bench.records.provenance import collect_code

    return {
        "suite": run.suite.name,
        "suite_sha256": run.suite.sha256,
        "cohort": run.cohort.fingerprint,
        "predictor": predictor,
        "subjects": list(sizes),
        "skill": skills.tolist(),
        "curve": asdict(curve),
        "provenance": dict(collect_code()),
    }

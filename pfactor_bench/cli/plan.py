"""The subcommand ``pfactor-bench plan``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.cli.options import (
    add_data_arguments,
    add_suite_argument,
    count_above_zero,
    set_data_environment,
)

if TYPE_CHECKING:
    import argparse

    from pfactor_bench.config import Suite
    from pfactor_bench.experiments.cost.pilot import Shape
    from pfactor_bench.experiments.cost.plan import CostPlan, Size

GROUP = "benchmark"
HELP = "say what a suite will cost, from a timed pilot"


_DESCRIPTION = """\
Train a few short cases of a suite on noise of its windows' shape, and say what the whole suite will
cost on this machine. Nothing is written, and with --hbn no data are needed.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``pfactor-bench plan`` takes."""
    parser.description = _DESCRIPTION
    add_suite_argument(parser)
    parser.add_argument(
        "--hbn",
        action="store_true",
        help="plan the suite for all eleven releases of HBN-EEG, from the table of their "
        "recordings, whatever releases it names",
    )
    add_data_arguments(parser)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument(
        "--workers",
        type=count_above_zero,
        metavar="N",
        help="processes to plan for (default: all cores)",
    )


def run(options: argparse.Namespace) -> int:
    """Print the plan and return the exit code.

    Raises
    ------
    ConfigError
        If the suite cannot be planned.
    CohortError
        If its cohort cannot be loaded.
    """
    from pfactor_bench.config import load_suite
    from pfactor_bench.execution.cases import most_workers
    from pfactor_bench.experiments.cost.plan import make_plan
    from pfactor_bench.terminal.bar import progress_bar
    from pfactor_bench.training.device import choose_device

    set_data_environment(options)
    suite = load_suite(options.suite)
    device = choose_device(options.device)
    shape, size, n_source = _hbn(suite) if options.hbn else _own(suite, options)
    with progress_bar(unit="pilot", desc="pilot") as bar:

        def show(name: str) -> None:
            bar.set_description(name, refresh=False)
            bar.update()

        plan = make_plan(
            suite,
            shape,
            size,
            device=device.type,
            n_workers=options.workers or most_workers(suite, device.type),
            n_source_windows=n_source,
            on_pilot=show,
        )
    print(plan_text(plan))  # noqa: T201 - this is the command's answer
    if options.hbn:
        from pfactor_bench.experiments.cost.hbn import download_bytes

        print(  # noqa: T201
            f"to fetch        {_say_bytes(download_bytes(suite))} of recordings, then prepared "
            f"once (not in the time above)"
        )
    return 0


def plan_text(plan: CostPlan) -> str:
    """Return a plan as a subject reads it."""
    from tabulate import tabulate

    from pfactor_bench.execution.progress import say_seconds

    rows = [(kind.name, f"{kind.n_cases:,}", _say_precisely(kind.seconds)) for kind in plan.kinds]
    table = tabulate(
        rows,
        headers=("regime", "cases", "seconds a case"),
        disable_numparse=True,
        colalign=("left", "right", "right"),
    )
    where = f"{plan.n_workers} processes" if plan.n_workers > 1 else "1 process"
    busy = (
        f", each {plan.slowdown:.2f} times slower than alone" if plan.slowdown > 1.005 else ""  # noqa: PLR2004 - two decimals
    )
    gpu = (
        f"{plan.work_seconds * plan.slowdown / 3600:.2f} on one GPU like this"
        if plan.device == "cuda"
        else "not estimated: no GPU was timed; plan on a machine that has one"
    )
    windows = _say_bytes(plan.cohort_bytes)
    facts = {
        "cohort": f"{plan.size.n_subjects:,} subjects, {plan.size.n_windows:,} windows, "
        f"{len(plan.size.n_train)} folds",
        "cases": f"{plan.n_cases:,}",
        "time": f"{say_seconds(plan.seconds)} on {where} of this machine{busy}",
        "work": f"{say_seconds(plan.work_seconds + plan.pretraining_seconds)} on one process, "
        f"pretraining {say_seconds(plan.pretraining_seconds)} of it",
        "GPU hours": gpu,
        "memory": f"{_say_bytes(plan.n_workers * plan.peak_bytes)} for {where}, and {windows} of "
        f"windows that they share",
        "disk": f"{_say_bytes(plan.stored_bytes)} of finished cases, and {windows} of windows "
        f"while it runs",
    }
    lines = [f"{name:<15} {fact}" for name, fact in facts.items()]
    return "\n".join([table, "", *lines])


def _own(suite: Suite, options: argparse.Namespace) -> tuple[Shape, Size, int]:
    """Return the shape and size of the suite's own cohort, and the windows of its source."""
    from pfactor_bench.cohorts import load_cohort
    from pfactor_bench.execution.preparation import load_source
    from pfactor_bench.experiments.cost.pilot import Shape
    from pfactor_bench.experiments.cost.plan import Size
    from pfactor_bench.splits.splitters import make_split

    cohort = load_cohort(suite.cohort, options.data)
    source = load_source(suite.source, cohort, options.data)
    split = make_split(suite.split, cohort.table)
    trained = [len(fold.train) for fold in split.folds]
    shape = Shape(
        ch_names=cohort.ch_names,
        sfreq=cohort.sfreq,
        n_times=cohort.X.shape[2],
        held_out=sum(len(fold.test) for fold in split.folds) / sum(trained),
        n_folds=len(trained),
    )
    size = Size(n_subjects=cohort.n_subjects, n_windows=len(cohort.X), n_train=tuple(trained))
    return shape, size, len(source.X) if source else 0


def _hbn(suite: Suite) -> tuple[Shape, Size, int]:
    from pfactor_bench.experiments.cost.hbn import hbn_shape, hbn_size

    size = hbn_size(suite)
    # Of a source of unknown size: as many windows as the cohort has.
    return hbn_shape(suite), size, size.n_windows if suite.source else 0


def _say_precisely(seconds: float) -> str:
    return f"{seconds:,.2f}" if seconds < 100 else f"{seconds:,.0f}"  # noqa: PLR2004


def _say_bytes(n_bytes: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 1000:  # noqa: PLR2004
            return f"{n_bytes:.3g} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.3g} TB"

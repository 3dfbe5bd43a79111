"""The subcommand ``pfactor-bench power``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pfactor_bench.errors import OutputError

if TYPE_CHECKING:
    import argparse

    from pfactor_bench.statistics.power import Effect

GROUP = "sample size and chance"
HELP = "how many subjects a claim needs, before recording them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what ``pfactor-bench power`` takes."""
    parser.add_argument(
        "--effect",
        required=True,
        metavar="r=R|skill=S",
        help="the true effect to plan for: a correlation over subjects, or 1 - MSE/MSE of the mean",
    )
    parser.add_argument("--n", type=int, metavar="N", help="subjects at hand")
    parser.add_argument(
        "--power", type=float, default=0.8, help="wanted probability of success (default: 0.8)"
    )
    parser.add_argument(
        "--alpha", type=float, default=0.05, help="two-sided error level (default: 0.05)"
    )
    parser.add_argument("--figure", type=Path, metavar="PATH", help="draw the curve (.svg, .png)")


def run(args: argparse.Namespace) -> int:
    """Print the plan and return the exit code.

    Raises
    ------
    ConfigError
        If an argument is out of range.
    OutputError
        If the figure cannot be written.
    """
    from tabulate import tabulate

    from pfactor_bench.statistics.power import (
        detectable_effect,
        parse_effect,
        power_at,
        subjects_needed,
    )
    from pfactor_bench.statistics.power import power_table as table

    effect = parse_effect(args.effect)
    settings = {"power": args.power, "alpha": args.alpha}
    enough = subjects_needed(effect, **settings)
    print(  # noqa: T201 - this is the command's answer
        f"{effect.kind} = {effect.size:g}: {enough:,} subjects show it with {args.power:.0%} power "
        f"(two-sided, alpha {args.alpha:g})"
    )
    if args.n is not None:
        smallest = detectable_effect(effect.kind, args.n, **settings)
        shown = "none" if smallest is None else f"{effect.kind} = {smallest:.3g}"
        print(  # noqa: T201
            f"{args.n:,} subjects show it with {power_at(effect, args.n, alpha=args.alpha):.0%} "
            f"power; the smallest effect they show with {args.power:.0%} power: {shown}"
        )
    rows = [
        (
            f"{row['subjects']:,}",
            f"{row['power']:.0%}",
            "none" if row["detectable"] is None else f"{row['detectable']:.3f}",
        )
        for row in table(effect, n=args.n, **settings)
    ]
    headers = ("subjects", "power", f"smallest {effect.kind} shown with {args.power:.0%}")
    print()  # noqa: T201
    print(tabulate(rows, headers=headers, disable_numparse=True, colalign=("right",) * 3))  # noqa: T201
    if args.figure is not None:
        _draw(args.figure, effect, n=args.n, enough=enough, power=args.power, alpha=args.alpha)
        print(f"\n{args.figure}")  # noqa: T201
    return 0


def _draw(
    path: Path, effect: Effect, *, n: int | None, enough: int, power: float, alpha: float
) -> None:
    import numpy as np
    from matplotlib.figure import Figure

    from pfactor_bench.statistics.power import power_curve

    most = max(3 * enough, 2 * (n or 0), 20)
    subjects = [int(number) for number in np.unique(np.geomspace(4, most, 200).astype(int))]
    figure = Figure(figsize=(5, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.plot(subjects, power_curve(effect, subjects, alpha=alpha), color="#1f4e79")
    axes.axhline(power, color="0.6", linewidth=0.8)
    axes.annotate(
        f"{enough:,} subjects", (enough, power), textcoords="offset points", xytext=(6, -12)
    )
    axes.plot([enough], [power], "o", color="#1f4e79")
    if n is not None:
        axes.axvline(n, color="#b04a2f", linewidth=1, linestyle="--", label=f"at hand: {n:,}")
        axes.legend(loc="upper left", frameon=False)
    axes.set(
        xscale="log",
        ylim=(0, 1.02),
        xlabel="subjects",
        ylabel=f"power (two-sided, alpha {alpha:g})",
        title=f"{effect.kind} = {effect.size:g}",
    )
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise OutputError(
            f"cannot write the figure {str(path)!r} ({error}): give a writable path that ends in "
            f".svg, .png or .pdf"
        ) from error

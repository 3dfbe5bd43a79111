"""Plant leaks in clean studies, audit them all, and write down what was found.

    python benchmarks/detection.py [--data DIR] [--minutes 8] [--quick] [--out reports/detection]

A run that is killed or out of time goes on where it stopped: results are kept in --results.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from pfactor_bench.detection.plan import full_plan, quick_plan
from pfactor_bench.detection.run import read_rows, run_plan

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is missing, then write record, report and figures."""
    options = _parser().parse_args(arguments)
    plan = quick_plan() if options.quick else full_plan()
    done = {row["id"] for row in read_rows(options.results)}
    with tqdm(total=len(plan), initial=sum(cell.id in done for cell in plan), unit="audit") as bar:
        left = run_plan(
            plan,
            options.results,
            data_dir=options.data,
            seconds=None if options.minutes is None else 60 * options.minutes,
            on_cell=lambda _id: bar.update(),
        )
    print(f"{len(plan) - left} of {len(plan)} audits are done")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = os.environ.get("PFACTOR_BENCH_DATA")
    parser.add_argument(
        "--data",
        type=lambda text: Path(text).resolve(),
        default=Path(data).resolve() if data else None,
        metavar="DIR",
        help="folder that holds eegmat (default: $PFACTOR_BENCH_DATA); cells of real EEG wait "
        "until it is named",
    )
    parser.add_argument("--minutes", type=float, help="begin no further audit after so many")
    parser.add_argument("--quick", action="store_true", help="a leak of each kind in one study")
    parser.add_argument("--out", type=Path, default=Path("reports/detection"), metavar="DIR")
    parser.add_argument(
        "--results",
        type=Path,
        default=Path("reports/detection/cases/audits.jsonl"),
        metavar="FILE",
        help="what was measured so far (default: %(default)s)",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())

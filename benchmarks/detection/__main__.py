"""Plant leaks, audit them through every door that users have, and write down what was found.

    python -m benchmarks.detection [--door study] [--minutes 8] [--out reports/detection]

writes report.md, detection.json and the figures from whatever has been measured. A run that is
killed or out of time goes on where it stopped: results are kept in OUT/cases.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from benchmarks.detection.figure import draw_matrix, draw_severities
from benchmarks.detection.inflation import measure_inflation
from benchmarks.detection.numbers import filled
from benchmarks.detection.plan import full_plan
from benchmarks.detection.report import report_text
from benchmarks.detection.run import read_rows, run_trials
from benchmarks.detection.summary import summarise
from benchmarks.detection.trials import DOORS
from pfactor_bench.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main", "write_report"]

_README = Path(__file__).parents[2] / "README.md"
_PUBLISHED = _README.parent / "reports" / "detection"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is missing, then write record, report and figures."""
    options = _parser().parse_args(arguments)
    results = options.out / "cases" / "audits.jsonl"
    plan = [trial for trial in full_plan() if options.door in {None, trial.door}]
    done = {row["id"] for row in read_rows(results)}
    with tqdm(total=len(plan), initial=sum(one.id in done for one in plan), unit="audit") as bar:
        left = run_trials(
            plan,
            results,
            seconds=None if options.minutes is None else 60 * options.minutes,
            on_trial=lambda _id: bar.update(),
        )
    print(f"{len(plan) - left} of {len(plan)} audits are done")
    known = {trial.id for trial in full_plan()}
    rows = [row for row in read_rows(results) if row["id"] in known]
    rivals = _kept(options.out / "rivals.json")
    record = summarise(rows, n_planned=len(known), inflation=_inflation(options), rivals=rivals)
    write_report(record, options.out)
    if options.out.resolve() == _PUBLISHED:
        write_atomically(_README, filled(_README.read_text(encoding="utf-8"), record).encode())
    print(f"report: {options.out / 'report.md'}")
    return 0


def write_report(record: dict[str, Any], out: Path) -> None:
    """Write the record, and what follows from it."""
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(out / "detection.json", text.encode())
    severities = draw_severities(record) if record["severities"] else {}
    for name, content in {**draw_matrix(record), **severities}.items():
        write_atomically(out / name, content)
    write_atomically(out / "report.md", report_text(record).encode())


def _inflation(options: argparse.Namespace) -> dict[str, Any] | None:
    """Return the inflation: measured where that is asked for, else as it was last measured."""
    if not options.inflation:
        return (_kept(options.out / "detection.json") or {}).get("inflation")
    with tqdm(desc="inflation", unit="model") as bar:
        return measure_inflation(options.data, on_row=bar.update)


def _kept(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


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
        help="folder that holds eegmat, for the inflation (default: $PFACTOR_BENCH_DATA)",
    )
    parser.add_argument("--minutes", type=float, help="begin no further audit after so many")
    parser.add_argument("--door", choices=tuple(DOORS), help="run the trials of one door only")
    parser.add_argument("--inflation", action="store_true", help="measure the inflation anew")
    parser.add_argument("--out", type=Path, default=Path("reports/detection"), metavar="DIR")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())

"""Run the published suites again, all at one commit, and write their reports into reports/.

    python benchmarks/publish.py [SUITE ...] [--data DIR] [--audit] [--out DIR]

Without a name, every suite that has a report there; ``--out`` is for a try. Runs of users write
into pfactor-bench-reports/, so that nothing but this changes a published number.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pfactor_bench.cli.outcome import exit_code, verdict_lines
from pfactor_bench.config import bundled_suites, load_suite
from pfactor_bench.pipeline.run import Execution, run
from pfactor_bench.records.provenance import collect_code
from pfactor_bench.records.record import RECORD_FILE

REPORTS = Path(__file__).parents[1] / "reports"


def published(folder: Path = REPORTS) -> list[str]:
    """Return the names of the suites that have a report in `folder`."""
    return [name for name in bundled_suites() if (folder / name / RECORD_FILE).is_file()]


def one_commit() -> str:
    """Return the commit of the code that runs.

    Raises
    ------
    SystemExit
        If the package was edited since, so that no commit holds what would be published.
    """
    code = collect_code()
    if code["commit"] is None or code["dirty"]:
        raise SystemExit("the package is not as a commit has it: commit first, then publish")
    return str(code["commit"])


def main(arguments: list[str] | None = None) -> int:
    """Run, write, and return the worst exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("suites", nargs="*", metavar="SUITE", default=published())
    parser.add_argument("--data", type=Path, metavar="DIR")
    parser.add_argument("--audit", action=argparse.BooleanOptionalAction, default=None)
    parser.add_argument("--out", type=Path, metavar="DIR", default=REPORTS)
    options = parser.parse_args(arguments)
    commit, worst = one_commit(), 0
    for suite in map(load_suite, options.suites):
        print(f"{suite.name}: {suite.title}", flush=True)
        record = run(
            suite,
            out=options.out / suite.name,
            data_dir=options.data,
            device="cpu",
            execution=Execution(workers=None),
            audit=options.audit,
        )
        if record.provenance["commit"] != commit or record.provenance["dirty"]:
            raise SystemExit(f"{suite.name}: the code changed meanwhile; publish again")
        print(verdict_lines(record))
        worst = max(worst, exit_code(record))
    return worst


if __name__ == "__main__":
    raise SystemExit(main())

"""What the record, the checks, the intervals and the report cost on top of plain training.

Runs ``pfactor-bench run suites/case_study.yaml`` and ``benchmarks/plain_case_study.py`` in turns,
each in a process of its own, and prints the ratio of their median wall times.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tqdm import trange

HERE = Path(__file__).parent


def seconds(*arguments: str) -> float:
    """Return the wall time of one process."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)  # noqa: S603
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    suite = str(HERE.parent / "suites" / "case_study.yaml")
    plain, ours = [], []
    with tempfile.TemporaryDirectory() as folder:
        for _ in trange(rounds, desc="pairs of runs"):
            plain.append(seconds(str(HERE / "plain_case_study.py"), f"{folder}/plain"))
            ours.append(seconds("-m", "pfactor_bench", "run", suite, "--out", f"{folder}/ours"))
    ratio = statistics.median(ours) / statistics.median(plain)
    print(f"plain script  {statistics.median(plain):6.1f} s  (median of {rounds})")
    print(f"pfactor-bench {statistics.median(ours):6.1f} s")
    print(f"ratio         {ratio:6.2f}")


if __name__ == "__main__":
    main()

"""Count HBN-EEG's recordings and their size by release and task, for what a download announces.

Reads a table of all recordings (``dataset, subject, task, bytes, duration``, a row each; from the
git-annex keys and sidecars of the eleven OpenNeuro repositories ds005505 ... ds005516) and writes
sums of it, nothing of a subject, to ``pfactor_bench/cohorts/hbn/recordings.csv``. HBN-EEG is
CC-BY-SA 4.0, three releases CC0: doi:10.1038/sdata.2017.181, doi:10.1101/2024.10.03.615261.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
OUT = HERE.parent / "pfactor_bench" / "cohorts" / "hbn" / "recordings.csv"


def count(recordings: pd.DataFrame) -> pd.DataFrame:
    """Return recordings, bytes, subjects and seconds of each release and task."""
    counted = recordings.groupby(["dataset", "task"]).agg(
        recordings=("bytes", "size"),
        bytes=("bytes", "sum"),
        subjects=("subject", "nunique"),
        seconds=("duration", "sum"),
    )
    return counted.round({"seconds": 0}).astype({"seconds": int}).reset_index()


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path, help="recordings_all_releases.csv.gz")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    counted = count(pd.read_csv(options.table))
    counted.to_csv(options.out, index=False, lineterminator="\n")
    print(f"{counted['recordings'].sum():,} recordings, {counted['bytes'].sum() / 1e12:.2f} TB")


if __name__ == "__main__":
    main()

"""Options that say where data come from and where prepared windows are kept.

None of them changes a result, so they are no part of a suite; they travel in the environment, to
the processes that prepare recordings, too.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def add_suite_argument(parser: argparse.ArgumentParser) -> None:
    """Declare ``SUITE``, which `pfactor_bench.config.load_suite` finds."""
    parser.add_argument(
        "suite",
        metavar="SUITE",
        help="a suite's YAML file, or the name of one that `pfactor-bench suites` lists",
    )


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare ``--data``, ``--store`` and ``--yes``."""
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder that holds the datasets (default: $PFACTOR_BENCH_DATA)",
    )
    parser.add_argument(
        "--store",
        type=Path,
        metavar="DIR",
        help="folder that keeps prepared windows (default: $PFACTOR_BENCH_STORE)",
    )
    parser.add_argument(
        "--yes",
        action="store_true",
        help="agree to fetch more than 1 GB (or set PFACTOR_BENCH_FETCH=yes)",
    )


def add_cache_argument(parser: argparse.ArgumentParser) -> None:
    """Declare ``--cache``."""
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="folder that keeps encoders (default: $PFACTOR_BENCH_CACHE, else OUT/encoders)",
    )


def add_declare_argument(parser: argparse.ArgumentParser) -> None:
    """Declare ``--declare``."""
    parser.add_argument(
        "--declare",
        type=Path,
        metavar="FILE",
        help="what was fixed beforehand, YAML: 'exclusions: {excluded: {sub-07: flat channels}, "
        "sha256: …}' (LK013)",
    )


def set_data_environment(options: argparse.Namespace) -> None:
    """Hand ``--store`` and ``--yes`` on to whoever prepares or fetches recordings."""
    from pfactor_bench.cohorts.bids.store import STORE_VARIABLE
    from pfactor_bench.cohorts.hbn.download import CONSENT_VARIABLE

    if options.store is not None:
        os.environ[STORE_VARIABLE] = str(options.store.resolve())
    if options.yes:
        os.environ[CONSENT_VARIABLE] = "yes"


def count_above_zero(text: str) -> int:
    """Return a number of things that an option gives, for argparse to refuse others."""
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def folder_of(record: Path) -> Path:
    """Return the folder of a stored run, which may be given by its record or by itself."""
    return record if record.is_dir() else record.parent

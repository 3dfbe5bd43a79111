"""The size of all of HBN-EEG, from a table of its recordings: nothing is fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.cohorts.hbn.cohort import CH_NAMES, REFERENCE
from pfactor_bench.cohorts.hbn.releases import DATASETS, known_amount
from pfactor_bench.errors import ConfigError
from pfactor_bench.experiments.cost.pilot import Shape
from pfactor_bench.experiments.cost.plan import Size

if TYPE_CHECKING:
    from pfactor_bench.config import Suite

_REST = "RestingState"


def hbn_shape(suite: Suite) -> Shape:
    """Return the shape of an HBN suite's windows, from what it asks for alone.

    Raises
    ------
    ConfigError
        If its cohort is not of kind ``hbn``.
    """
    if suite.cohort.kind != "hbn":
        raise ConfigError(
            f"suite {suite.name!r} is about a cohort of kind {suite.cohort.kind!r}: --hbn plans a "
            f"suite whose cohort is 'hbn', such as suites/hbn.yaml"
        )
    args = suite.cohort.args
    names = tuple(args.get("channels", CH_NAMES))
    if not args.get("keep_reference", False):
        names = tuple(name for name in names if name != REFERENCE)
    sfreq = float(args.get("sfreq", 100.0))
    n_times = round(sfreq * float(args.get("window_seconds", 2.0)))
    return Shape(
        ch_names=names,
        sfreq=sfreq,
        n_times=n_times,
        held_out=_held_out(suite),
        n_folds=_n_folds(suite),
    )


def hbn_size(suite: Suite) -> Size:
    """Return the size of all eleven releases' recordings of the suite's task.

    Every recording is taken whole: subjects without a target, and what is cut away at its ends, are
    not taken off, so the size is an upper bound by a few percent.

    Raises
    ------
    ConfigError
        If no release holds the task.
    """
    task = str(suite.cohort.args.get("task", _REST))
    window_seconds = float(suite.cohort.args.get("window_seconds", 2.0))
    amounts = [one for name in DATASETS.values() if (one := known_amount(name, task))]
    if not amounts:
        raise ConfigError(
            f"HBN's tables hold no recordings of task {task!r}: --hbn plans whole recordings, such "
            f"as {_REST!r}"
        )
    n_windows = int(sum(one.seconds for one in amounts) / window_seconds)
    held_out = _held_out(suite)
    n_train = int(n_windows / (1 + held_out))
    return Size(
        n_subjects=sum(one.subjects for one in amounts),
        n_windows=n_windows,
        n_train=(n_train,) * _n_folds(suite),
    )


def download_bytes(suite: Suite) -> int:
    """Return the bytes of the raw recordings."""
    task = str(suite.cohort.args.get("task", _REST))
    amounts = [known_amount(name, task) for name in DATASETS.values()]
    return sum(one.n_bytes for one in amounts if one is not None)


def _n_folds(suite: Suite) -> int:
    return len(_example(suite))


def _held_out(suite: Suite) -> float:
    """Return held-out for each trained window, of subjects who all have the same number."""
    folds = _example(suite)
    return sum(test for _, test in folds) / sum(train for train, _ in folds)


def _example(suite: Suite) -> list[tuple[int, int]]:
    """Return trained and held-out subjects of each fold of a hundred."""
    import pandas as pd

    from pfactor_bench.splits.splitters import make_split

    subjects = [f"sub-{number:03d}" for number in range(100)]
    table = pd.DataFrame({"subject": subjects, "sample_id": subjects})
    split = make_split(suite.split, table)
    return [(len(fold.train), len(fold.test)) for fold in split.folds]

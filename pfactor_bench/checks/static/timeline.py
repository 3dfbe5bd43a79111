"""Static checks of when the windows of one recording were recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, not_applicable, passed
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.checks.static.rows import RECORDING, in_folds, row_keys

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.types import Cohort, Fold, Scalar, Split


__all__: list[str] = []


@check("LK006", kinds=(6,))
def window_overlap(cohort: Cohort, split: Split, guard: int = 0) -> Outcome:
    """Find held-out windows that share samples with training windows.

    How it is detected
    ------------------
    Within each recording the half-open sample ranges [start, stop) of test windows are compared
    with those of training windows; a guard gap, where one is set, widens the test windows.

    Why it matters
    --------------
    With a stride shorter than the window, neighbours are largely the same signal: the held-out
    window was trained on, shifted by a few samples.

    How to fix it
    -------------
    Split by subject before windows are cut. Within a recording, leave at least one window's length
    between the two sides.

    What it cannot see
    ------------------
    Overlap in recordings whose table does not hold true sample positions; LK008 compares signals.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L3.2; Brookshire et al. 2024,
    doi:10.3389/fnins.2024.1373515.
    """
    ranges = cohort.table[["start", "stop"]]
    if ranges.isna().to_numpy().any():
        return not_applicable("some windows have no start or stop in the cohort's table")
    start, stop = ranges.to_numpy(dtype=np.int64).T
    recordings, names = row_keys(cohort.table, RECORDING)
    sample_ids = cohort.table["sample_id"].to_numpy()
    evidence: list[dict[str, Scalar]] = []
    for fold in split.folds:
        n_shared = _n_overlapping(recordings, start, stop, fold, guard)
        for position, count in zip(fold.test, n_shared, strict=True):
            if count:
                row = {"fold": fold.name, "recording": names[recordings[position]]}
                evidence.append(
                    {**row, "sample_id": str(sample_ids[position]), "n_train": int(count)}
                )
    if evidence:
        within = f", or lie within {guard} samples of them" if guard else ""
        return failed(
            f"{len(evidence)} held-out windows share samples with training windows{within}",
            evidence,
        )
    return passed(f"no held-out window shares samples with a training window in {in_folds(split)}")


@check("LK029", kinds=(29,))
def time_order(cohort: Cohort, split: Split) -> Outcome:
    """Find held-out windows that were recorded before windows trained on.

    How it is detected
    ------------------
    In each recording that has windows in train and test, the first training window must not start
    after the first held-out window ends.

    Why it matters
    --------------
    A model that is meant to predict from a subject's past must not have been trained on the same
    subject's future: drift then carries information backwards.

    How to fix it
    -------------
    Split by subject; or, within a recording, train on what comes before and test on what follows.

    What it cannot see
    ------------------
    The order of sessions, unless their names sort in time.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L3.1.
    """
    ranges = cohort.table[["start", "stop"]]
    if ranges.isna().to_numpy().any():
        return not_applicable("some windows have no start or stop in the cohort's table")
    start, stop = ranges.to_numpy(dtype=np.int64).T
    recordings, names = row_keys(cohort.table, RECORDING)
    evidence: list[dict[str, Scalar]] = []
    for fold in split.folds:
        latest_train = np.full(len(names), np.iinfo(np.int64).min)
        np.maximum.at(latest_train, recordings[fold.train], start[fold.train])
        earliest_test = np.full(len(names), np.iinfo(np.int64).max)
        np.minimum.at(earliest_test, recordings[fold.test], stop[fold.test])
        for recording in np.flatnonzero(latest_train >= earliest_test):
            row = {"fold": fold.name, "recording": names[recording]}
            evidence.append(
                {
                    **row,
                    "held_out_until": int(earliest_test[recording]),
                    "trained_from": int(latest_train[recording]),
                }
            )
    if evidence:
        return failed(
            f"in {len(evidence)} recordings windows are held out that precede training windows",
            evidence,
        )
    return passed(f"nobody's past is predicted from their future in {in_folds(split)}")


def _n_overlapping(
    recordings: NDArray[np.int64],
    start: NDArray[np.int64],
    stop: NDArray[np.int64],
    fold: Fold,
    guard: int,
) -> NDArray[np.int64]:
    """Count, for each test window, the training windows that it shares samples with.

    All that begin before it ends, less all that end before it begins: two sorted searches.
    """
    # Recordings are laid end to end on one axis, too far apart to touch.
    reach = int(stop.max() - start.min()) + 2 * guard + 1
    origin = recordings * (2 * reach) - start.min() + guard
    starts, stops = np.sort((origin + start)[fold.train]), np.sort((origin + stop)[fold.train])
    begun = np.searchsorted(starts, (origin + stop)[fold.test] + guard, side="left")
    ended = np.searchsorted(stops, (origin + start)[fold.test] - guard, side="right")
    shared: NDArray[np.int64] = begun - ended
    return shared

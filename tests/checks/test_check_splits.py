"""Static checks of splits and timelines: the leak, its clean twin, and where they do not apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from pfactor_bench.checks import run_check
from pfactor_bench.splits.splitters import split_from_indices
from pfactor_bench.types import Split

if TYPE_CHECKING:
    from collections.abc import Callable

    from pfactor_bench.types import Cohort

_CODES = ("LK001", "LK002", "LK003", "LK005", "LK006", "LK029")


@pytest.mark.parametrize("code", _CODES)
def test_split_by_subject_passes(code: str, cohort: Cohort, split: Split) -> None:
    """Whole subjects on one side are what every one of these checks asks for."""
    assert run_check(code, cohort=cohort, split=split).status == "pass"


@pytest.mark.parametrize("code", _CODES)
def test_without_a_split_nothing_applies(code: str, cohort: Cohort) -> None:
    """Without a split there are no two sides to compare."""
    assert run_check(code, cohort=cohort).status == "not_applicable"


def test_training_on_everything_is_found() -> None:
    """A fold whose test windows were all trained on holds nothing out."""
    everything = split_from_indices("all", [(np.arange(8), np.arange(4))])
    assert run_check("LK001", split=everything).status == "fail"


def test_split_without_folds_is_found() -> None:
    """No folds, nothing held out."""
    assert run_check("LK001", split=Split(name="none", folds=())).status == "fail"


def test_shared_row_is_found(cohort: Cohort) -> None:
    """One window in train and test is named."""
    shared = split_from_indices("shared", [(np.arange(0, 9), np.arange(8, 12))])
    finding = run_check("LK002", cohort=cohort, split=shared)
    assert finding.evidence == ({"fold": "fold-0", "sample_id": "sub-02__w000"},)


def test_permutation_windows_shares_every_subject(cohort: Cohort, by_window: Split) -> None:
    """A split by window has every subject in train and test."""
    assert run_check("LK003", cohort=cohort, split=by_window).n_evidence == 9


def test_evidence_counts_windows_of_a_shared_subject(cohort: Cohort, by_window: Split) -> None:
    """The evidence says how many windows of the subject stand on each side."""
    row = run_check("LK003", cohort=cohort, split=by_window).evidence[0]
    assert row == {"fold": "fold-0", "subject": "sub-00", "n_train": 3, "n_test": 1}


def test_cut_recording_is_found(cohort: Cohort, by_window: Split) -> None:
    """A split by window cuts every recording."""
    assert run_check("LK005", cohort=cohort, split=by_window).status == "fail"


def test_split_by_session_keeps_sessions_whole(
    cohort: Cohort, by_window: Split, changed: Callable[..., Cohort]
) -> None:
    """Sessions of one subject in train and test are no cut session."""
    held_out = np.arange(len(cohort.y)) % 4 == 1
    sessions = changed(cohort, cohort.table.assign(session=np.where(held_out, "late", "early")))
    assert run_check("LK005", cohort=sessions, split=by_window).status == "pass"


def test_windows_that_touch_do_not_overlap(cohort: Cohort, by_window: Split) -> None:
    """Ranges are half open: one window may stop where the next starts."""
    assert run_check("LK006", cohort=cohort, split=by_window).status == "pass"


def test_one_shared_sample_is_an_overlap(
    cohort: Cohort, by_window: Split, changed: Callable[..., Cohort]
) -> None:
    """A window that runs one sample into the next shares it."""
    longer = changed(cohort, cohort.table.assign(stop=cohort.table["stop"] + 1))
    finding = run_check("LK006", cohort=longer, split=by_window)
    assert (finding.status, finding.n_evidence) == ("fail", 9)


def test_guard_gap_widens_windows(cohort: Cohort, by_window: Split) -> None:
    """Neighbours lie within a guard gap of one sample."""
    assert run_check("LK006", cohort=cohort, split=by_window, guard=1).status == "fail"


def test_same_samples_of_other_recordings_do_not_overlap(cohort: Cohort, split: Split) -> None:
    """Every subject's first window starts at sample 0, in a recording of their own."""
    assert run_check("LK006", cohort=cohort, split=split, guard=10_000).status == "pass"


def test_overlap_counts_agree_with_comparing_all_pairs(
    cohort: Cohort, changed: Callable[..., Cohort]
) -> None:
    """The sorted search finds what a comparison of every pair finds."""
    rng = np.random.default_rng(0)
    start = rng.integers(0, 2_000, len(cohort.y))
    stop = start + rng.integers(1, 300, len(cohort.y))
    permuted = changed(cohort, cohort.table.assign(start=start, stop=stop, subject="sub-00"))
    order = rng.permutation(len(cohort.y))
    train, test = order[:20], order[20:]
    expected = [
        int(((start[train] < stop[one]) & (stop[train] > start[one])).sum()) for one in test
    ]
    finding = run_check(
        "LK006", cohort=permuted, split=split_from_indices("random", [(train, test)])
    )
    assert [row["n_train"] for row in finding.evidence] == [n for n in expected if n]


def test_missing_sample_ranges_do_not_apply(
    cohort: Cohort, split: Split, changed: Callable[..., Cohort]
) -> None:
    """A table that does not say where windows lie cannot be checked for overlap."""
    unknown = changed(cohort, cohort.table.assign(start=np.nan))
    assert run_check("LK006", cohort=unknown, split=split).status == "not_applicable"


def test_training_on_the_future_is_found(cohort: Cohort, by_window: Split) -> None:
    """Windows held out from the middle are followed by training windows."""
    assert run_check("LK029", cohort=cohort, split=by_window).n_evidence == 9


def test_training_on_the_past_passes(cohort: Cohort) -> None:
    """Every subject's last window may be predicted from those before it."""
    windows = np.arange(len(cohort.y))
    last = windows % 4 == 3
    forward = split_from_indices("forward", [(windows[~last], windows[last])])
    assert run_check("LK029", cohort=cohort, split=forward).status == "pass"

"""Static checks of the signal itself: windows that are the same, or nearly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.engine.outcomes import failed, not_applicable, passed, warned
from pfactor_bench.checks.engine.registry import check
from pfactor_bench.checks.static.near_duplicates import near_pairs, window_digests
from pfactor_bench.checks.static.rows import in_folds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.types import Cohort, Scalar, Split

__all__: list[str] = []


@check("LK007", kinds=(7, 4))
def exact_duplicates(cohort: Cohort, split: Split) -> Outcome:
    """Find windows that hold the very same samples.

    How it is detected
    ------------------
    Every window's samples are hashed. Two windows with one hash fail the check if one is trained
    on and the other held out, whatever they are called; elsewhere they are a warning. Windows
    without any variation are left out: a flat line is no evidence.

    Why it matters
    --------------
    A copy of a held-out window among the training windows gives its answer away. Copies arise when
    releases are merged, recordings are linked twice, or rows are upsampled before the split.

    How to fix it
    -------------
    Drop duplicates before splitting, and look at why they are there: two names may be one subject.

    What it cannot see
    ------------------
    Copies that differ in a single sample, in scale or in reference; LK008 looks for those.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L1.4.
    """
    groups, size = _groups(cohort)
    names, subjects = cohort.table["sample_id"].to_numpy(dtype=str), cohort.subjects
    evidence: list[dict[str, Scalar]] = []
    for fold in split.folds:
        for group in np.intersect1d(groups[fold.train], groups[fold.test]):
            if size[group] < 2:  # noqa: PLR2004 - one row in train and test is LK002's finding
                continue
            trained = fold.train[groups[fold.train] == group][0]
            evidence += [
                {
                    "fold": fold.name,
                    "held_out": str(names[held_out]),
                    "trained_on": str(names[trained]),
                    "same_name": bool(subjects[held_out] == subjects[trained]),
                }
                for held_out in fold.test[groups[fold.test] == group]
                if held_out != trained
            ]
    if evidence:
        return failed(f"{len(evidence)} held-out windows have a copy that is trained on", evidence)
    copies = np.flatnonzero(size[groups] > 1)
    if len(copies):
        rows = [{"sample_id": str(names[row]), "subject": str(subjects[row])} for row in copies]
        return warned(
            f"{len(copies)} windows have a copy, all on one side of the split: subjects count "
            "twice",
            rows,
        )
    return passed(f"all {len(groups)} windows differ, in {in_folds(split)}")


@check("LK008", kinds=(8,))
def near_duplicates(cohort: Cohort, split: Split) -> Outcome:
    """Find held-out windows that are a training window rescaled, re-referenced or shifted.

    How it is detected
    ------------------
    Windows of the whole cohort are looked up by landmarks: the samples at which the signal, in
    average reference, changes most. Their surroundings are hashed so that neither scale, sign,
    reference nor a shift matters. Windows that share a landmark are compared sample by sample at
    the lag that it says, up to half a window; a correlation of 0.95 or more fails, if changes from
    sample to sample agree, too.

    Why it matters
    --------------
    The same recording processed twice, or windows cut with a small shift, is the same data: the
    hash differs, the answer does not.

    How to fix it
    -------------
    Trace both windows to their source recording and keep one; cut windows after the split.

    What it cannot see
    ------------------
    Copies with strong added noise, played faster or slower, or with channels in another order.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L1.4; Wang 2003, "An
    industrial-strength audio search algorithm", for the landmarks.
    """
    for fold in split.folds:
        if not len(np.setdiff1d(fold.train, fold.test)) or not len(fold.test):
            return not_applicable(f"{fold.name} has an empty side")
    names = cohort.table["sample_id"].to_numpy(dtype=str)
    pairs = near_pairs(cohort)
    evidence: list[dict[str, Scalar]] = []
    for fold in split.folds:
        side = np.zeros(len(names), dtype=np.int8)
        side[fold.train] = 1
        side[fold.test] = 2
        for row in np.flatnonzero(side[pairs.first] * side[pairs.second] == 2):  # noqa: PLR2004
            one, other = int(pairs.first[row]), int(pairs.second[row])
            held_out, trained = (one, other) if side[other] == 1 else (other, one)
            evidence.append(
                {
                    "fold": fold.name,
                    "held_out": str(names[held_out]),
                    "trained_on": str(names[trained]),
                    "correlation": round(float(pairs.correlation[row]), 4),
                    "lag_samples": abs(int(pairs.lag[row])),
                }
            )
    if evidence:
        return failed(
            f"{len(evidence)} held-out windows are nearly the same signal as a training window",
            evidence,
        )
    return passed(f"no pair of windows across the split is alike, in {in_folds(split)}")


def _groups(cohort: Cohort) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return a number per window, equal for equal windows, and how often each number occurs."""
    # A flat window counts as like no other.
    digests = [digest or f"flat {row}" for row, digest in enumerate(window_digests(cohort))]
    _, groups, size = np.unique(digests, return_inverse=True, return_counts=True)
    return groups, size

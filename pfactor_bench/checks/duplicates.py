"""Static checks of the signal itself: windows that are the same, or nearly."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks._core import check
from pfactor_bench.checks._outcomes import failed, not_applicable, passed, warned
from pfactor_bench.checks._rows import in_folds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pfactor_bench.checks._outcomes import Outcome
    from pfactor_bench.types import Cohort, Scalar, Split

__all__ = ["window_digests"]


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
    Drop duplicates before splitting, and look at why they are there: two names may be one person.

    What it cannot see
    ------------------
    Copies that differ in a single sample, in scale or in reference; LK008 looks for those.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L1.4.
    """
    groups, size = _groups(cohort.X)
    names, subjects = cohort.table["sample_id"].to_numpy(dtype=str), cohort.subjects
    evidence: list[dict[str, Scalar]] = []
    for fold in split.folds:
        for group in np.intersect1d(groups[fold.train], groups[fold.test]):
            if size[group] < 2:  # noqa: PLR2004 - one row on both sides is LK002's finding
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
            f"{len(copies)} windows have a copy, all on one side of the split: people count twice",
            rows,
        )
    return passed(f"all {len(groups)} windows differ, in {in_folds(split)}")


@check("LK008", kinds=(8,))
def near_duplicates(cohort: Cohort, split: Split) -> Outcome:
    """Find held-out windows that are a training window rescaled, re-referenced or shifted.

    How it is detected
    ------------------
    Windows are brought to a common average reference and unit variance. Pairs across the split
    whose amplitude spectra agree beyond the cohort's mean spectrum are compared sample by sample
    at every lag up to a quarter of a window; a correlation of 0.95 or more fails. At most 4,000
    windows a side are compared, drawn with a fixed seed.

    Why it matters
    --------------
    The same recording processed twice, or windows cut with a small shift, is the same data: the
    hash differs, the answer does not.

    How to fix it
    -------------
    Trace both windows to their source recording and keep one; cut windows after the split.

    What it cannot see
    ------------------
    Copies with strong added noise, resampled to another rate, or with channels in another order.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L1.4.
    """
    names = cohort.table["sample_id"].to_numpy(dtype=str)
    evidence: list[dict[str, Scalar]] = []
    rng = np.random.default_rng(0)
    for fold in split.folds:
        train = _at_most(np.setdiff1d(fold.train, fold.test), rng)
        test = _at_most(fold.test, rng)
        if not len(train) or not len(test):
            return not_applicable(f"{fold.name} has an empty side")
        for held_out, trained in _similar_spectra(cohort, test, train):
            r, lag = _best_lag(cohort.X[held_out], cohort.X[trained])
            if r >= _SAME_SIGNAL:
                evidence.append(
                    {
                        "fold": fold.name,
                        "held_out": str(names[held_out]),
                        "trained_on": str(names[trained]),
                        "correlation": round(r, 4),
                        "lag_samples": lag,
                    }
                )
    if evidence:
        return failed(
            f"{len(evidence)} held-out windows are nearly the same signal as a training window",
            evidence,
        )
    return passed(f"no pair of windows across the split is alike, in {in_folds(split)}")


#: Correlation from which two windows are one signal.
_SAME_SIGNAL = 0.95
#: Correlation of amplitude spectra from which a pair is worth comparing sample by sample.
_SAME_SPECTRUM = 0.6
_MAX_WINDOWS = 4_000
_BLOCK = 512


def window_digests(X: NDArray[np.float32]) -> list[str]:
    """Return a hash of each window's samples, and an empty text for a window without variation."""
    return [
        hashlib.blake2b(np.ascontiguousarray(window).tobytes(), digest_size=16).hexdigest()
        if window.max() > window.min()
        else ""
        for window in X
    ]


def _groups(X: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return a number per window, equal for equal windows, and how often each number occurs."""
    # A flat window counts as like no other.
    digests = [digest or f"flat {row}" for row, digest in enumerate(window_digests(X))]
    _, groups, size = np.unique(digests, return_inverse=True, return_counts=True)
    return groups, size


def _at_most(positions: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    if len(positions) <= _MAX_WINDOWS:
        return positions
    return np.sort(rng.choice(positions, _MAX_WINDOWS, replace=False))


def _standardised(X: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return windows in average reference, each with mean 0 and norm 1 over all its samples."""
    centred = X - X.mean(axis=-1, keepdims=True)
    if X.shape[-2] > 1:  # one channel has no other to refer to
        centred = centred - centred.mean(axis=-2, keepdims=True)
    norm = np.sqrt((centred**2).sum(axis=(-2, -1), keepdims=True))
    standardised: NDArray[np.float32] = centred / np.maximum(norm, np.finfo(np.float32).tiny)
    return standardised


def _spectra(X: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return amplitude spectra: a shift of a few samples hardly changes them."""
    parts = [
        np.abs(np.fft.rfft(_standardised(X[first : first + _BLOCK]), axis=-1)).astype(np.float32)
        for first in range(0, len(X), _BLOCK)
    ]
    return np.concatenate(parts).reshape(len(X), -1)


def _similar_spectra(
    cohort: Cohort, test: NDArray[np.int64], train: NDArray[np.int64]
) -> list[tuple[int, int]]:
    """Return, for each test window, its closest training window, if their spectra agree."""
    held_out, trained = _spectra(cohort.X[test]), _spectra(cohort.X[train])
    # What all windows have in common, such as 1/f, makes none of them a copy.
    common = trained.mean(axis=0)
    held_out, trained = _unit(held_out - common), _unit(trained - common)
    pairs = []
    for first in range(0, len(test), _BLOCK):
        agreement = held_out[first : first + _BLOCK] @ trained.T
        closest = agreement.argmax(axis=1)
        pairs += [
            (int(test[first + row]), int(train[closest[row]]))
            for row in np.flatnonzero(agreement.max(axis=1) >= _SAME_SPECTRUM)
        ]
    return pairs


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    norm = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: NDArray[np.float32] = rows / np.maximum(norm, np.finfo(np.float32).tiny)
    return unit


def _best_lag(a: NDArray[np.float32], b: NDArray[np.float32]) -> tuple[float, int]:
    """Return the largest |correlation| of two windows over lags, and the lag in samples."""
    one, other = _standardised(a).astype(np.float64), _standardised(b).astype(np.float64)
    n_times = one.shape[-1]
    best, best_lag = 0.0, 0
    for lag in range(-(n_times // 4), n_times // 4 + 1):
        left = one[:, max(lag, 0) : n_times + min(lag, 0)]
        right = other[:, max(-lag, 0) : n_times + min(-lag, 0)]
        scale = np.sqrt((left**2).sum() * (right**2).sum())
        r = abs(float((left * right).sum() / scale)) if scale else 0.0
        if r > best:
            best, best_lag = r, lag
    return best, best_lag

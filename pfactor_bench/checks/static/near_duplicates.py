"""Windows that are the same signal, exactly or nearly, found among any number of windows.

Comparing every pair of half a million windows is out of reach, so nearly equal ones are looked up
as recordings of music are: by landmarks. The work grows with the number of windows, not of pairs.

References
----------
Wang 2003, "An industrial-strength audio search algorithm", ISMIR, for landmarks that vote for a
lag; Charikar 2002, doi:10.1145/509907.509965, for hashes from the signs of random projections.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.cohorts.memory_maps import blocks, release

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pfactor_bench.types import Cohort

__all__ = ["SAME_SIGNAL", "NearPairs", "near_pairs", "window_digests"]

#: Correlation from which two windows are one signal.
SAME_SIGNAL = 0.95

#: The same for differences between neighbouring samples. Slow waves such as blinks, which many
#: windows share, carry little of it.
_SAME_CHANGES = 0.8

#: Spatial patterns that landmarks are described by, at most.
_PATTERNS = 8
#: Windows that the patterns are learnt from, at most.
_LEARN_FROM = 2_000
#: Samples before and after a landmark that describe it, at most.
_CONTEXT = 12
#: Changes are taken over so many samples: over one, noise would drown them.
_STEP = 2
#: A landmark is the largest of so many samples on either side.
_PEAK = 2
#: Independent hashes of each landmark: a disturbed copy has to agree in one of them.
_TABLES = 4
#: Bits of a hash beyond those that tell as many landmarks apart as there are.
_SPARE_BITS = 4
#: Each landmark is compared with so many neighbours of the same hash.
_NEIGHBOURS = 4
#: Pairs that are compared sample by sample, at most: those with most votes.
_MAX_PAIRS = 400_000
_PAIRS_AT_A_TIME = 1_024


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class NearPairs:
    """Pairs of windows that are nearly one signal.

    Parameters
    ----------
    first, second
        Positions of the windows, ``first < second``, shape ``(n_pairs,)``.
    correlation
        Absolute correlation where they overlap.
    lag
        How many samples later the second begins in the common signal.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    correlation: NDArray[np.float64]
    lag: NDArray[np.int64]


@lru_cache(maxsize=1)
def window_digests(cohort: Cohort) -> list[str]:
    """Return a hash of each window's samples, and an empty text for a window without variation."""
    digests = []
    for _, windows in blocks(cohort.X):
        varies = windows.max(axis=(1, 2)) > windows.min(axis=(1, 2))
        digests += [
            hashlib.blake2b(np.ascontiguousarray(window).data, digest_size=16).hexdigest()
            if alive
            else ""
            for window, alive in zip(windows, varies.tolist(), strict=True)
        ]
    return digests


@lru_cache(maxsize=1)
def near_pairs(cohort: Cohort) -> NearPairs:
    """Find windows that are another rescaled, inverted, re-referenced, shifted or resampled.

    Windows are brought to the average reference and to differences between neighbouring samples,
    and whitened over channels. Landmarks are the samples at which that is largest; the signs of
    random projections of what surrounds one are its hash, which neither scale nor reference nor
    shift changes, and from which a change of sign is taken out. Two windows with landmarks of one
    hash are compared sample by sample at the lag that the landmarks say, over at least half a
    window.

    Returns
    -------
    NearPairs
        With a correlation of at least `SAME_SIGNAL`, sorted by position.
    """
    X = cohort.X
    hashes, windows, times = _landmarks(X)
    first, second, lag = _candidates(hashes, windows, times, n_times=X.shape[-1])
    return _confirmed(X, first, second, lag)


def _changes(X: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return differences over `_STEP` samples of windows in average reference."""
    referenced = _referenced(X)
    changes: NDArray[np.float32] = referenced[..., _STEP:] - referenced[..., :-_STEP]
    return changes


def _referenced(X: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return windows in average reference, which undoes any other."""
    if X.shape[-2] == 1:  # one channel has no other to refer to
        return X
    referenced: NDArray[np.float32] = X - X.mean(axis=-2, keepdims=True)
    return referenced


def _whitening(X: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return spatial patterns of equal power, shape ``(n_patterns, n_chans)``."""
    chosen = np.unique(np.linspace(0, len(X) - 1, _LEARN_FROM).astype(int))
    changes = _changes(X[chosen])
    release(X)
    norm = np.linalg.norm(changes, axis=(1, 2), keepdims=True)
    changes = (changes / np.maximum(norm, np.finfo(np.float32).tiny)).astype(np.float64)
    power, patterns = np.linalg.eigh(np.einsum("wct,wdt->cd", changes, changes))
    power, patterns = power[::-1][:_PATTERNS], patterns[:, ::-1][:, :_PATTERNS]
    kept = power > 1e-6 * power[0]
    # Weak patterns are mostly noise: they are not blown up to the size of the others.
    weights = 1 / np.sqrt(power[kept] + 1e-2 * power[0])
    whitening: NDArray[np.float32] = (patterns[:, kept] * weights).T.astype(np.float32)
    return whitening


def _landmarks(
    X: NDArray[np.float32],
) -> tuple[list[NDArray[np.uint32]], NDArray[np.uint32], NDArray[np.int32]]:
    """Return each landmark's hashes, its window, and its sample."""
    whitening = _whitening(X)
    context = min(_CONTEXT, (X.shape[-1] - _STEP) // 8)
    width = 2 * context + 1
    # Landmarks are at most one sample in `_PEAK + 1`; that many bits tell them apart.
    bits = int(np.ceil(np.log2(max(2, X[..., 0, :].size / (_PEAK + 1))))) + _SPARE_BITS
    bits = min(32, max(12, bits))
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((len(whitening) * width, _TABLES * (bits + 1)))
    directions = directions.astype(np.float32)
    parts: list[tuple[list[NDArray[np.uint32]], NDArray[np.uint32], NDArray[np.int32]]] = []
    for first, part in blocks(X):
        changes = np.matmul(whitening, _changes(part))
        which, when = _peaks(changes, context)
        around = np.lib.stride_tricks.sliding_window_view(changes, width, axis=-1)
        described = around[which, :, when - context].reshape(len(which), len(directions))
        signs = (described @ directions > 0).reshape(len(which), _TABLES, bits + 1)
        parts.append((_packed(signs), (which + first).astype(np.uint32), when.astype(np.int32)))
    return (
        [np.concatenate([part[0][table] for part in parts]) for table in range(_TABLES)],
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
    )


def _peaks(
    changes: NDArray[np.float32], context: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return window and sample of each landmark that has its context in the window."""
    size = (changes**2).sum(axis=1)
    n_times = size.shape[1]
    inner = size[:, context : n_times - context]
    highest = inner > 0
    for shift in range(1, _PEAK + 1):
        for step in (-shift, shift):
            at = np.clip(np.arange(context, n_times - context) + step, 0, n_times - 1)
            highest &= inner >= size[:, at]
    which, when = np.nonzero(highest)
    return which, when + context


def _packed(signs: NDArray[np.bool_]) -> list[NDArray[np.uint32]]:
    """Return a number per landmark and table that does not change with the signal's sign."""
    relative = signs[..., 1:] ^ signs[..., :1]
    weights = np.uint32(1) << np.arange(relative.shape[-1], dtype=np.uint32)
    return [relative[:, table].astype(np.uint32) @ weights for table in range(signs.shape[1])]


def _candidates(
    hashes: list[NDArray[np.uint32]],
    windows: NDArray[np.uint32],
    times: NDArray[np.int32],
    *,
    n_times: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs of windows that share landmarks, with the lag between them."""
    most = n_times // 2
    found = []
    for table in hashes:
        order = np.argsort(table, kind="stable")
        ordered, window, time = table[order], windows[order], times[order]
        for step in range(1, _NEIGHBOURS + 1):
            same = np.flatnonzero(ordered[step:] == ordered[:-step])
            one, other = window[same].astype(np.int64), window[same + step].astype(np.int64)
            lag = (time[same] - time[same + step]).astype(np.int64)
            lag = np.where(one < other, lag, -lag)
            one, other = np.minimum(one, other), np.maximum(one, other)
            use = (one != other) & (np.abs(lag) <= most)
            # One number per pair and lag, so that votes are counted by sorting.
            found.append(((one[use] << 32) | other[use], lag[use]))
    pairs = np.concatenate([pair for pair, _ in found])
    lags = np.concatenate([lag for _, lag in found])
    order = np.lexsort((lags, pairs))
    pairs, lags = pairs[order], lags[order]
    begins = np.flatnonzero(np.r_[True, (np.diff(pairs) != 0) | (np.diff(lags) != 0)][: len(pairs)])
    votes = np.diff(np.r_[begins, len(pairs)])
    if len(begins) > _MAX_PAIRS:
        begins = begins[np.argsort(-votes, kind="stable")[:_MAX_PAIRS]]
    return pairs[begins] >> 32, pairs[begins] & 0xFFFFFFFF, lags[begins]


def _confirmed(
    X: NDArray[np.float32],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    lag: NDArray[np.int64],
) -> NearPairs:
    """Return the pairs that are one signal, each at its best lag."""
    correlation = np.zeros(len(first))
    for value in np.unique(lag):
        rows = np.flatnonzero(lag == value)
        for part in np.split(rows, range(_PAIRS_AT_A_TIME, len(rows), _PAIRS_AT_A_TIME)):
            correlation[part] = _agreement(X[first[part]], X[second[part]], int(value))
        release(X)
    kept = np.flatnonzero(correlation >= SAME_SIGNAL)
    order = kept[np.lexsort((-correlation[kept], second[kept], first[kept]))]
    pair = np.stack([first[order], second[order]])
    best = order[np.r_[True, (np.diff(pair, axis=1) != 0).any(axis=0)][: len(order)]]
    return NearPairs(
        first=first[best], second=second[best], correlation=correlation[best], lag=lag[best]
    )


def _agreement(
    one: NDArray[np.float32], other: NDArray[np.float32], lag: int
) -> NDArray[np.float64]:
    """Return |r| of windows over all channels where they overlap; 0 where changes disagree."""
    n_times = one.shape[-1]
    left = _referenced(one)[..., max(lag, 0) : n_times + min(lag, 0)]
    right = _referenced(other)[..., max(-lag, 0) : n_times + min(-lag, 0)]
    changes = _correlation(np.diff(left, axis=-1), np.diff(right, axis=-1))
    return np.where(changes >= _SAME_CHANGES, _correlation(left, right), 0.0)


def _correlation(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return |r| of each pair, over channels and samples, each channel about its own mean."""
    left = left - left.mean(axis=-1, keepdims=True, dtype=np.float64)
    right = right - right.mean(axis=-1, keepdims=True, dtype=np.float64)
    product = np.einsum("wct,wct->w", left, right)
    scale = np.sqrt(np.einsum("wct,wct->w", left, left) * np.einsum("wct,wct->w", right, right))
    r: NDArray[np.float64] = np.abs(product) / np.maximum(scale, np.finfo(np.float64).tiny)
    return r

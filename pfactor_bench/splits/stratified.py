"""Folds of subjects whose targets are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.cohorts.targets import parse_targets
from pfactor_bench.errors import ConfigError
from pfactor_bench.splits.splitters import by_subject, require_enough

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pfactor_bench.types import Split

__all__ = ["stratified_grouped_k_fold"]


def stratified_grouped_k_fold(
    subjects: NDArray[np.str_], y: object, *, n_folds: int, n_bins: int, seed: int
) -> Split:
    """Spread the subjects of each bin of targets evenly over the folds.

    No rule of `SPLITTERS`: those know the names of subjects alone, and a study whose folds follow
    the targets moves with them.

    Parameters
    ----------
    subjects
        The subject of each window, shape ``(n_windows,)``.
    y
        Their targets, one a subject, repeated; text that is a number is one.
    n_folds
        Parts; each subject is held out exactly once.
    n_bins
        Bins of equally many subjects; equal targets share one.
    seed
        Of the permutation inside each bin.

    Raises
    ------
    ConfigError
        If a subject has no target, or several.
    """
    names, first = np.unique(subjects, return_index=True)
    require_enough(n_folds, names)
    targets = _target_of_each(subjects, y)[first]
    _, value, counts = np.unique(targets, return_inverse=True, return_counts=True)
    # Twice the middle rank of each value, in whole numbers, so that no rounding moves a border.
    middle = 2 * (np.cumsum(counts) - counts) + counts
    bins = (middle * n_bins // (2 * len(names)))[value]
    rng = np.random.default_rng(seed)
    members = [rng.permutation(names[bins == number]) for number in range(n_bins)]
    in_turn = np.concatenate(members)
    return by_subject(
        "stratified-grouped-k-fold",
        subjects,
        (in_turn[number::n_folds] for number in range(n_folds)),
    )


def _target_of_each(subjects: NDArray[np.str_], y: object) -> NDArray[np.float64]:
    """Return the target of each window, after making sure that a subject has one."""
    if y is None:
        raise ConfigError("y is None: stratified folds need the target of each row")
    values = np.asarray(y)
    if values.ndim != 1:
        raise ConfigError(
            f"targets have the shape {values.shape!r}: they must be one-dimensional, one a row"
        )
    if len(values) != len(subjects):
        raise ConfigError(f"{len(values)} targets for {len(subjects)} rows: pass one a row")
    targets, _ = parse_targets(values.tolist(), target="y", subjects=subjects.tolist())
    missing = subjects[np.isnan(targets)]
    if len(missing):
        raise ConfigError(
            f"subject {str(missing[0])!r} has no target, so it belongs to no bin: leave such "
            f"subjects out"
        )
    _, first, subject = np.unique(subjects, return_index=True, return_inverse=True)
    for row in np.flatnonzero(targets != targets[first][subject])[:1]:
        one, other = float(targets[first][subject[row]]), float(targets[row])
        raise ConfigError(
            f"subject {str(subjects[row])!r} has the targets {one!r} and {other!r}: a subject "
            f"stands in one bin, so it needs one target"
        )
    return targets

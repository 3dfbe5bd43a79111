"""Changes to a cohort that an honest study cannot, or must, notice: cohort in, cohort out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from pfactor_bench.types import Cohort

__all__ = [
    "changed",
    "double_others",
    "gather_targets",
    "in_order",
    "move_targets",
    "nudge_targets",
    "permute_targets",
    "redraw_targets",
    "redraw_within_ranks",
    "rename_all_subjects",
    "rename_one",
    "replace_all_signal",
    "replace_windows",
    "seal_targets",
    "stretch_targets",
    "swap_names",
    "swap_targets",
    "turn_windows",
    "with_columns",
]

#: How much larger than the cohort's the replaced subject's signal is.
_LOUD = 3.0


def changed(cohort: Cohort, **parts: Any) -> Cohort:  # noqa: ANN401 - any field of a cohort
    """Return the cohort with other parts and the fingerprint that they have."""
    from pfactor_bench.cohorts import fingerprint

    for array in parts.values():
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    new = replace(cohort, **parts)
    return replace(
        new,
        fingerprint=fingerprint(
            X=new.X,
            y=new.y,
            table=new.table,
            sfreq=new.sfreq,
            ch_names=new.ch_names,
            unit=new.unit,
            target=new.target,
        ),
    )


def redraw_targets(
    cohort: Cohort, chosen: Collection[str], scale: float, rng: np.random.Generator
) -> Cohort:
    """Move the targets of some subjects by normal draws of `scale` standard deviations.

    Everything else stays. A study that holds these subjects out cannot notice.
    """
    sd = float(_targets(cohort)[1].std())
    moves = {name: scale * sd * rng.standard_normal() for name in sorted(chosen)}
    subjects = cohort.subjects
    return changed(cohort, y=cohort.y + np.array([moves.get(name, 0.0) for name in subjects]))


def redraw_within_ranks(
    cohort: Cohort, chosen: Collection[str], rng: np.random.Generator
) -> Cohort:
    """Move the targets of some subjects, but nobody past anybody.

    A split that is stratified by the targets' ranks stays where it is. The highest and the lowest
    target can move far, those between only within their gaps.
    """
    names, targets = _targets(cohort)
    order, sd = np.argsort(targets, kind="stable"), targets.std()
    ranked = targets[order]
    ends = np.concatenate([[ranked[0] - 10 * sd], ranked, [ranked[-1] + 10 * sd]])
    new: NDArray[np.float64] = targets.copy()
    for rank, subject in enumerate(order):
        if names[subject] in chosen:
            # Half the way at most: two neighbours that both move must not meet.
            to_neighbour = ends[rank + 2 if rng.random() < 0.5 else rank] - ranked[rank]  # noqa: PLR2004
            new[subject] += rng.uniform(0.25, 0.49) * to_neighbour
    return changed(cohort, y=_per_window(cohort, names, new))


def seal_targets(cohort: Cohort, chosen: Collection[str]) -> Cohort:
    """Take the targets of some subjects away: they become NaN."""
    return changed(cohort, y=np.where(np.isin(cohort.subjects, list(chosen)), np.nan, cohort.y))


def move_targets(cohort: Cohort, chosen: Collection[str], distance: float) -> Cohort:
    """Move the targets of some subjects by so many standard deviations, all of them alike."""
    step = distance * float(_targets(cohort)[1].std())
    return changed(cohort, y=cohort.y + np.where(np.isin(cohort.subjects, list(chosen)), step, 0.0))


def gather_targets(
    cohort: Cohort, chosen: Collection[str], distance: float, rng: np.random.Generator
) -> Cohort:
    """Put the targets of some subjects close together, so many standard deviations from the mean.

    Whatever is chosen by them, or kept within their range, goes as far as it can.
    """
    targets = _targets(cohort)[1]
    sd = float(targets.std())
    # Not all equal: a study may divide by their spread.
    new = {
        name: float(targets.mean()) + sd * (distance + 0.01 * rng.standard_normal())
        for name in sorted(chosen)
    }
    moved = [new.get(name, old) for name, old in zip(cohort.subjects, cohort.y, strict=True)]
    return changed(cohort, y=np.array(moved))


def swap_targets(cohort: Cohort, chosen: Collection[str]) -> Cohort:
    """Let some subjects swap their targets, the highest with the lowest and so on."""
    names, targets = _targets(cohort)
    mine = np.flatnonzero(np.isin(names, list(chosen)))
    order = mine[np.argsort(targets[mine], kind="stable")]
    new = targets.copy()
    new[order] = targets[order[::-1]]
    return changed(cohort, y=_per_window(cohort, names, new))


def nudge_targets(
    cohort: Cohort, chosen: Collection[str], distance: float, rng: np.random.Generator
) -> Cohort:
    """Move the targets of some subjects by up to so many standard deviations, within the middle.

    Targets at either end stay, and none is moved there: whoever leaves out implausible values or
    cuts the range into bins sees the same range.
    """
    names, targets = _targets(cohort)
    low, high = np.quantile(targets, [0.1, 0.9])
    moved = np.clip(
        targets + distance * targets.std() * rng.uniform(-1, 1, size=len(targets)), low, high
    )
    mine = np.isin(names, list(chosen)) & (targets > low) & (targets < high)
    return changed(cohort, y=_per_window(cohort, names, np.where(mine, moved, targets)))


def permute_targets(cohort: Cohort, rng: np.random.Generator) -> Cohort:
    """Deal all targets anew among subjects."""
    names, targets = _targets(cohort)
    return changed(cohort, y=_per_window(cohort, names, rng.permutation(targets)))


def stretch_targets(cohort: Cohort, shift: float = 3.0) -> Cohort:
    """Give every target twice the distance to the mean, and so many standard deviations more."""
    targets = _targets(cohort)[1]
    return changed(
        cohort, y=2 * (cohort.y - targets.mean()) + targets.mean() + shift * targets.std()
    )


def replace_windows(cohort: Cohort, rows: NDArray[np.bool_], rng: np.random.Generator) -> Cohort:
    """Replace some windows by loud noise, of another mean and other correlations per subject."""
    n_chans = cohort.X.shape[1]
    scale = _LOUD * float(np.std(cohort.X[~rows]))
    X = np.array(cohort.X)
    for subject in np.unique(cohort.subjects[rows]):
        mine = rows & (cohort.subjects == subject)
        noise = rng.standard_normal((int(mine.sum()), *cohort.X.shape[1:]))
        mixed = np.einsum("cd,wdt->wct", rng.standard_normal((n_chans, n_chans)), noise)
        X[mine] = scale * (mixed / np.sqrt(n_chans) + rng.standard_normal((1, n_chans, 1)))
    return changed(cohort, X=X)


def turn_windows(cohort: Cohort, rows: NDArray[np.bool_]) -> Cohort:
    """Reverse some windows in time and move their channels on by one.

    Mean and deviation over all channels stay, so that a choice of recordings by amplitude does.
    """
    X = np.array(cohort.X)
    X[rows] = np.roll(X[rows], 1, axis=1)[:, :, ::-1]
    return changed(cohort, X=X)


def double_others(cohort: Cohort, subject: str) -> Cohort:
    """Append a copy of every window that is not one subject's."""
    import pandas as pd

    others = np.flatnonzero(cohort.subjects != subject)
    copies = cohort.table.iloc[others].copy()
    copies["sample_id"] = [f"{name}__again" for name in copies["sample_id"]]
    return changed(
        cohort,
        X=np.concatenate([cohort.X, cohort.X[others]]),
        y=np.concatenate([cohort.y, cohort.y[others]]),
        table=pd.concat([cohort.table, copies], ignore_index=True),
    )


def replace_all_signal(cohort: Cohort, rng: np.random.Generator) -> Cohort:
    """Replace every window by noise with the cohort's mean and deviation in each channel."""
    mean, deviation = np.mean(cohort.X, axis=(0, 2)), np.std(cohort.X, axis=(0, 2))
    noise = rng.standard_normal(cohort.X.shape)
    X = (mean[:, None] + deviation[:, None] * noise).astype(np.float32)
    return changed(cohort, X=X)


def rename_all_subjects(cohort: Cohort) -> Cohort:
    """Give all subjects new names that sort as the old ones do."""
    old = np.unique(cohort.subjects)
    width = len(str(len(old)))
    return _renamed(cohort, {name: f"sub-N{row:0{width}d}" for row, name in enumerate(old)})


def swap_names(cohort: Cohort, chosen: Collection[str]) -> Cohort:
    """Let some subjects hand on their names, each to the next of them."""
    names = sorted(chosen)
    return _renamed(cohort, dict(zip(names, [*names[1:], names[0]], strict=True)))


def rename_one(cohort: Cohort, subject: str) -> Cohort:
    """Give one subject a new name that sorts right after the old one.

    Before longer names that begin with it, too: ``sub-1`` stays before ``sub-10``.
    """
    return _renamed(cohort, {subject: f"{subject}!"})


def with_columns(cohort: Cohort, columns: Mapping[str, NDArray[Any]]) -> Cohort:
    """Give some columns of the table other values, an entry per window."""
    return changed(cohort, table=cohort.table.assign(**columns))


def in_order(
    cohort: Cohort, rows: NDArray[np.int64], new_order: NDArray[np.int64]
) -> tuple[Cohort, NDArray[np.int64]]:
    """Put some rows into another order, at their own positions.

    Returns
    -------
    cohort : Cohort
    order : ndarray of int64
        The row that each position's row came from.
    """
    order = np.arange(len(cohort.y))
    order[rows] = new_order
    table = cohort.table.iloc[order].reset_index(drop=True)
    return changed(cohort, X=cohort.X[order], y=cohort.y[order], table=table), order


def _targets(cohort: Cohort) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """Return the subjects, sorted, and the target of each."""
    names, first = np.unique(cohort.subjects, return_index=True)
    return names, cohort.y[first]


def _per_window(
    cohort: Cohort, names: NDArray[np.str_], targets: NDArray[np.float64]
) -> NDArray[np.float64]:
    per_window: NDArray[np.float64] = targets[np.searchsorted(names, cohort.subjects)]
    return per_window


def _renamed(cohort: Cohort, new_names: dict[str, str]) -> Cohort:
    """Rename subjects wherever their name stands: in columns that repeat it and in window names.

    Windows that others were made from, in a column ``parent``, keep pointing at them.
    """
    table = cohort.table.copy()
    subjects = cohort.subjects
    for column in table.columns:
        values = table[column].to_numpy()
        if column == "subject" or (values == subjects).all():
            table[column] = [new_names.get(name, name) for name in subjects]
    windows = {
        str(sample_id): str(sample_id).replace(name, new_names.get(name, name))
        for sample_id, name in zip(table["sample_id"], subjects, strict=True)
    }
    table["sample_id"] = list(windows.values())
    if "parent" in table:
        table["parent"] = [
            ";".join(windows.get(one, one) for one in parents.split(";"))
            if isinstance(parents, str)
            else parents
            for parents in table["parent"]
        ]
    return changed(cohort, table=table)

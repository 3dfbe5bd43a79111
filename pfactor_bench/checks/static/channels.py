"""A check of channels that are typed EEG and record no electrode."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pfactor_bench.checks.engine.outcomes import passed, warned
from pfactor_bench.checks.engine.registry import check

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pfactor_bench.checks.engine.outcomes import Outcome
    from pfactor_bench.types import Cohort

__all__ = ["correlations_with_target", "unlike_eeg"]

#: So many windows of a subject are looked at: a cohort may be larger than the memory.
_WINDOWS = 4
#: A channel with fewer values than this in all of them counts or codes something.
_FEW_VALUES = 32
#: A mean that follows the target so closely, where no other channel's does.
TELLS, _REST = 0.99, 0.9
#: In fewer subjects a mean follows the target by chance.
_FEWEST_SUBJECTS = 8


@check("LK037", kinds=(34,))
def channels_without_eeg(cohort: Cohort) -> Outcome:
    """Channels typed EEG that record no electrode.

    How it is detected
    ------------------
    In up to four windows of each subject, a channel is named that is constant within every window
    and differs between them, that takes fewer than 32 values, or whose mean follows the target over
    eight subjects or more at |r| of 0.99 while no other channel's reaches 0.9. A channel that is
    flat everywhere, as a recording's reference is, is not named.

    Why it matters
    --------------
    A trigger, a button, a position or a copy of the target among the channels is an input. A model
    that reads it predicts from no brain signal.

    How to fix it
    -------------
    Keep channels of the type EEG alone, raw.pick("eeg"), and correct the types in channels.tsv.

    What it cannot see
    ------------------
    Continuous signals beside EEG, such as eye or hand movement; LK111 says whether skill rests on
    one channel alone.

    Source
    ------
    Kapoor & Narayanan 2023, doi:10.1016/j.patter.2023.100804, L2; BIDS, channels.tsv.
    """
    found = unlike_eeg(cohort)
    if not found:
        return passed(f"each of {len(cohort.ch_names)} channels varies as an electrode's does")
    name, how = next(iter(found.items()))
    return warned(
        f"channel {name!r} {how}, as no electrode's signal does",
        [{"channel": one, "noticed": how} for one, how in found.items()],
    )


def unlike_eeg(cohort: Cohort) -> dict[str, str]:
    """Return the channels that record no electrode, and what each does instead."""
    rows = _some_rows(cohort)
    X = np.asarray(cohort.X[rows], dtype=np.float64)
    r = np.abs(correlations_with_target(cohort))
    found = {}
    for number, name in enumerate(cohort.ch_names):
        signal = X[:, number]
        if np.ptp(signal) == 0:
            continue
        if not np.ptp(signal, axis=1).any():
            found[name] = "is constant within each window and differs between them"
        elif (n_values := len(np.unique(signal))) < _FEW_VALUES:
            found[name] = f"takes {n_values} values"
        elif r[number] >= TELLS and np.delete(r, number).max(initial=0.0) < _REST:
            found[name] = f"has a mean that follows the target (|r| = {r[number]:.3f})"
    return found


def correlations_with_target(cohort: Cohort) -> NDArray[np.float64]:
    """Return r of each channel's mean with the target over subjects; zeros for too few of them."""
    rows = _some_rows(cohort)
    _, first, subject = np.unique(cohort.subjects[rows], return_index=True, return_inverse=True)
    if len(first) < _FEWEST_SUBJECTS:
        return np.zeros(len(cohort.ch_names))
    means = np.asarray(cohort.X[rows], dtype=np.float64).mean(axis=-1)
    of_subject = np.array([means[subject == one].mean(axis=0) for one in range(len(first))])
    of_subject -= of_subject.mean(axis=0)
    y = cohort.y[rows][first] - cohort.y[rows][first].mean()
    norm = np.sqrt((of_subject**2).sum(axis=0) * (y**2).sum())
    r: NDArray[np.float64] = np.divide(
        y @ of_subject, norm, out=np.zeros_like(norm), where=norm > 0
    )
    return r


def _some_rows(cohort: Cohort) -> NDArray[np.int64]:
    rows = np.arange(len(cohort.y))
    place = np.zeros(len(rows), dtype=np.int64)
    for name in np.unique(cohort.subjects):
        mine = cohort.subjects == name
        place[mine] = np.arange(mine.sum())
    return rows[place < _WINDOWS]

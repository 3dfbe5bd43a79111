"""From arrays and a table to a checked, fingerprinted cohort."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pfactor_bench.cohorts.memory_maps import blocks
from pfactor_bench.cohorts.targets import parse_targets
from pfactor_bench.cohorts.units import refuse_amplitudes
from pfactor_bench.errors import CohortError
from pfactor_bench.types import Cohort, InjectedSignal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = [
    "MIN_SUBJECTS",
    "WINDOW_COLUMNS",
    "check_targets",
    "fingerprint",
    "listed",
    "make_cohort",
]

#: The columns that every cohort's table has.
WINDOW_COLUMNS = ("sample_id", "subject", "session", "run", "task", "start", "stop")

#: Fewer subjects can be neither trained on nor held out.
MIN_SUBJECTS = 3

#: So many names are spelt out in a message.
_MAX_NAMES = 20


def make_cohort(
    *,
    name: str,
    X: NDArray[np.float32],
    table: pd.DataFrame,
    target: str,
    sfreq: float,
    ch_names: Sequence[str],
    unit: str,
    provenance: Mapping[str, Any],
    notes: Sequence[str] = (),
    injected: InjectedSignal | None = None,
    may_be_flat: Sequence[str] = (),
) -> Cohort:
    """Check windows and their table, drop subjects without a target, and take the fingerprint.

    Parameters
    ----------
    name, target, sfreq, ch_names, unit, provenance, notes, injected
        As in `pfactor_bench.types.Cohort`.
    X
        Windows, float32, shape ``(n_windows, n_chans, n_times)``.
    table
        A row per window with `WINDOW_COLUMNS` and a column `target`, which becomes ``Cohort.y`` and
        leaves the table.
    may_be_flat
        Channels that are known to hold nothing, such as the recording reference.

    Returns
    -------
    Cohort
        With `X` and `y` locked against writing.

    Raises
    ------
    CohortError
        If columns are missing, shapes disagree, samples are NaN or infinite, a channel is flat in
        every window, amplitudes are none that EEG has, a subject has two targets, fewer than
        `MIN_SUBJECTS` subjects have a target, or all targets are equal.
    """
    _check_shapes(name, X, table, target, ch_names)
    _check_axes(name, sfreq, ch_names)
    evaluated, target_notes = _subject_targets(name, table, target)
    kept = table["subject"].map(evaluated).notna().to_numpy()
    if not kept.all():
        X = X[kept]
        table = table.loc[kept]
    y: NDArray[np.float64] = np.asarray(table["subject"].map(evaluated), dtype=np.float64)
    check_targets(name, target, evaluated.dropna())
    table = table.drop(columns=[target]).reset_index(drop=True)
    deviations = _check_samples(name, X, table, ch_names, may_be_flat)
    refuse_amplitudes(name, deviations, table["subject"].tolist(), ch_names, unit)
    X, y = _locked(np.ascontiguousarray(X, dtype=np.float32)), _locked(y)
    return Cohort(
        name=name,
        X=X,
        y=y,
        table=table,
        sfreq=float(sfreq),
        ch_names=tuple(ch_names),
        unit=unit,
        target=target,
        fingerprint=fingerprint(
            X=X, y=y, table=table, sfreq=sfreq, ch_names=ch_names, unit=unit, target=target
        ),
        provenance=dict(provenance),
        notes=(*notes, *target_notes),
        injected=injected,
    )


def fingerprint(
    *,
    X: NDArray[np.float32],
    y: NDArray[np.float64],
    table: pd.DataFrame,
    sfreq: float,
    ch_names: Sequence[str],
    unit: str,
    target: str,
) -> str:
    """Return the sha256 over a cohort's content: samples, targets, table and their meaning.

    Parameters
    ----------
    X, y, table, sfreq, ch_names, unit, target
        As in `pfactor_bench.types.Cohort`. The cohort's name takes no part.

    Returns
    -------
    str
        64 hexadecimal digits, the same on every platform.
    """
    digest = hashlib.sha256()
    digest.update(repr((X.shape, float(sfreq), tuple(ch_names), unit, target)).encode())
    for _, windows in blocks(X):
        digest.update(np.ascontiguousarray(windows, dtype="<f4").data)
    digest.update(y.astype("<f8").tobytes())
    for column in table.columns:
        digest.update(f"\x1e{column}\x1f".encode())
        digest.update("\x1f".join("" if pd.isna(v) else str(v) for v in table[column]).encode())
    return digest.hexdigest()


def check_targets(name: str, target: str, targets: pd.Series[float]) -> None:
    """Refuse targets that nothing can be learnt from.

    Parameters
    ----------
    name, target
        The cohort's and the target's name, for messages.
    targets
        One per subject, none missing.

    Raises
    ------
    CohortError
        If there are fewer than `MIN_SUBJECTS`, or all are equal.
    """
    if len(targets) < MIN_SUBJECTS:
        raise CohortError(
            f"cohort {name!r} has {len(targets)} subjects with a {target!r}: at least "
            f"{MIN_SUBJECTS} are needed to train on some and hold out others"
        )
    if (targets == targets.iloc[0]).all():
        raise CohortError(
            f"all {len(targets)} subjects of cohort {name!r} have {target} = {targets.iloc[0]:g}: "
            f"a constant target cannot be predicted better than by its mean; choose another target"
        )


def listed(names: Sequence[str]) -> str:
    """Return names for a message: spelt out while they are few, counted beyond that."""
    shown = ", ".join(names[:_MAX_NAMES])
    return f"{shown} and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else shown


def _check_shapes(
    name: str,
    X: NDArray[np.float32],
    table: pd.DataFrame,
    target: str,
    ch_names: Sequence[str],
) -> None:
    missing = [column for column in (*WINDOW_COLUMNS, target) if column not in table.columns]
    if missing:
        raise CohortError(
            f"the table of cohort {name!r} has no column {missing[0]!r}: it has "
            f"{', '.join(map(repr, table.columns))}"
        )
    if X.ndim != 3:  # noqa: PLR2004 - windows, channels, samples
        raise CohortError(
            f"windows of cohort {name!r} have shape {X.shape}: expected "
            f"(n_windows, n_chans, n_times)"
        )
    if X.shape[2] == 0:
        raise CohortError(f"windows of cohort {name!r} have shape {X.shape}: they hold no samples")
    if len(X) != len(table):
        raise CohortError(f"cohort {name!r} has {len(X)} windows but {len(table)} table rows")
    if X.shape[1] != len(ch_names):
        raise CohortError(
            f"windows of cohort {name!r} have {X.shape[1]} channels but {len(ch_names)} names"
        )
    if not table["sample_id"].is_unique:
        twice = table.loc[table["sample_id"].duplicated(), "sample_id"].iloc[0]
        raise CohortError(f"sample_id {twice!r} of cohort {name!r} stands twice: it names a window")


def _check_axes(name: str, sfreq: float, ch_names: Sequence[str]) -> None:
    if not 0 < sfreq < np.inf:
        raise CohortError(f"sfreq of cohort {name!r} is {sfreq!r}: a rate in Hz is above 0")
    twice = [channel for channel in ch_names if list(ch_names).count(channel) > 1]
    if twice:
        raise CohortError(f"channel {twice[0]!r} of cohort {name!r} stands twice: name each once")


def _subject_targets(
    name: str, table: pd.DataFrame, target: str
) -> tuple[pd.Series[float], tuple[str, ...]]:
    """Return one target per subject, NaN where missing, and the notes about them."""
    pairs = table[["subject", target]].drop_duplicates()
    if not pairs["subject"].is_unique:
        subject = pairs.loc[pairs["subject"].duplicated(), "subject"].iloc[0]
        both = pairs.loc[pairs["subject"] == subject, target].tolist()
        raise CohortError(
            f"subject {subject!r} of cohort {name!r} has {len(both)} values of {target!r} "
            f"({both[0]!r}, {both[1]!r}): a target belongs to a subject, so give one"
        )
    subjects = pairs["subject"].astype(str).tolist()
    targets, notes = parse_targets(pairs[target].tolist(), target=target, subjects=subjects)
    missing = sorted(s for s, value in zip(subjects, targets, strict=True) if np.isnan(value))
    if missing:
        notes = (*notes, f"{len(missing)} subjects without {target} left out: {listed(missing)}")
    return pd.Series(targets, index=subjects), notes


def _check_samples(
    name: str,
    X: NDArray[np.float32],
    table: pd.DataFrame,
    ch_names: Sequence[str],
    may_be_flat: Sequence[str],
) -> NDArray[np.float32]:
    """Return the standard deviation of each channel in each window, all samples being numbers."""
    varies = np.zeros(X.shape[1], dtype=bool)
    deviations = np.empty(X.shape[:2], dtype=np.float32)
    for first, windows in blocks(X):
        low, high = windows.min(axis=2), windows.max(axis=2)
        # NaN passes through both, so they are finite only where every sample is.
        broken = ~(np.isfinite(low) & np.isfinite(high))
        if broken.any():
            position, channel = np.argwhere(broken)[0]
            raise CohortError(
                f"window {table['sample_id'].iloc[first + position]!r} of cohort {name!r} holds "
                f"NaN or infinite samples in channel {ch_names[channel]!r}: repair or leave out "
                f"the recording"
            )
        varies |= (high > low).any(axis=0)
        deviations[first : first + len(windows)] = windows.std(axis=2)
    flat = [
        channel
        for channel, alive in zip(ch_names, varies, strict=True)
        if not alive and channel not in may_be_flat
    ]
    if flat:
        raise CohortError(
            f"channel {flat[0]!r} of cohort {name!r} is flat in every window (flat: "
            f"{listed(flat)}): it may be the recording reference; leave it out of 'channels'"
        )
    return deviations


def _locked(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view

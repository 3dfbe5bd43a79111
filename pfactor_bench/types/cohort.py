"""Subjects and their windows, and what a synthetic cohort hides in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Cohort", "InjectedSignal"]


@dataclass(frozen=True, kw_only=True, slots=True)
class InjectedSignal:
    """What a synthetic cohort hides in its windows, so that it can be looked for.

    Parameters
    ----------
    ch_names
        The channels that carry the target.
    frequency
        The carrier, in Hz.
    """

    ch_names: tuple[str, ...]
    frequency: float


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Cohort:
    """Windows of many subjects with one target per subject: what every study is handed.

    Build one with `pfactor_bench.cohorts.make_cohort`, which checks it and takes its fingerprint.

    Parameters
    ----------
    name
        The cohort's name, for reports.
    X
        Windows, float32, shape ``(n_windows, n_chans, n_times)``, in `unit`; not writable.
    y
        The subject's target repeated for each window, float64, shape ``(n_windows,)``.
    table
        A row per window: ``sample_id, subject, session, run, task, start, stop`` (samples in the
        recording, half open) and the subject-level columns (age, sex, ...).
    sfreq
        Sampling rate in Hz.
    ch_names
        Channel names in the order of ``X``'s second axis.
    unit
        Unit of `X`, such as ``"uV"``.
    target
        The target's name.
    fingerprint
        sha256 over the content; two cohorts with one fingerprint are the same data.
    provenance
        Where the data came from and how they were prepared, as plain JSON values.
    notes
        What a reader must know: conversions, exclusions with the subjects' names.
    injected
        The hidden signal, for synthetic cohorts.
    """

    name: str
    X: NDArray[np.float32]
    y: NDArray[np.float64]
    table: pd.DataFrame
    sfreq: float
    ch_names: tuple[str, ...]
    unit: str
    target: str
    fingerprint: str
    provenance: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    injected: InjectedSignal | None = None

    def __repr__(self) -> str:
        from pfactor_bench.types.display import cohort_line

        return cohort_line(self)

    def _repr_html_(self) -> str:
        from pfactor_bench.types.display import cohort_html

        return cohort_html(self)

    @property
    def subjects(self) -> NDArray[np.str_]:
        """The subject of each window, str, shape ``(n_windows,)``."""
        subjects: NDArray[np.str_] = self.table["subject"].to_numpy(dtype=str)
        return subjects

    @property
    def n_subjects(self) -> int:
        """How many subjects the cohort holds."""
        return int(self.table["subject"].nunique())

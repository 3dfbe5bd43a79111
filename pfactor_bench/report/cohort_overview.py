"""What is in a cohort, as a table: subjects, targets, correlates, channels, fingerprint."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tabulate import tabulate

from pfactor_bench.models.features import channel_levels, recording_seconds
from pfactor_bench.report.figures.style import signed
from pfactor_bench.report.text import plain
from pfactor_bench.statistics.correlations import pearson_interval
from pfactor_bench.types import Cohort

#: A channel is noisy in a subject if it varies so many times as much as in subjects at large.
NOISY = 3.0

#: So many names are spelt out.
_MAX_NAMES = 10


def cohort_subjects(cohort: Cohort) -> pd.DataFrame:
    """Return a row per subject: target, windows, seconds, and what else the table knows of them."""
    table = cohort.table.assign(target=cohort.y)
    subjects = table.groupby("subject").first()
    subjects["windows"] = table.groupby("subject").size()
    subjects["seconds"] = recording_seconds(cohort.table, cohort.sfreq)
    return subjects.drop(columns=["sample_id", "session", "run", "task", "start", "stop"])


def cohort_table(cohort: Cohort) -> str:
    """Return what a reader should know of a cohort before anything is trained, as text."""
    subjects = cohort_subjects(cohort)
    n_windows, n_chans, n_times = cohort.X.shape
    targets, seconds, windows = subjects["target"], subjects["seconds"], subjects["windows"]
    facts = [
        ("subjects", f"{len(subjects):,}"),
        (
            "windows",
            (
                f"{n_windows:,}, {windows.min():,} to {windows.max():,} a subject (median "
                f"{windows.median():,.0f})"
            ),
        ),
        (
            "a window",
            (
                f"{n_chans} channels × {n_times} samples at {cohort.sfreq:g} Hz "
                f"({n_times / cohort.sfreq:g} s), in {cohort.unit}"
            ),
        ),
        ("in memory", f"{cohort.X.nbytes / 1e6:,.0f} MB"),
        ("recorded", f"{seconds.min():,.0f} to {seconds.max():,.0f} s a subject"),
        (
            cohort.target,
            (
                f"mean {signed(targets.mean(), 3)}, SD {targets.std():.3f}, "
                f"{signed(targets.min())} to {signed(targets.max())}"
            ),
        ),
        ("fingerprint", cohort.fingerprint),
    ]
    parts = [
        f"{plain(cohort.name)}\n\n" + tabulate(facts, tablefmt="plain", disable_numparse=True),
        f"Across subjects, r with {plain(cohort.target)}\n\n" + _relations(subjects),
        "Channels\n\n" + _channels(cohort),
    ]
    if cohort.notes:
        notes = "\n".join(f"- {plain(note, limit=600)}" for note in cohort.notes)
        parts.append(f"Notes\n\n{notes}")
    return "\n\n".join(parts)


def _relations(subjects: pd.DataFrame) -> str:
    """Return how the target correlates with every other number and two-valued column."""
    rows, reasons = [], []
    for name in subjects.columns.drop("target"):
        numbers, meaning = _as_numbers(subjects[name])
        known = numbers.notna()
        if numbers[known].nunique() < 2:  # noqa: PLR2004 - nothing to correlate with
            continue
        targets = subjects.loc[known, "target"].to_numpy(dtype=float)
        values = numbers[known].to_numpy(dtype=float)
        r = float(np.corrcoef(targets, values)[0, 1])
        interval = pearson_interval(targets, values[np.newaxis])
        if isinstance(interval, str):
            reasons.append(f"{plain(name)}: no interval, {interval}")
            shown = "none"
        else:
            shown = f"{signed(interval.low)} to {signed(interval.high)}"
        rows.append((f"{plain(name)}{meaning}", int(known.sum()), signed(r), shown))
    headers = ("", "subjects", "r", "95 % interval")
    if not rows:
        return "nothing that varies is known of them"
    aligned = ("left", *["right"] * 3)
    table = tabulate(rows, headers=headers, disable_numparse=True, colalign=aligned)
    return "\n".join([table, *reasons])


def _as_numbers(column: pd.Series) -> tuple[pd.Series, str]:
    """Return a column as numbers, and what 1 means where it holds one of two words."""
    numbers = pd.to_numeric(column, errors="coerce")
    if numbers.notna().any():
        return numbers, ""
    words = sorted(column.dropna().astype(str).unique())
    if len(words) == 2:  # noqa: PLR2004 - a yes-or-no
        coded = (column == words[1]).astype(float).where(column.notna())
        return coded, f" ({plain(words[1])} against {plain(words[0])})"
    return numbers, ""


def _channels(cohort: Cohort) -> str:
    names, levels = channel_levels(cohort)
    usual = np.median(levels, axis=0)
    rows = [
        (
            plain(channel),
            f"{usual[at]:.3g}",
            f"{levels[:, at].min():.3g} to {levels[:, at].max():.3g}",
            _who(names, levels[:, at] == 0),
            _who(names, levels[:, at] > NOISY * usual[at]),
        )
        for at, channel in enumerate(cohort.ch_names)
    ]
    unit = plain(cohort.unit)
    headers = ("", f"SD, median ({unit})", "over subjects", "flat in", f"over {NOISY:g}× median in")
    return tabulate(rows, headers=headers, disable_numparse=True)


def _who(names: NDArray[np.str_], chosen: NDArray[np.bool_]) -> str:
    subjects = [plain(name) for name in names[chosen]]
    if not subjects:
        return "nobody"
    shown = ", ".join(subjects[:_MAX_NAMES])
    more = f" and {len(subjects) - _MAX_NAMES} more" if len(subjects) > _MAX_NAMES else ""
    return f"{len(subjects)}: {shown}{more}"

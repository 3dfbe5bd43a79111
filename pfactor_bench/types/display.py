"""A cohort in a line, and as a notebook shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.types import html

if TYPE_CHECKING:
    from pfactor_bench.types.cohort import Cohort

__all__ = ["cohort_html", "cohort_line"]

#: So much of a fingerprint tells cohorts apart.
_SHORT = 12


def cohort_line(cohort: Cohort) -> str:
    """Return what a cohort is, in a line."""
    n_windows, n_chans, n_times = cohort.X.shape
    return (
        f"<Cohort {cohort.name!r}: {cohort.n_subjects:,} subjects, {n_windows:,} windows of "
        f"{n_chans} channels × {n_times} samples at {cohort.sfreq:g} Hz, target {cohort.target!r}>"
    )


def cohort_html(cohort: Cohort) -> str:
    """Return what a cohort is and what a reader must know, with its origin and table folded."""
    n_windows, n_chans, n_times = cohort.X.shape
    targets = cohort.table.assign(y=cohort.y).groupby("subject")["y"].first()
    facts = [
        ("subjects", f"{cohort.n_subjects:,}"),
        ("windows", f"{n_windows:,} of {n_times / cohort.sfreq:g} s, in {cohort.unit}"),
        ("channels", f"{n_chans} at {cohort.sfreq:g} Hz: {', '.join(cohort.ch_names)}"),
        ("target", f"{cohort.target}: mean {targets.mean():.3g}, SD {targets.std(ddof=1):.3g}"),
        ("fingerprint", f"{cohort.fingerprint[:_SHORT]}…"),
    ]
    first = cohort.table.head()
    return html.card(
        f"Cohort {cohort.name}",
        html.rows(facts),
        html.listing(cohort.notes),
        html.folded("first windows", html.rows(first.itertuples(index=False), tuple(first))),
        html.folded("where it comes from", html.rows(cohort.provenance.items())),
    )

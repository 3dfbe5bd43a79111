"""Who is in the cohort and who is held out, in words: what the figures of both show."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pfactor_bench.report.facts import held_out_people
from pfactor_bench.report.text import count, number, picture, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pfactor_bench.records.record import Record

__all__ = ["cohort_alt_text", "cohort_plot", "people_of", "split_alt_text", "split_plot"]

_MOST_FOLDS = 6


def people_of(record: Record) -> Mapping[str, Any] | None:
    """Return ``subjects, scores, n_windows`` of everybody; None where the record holds none."""
    people: Mapping[str, Any] | None = record.cohort.get("people")
    return people if people and people["subjects"] else None


def split_plot(record: Record) -> str:
    """Return the diagram of who is where."""
    return picture(
        "split", alt=split_alt_text(record), caption="A column per person, a row per fold."
    )


def split_alt_text(record: Record) -> str:
    """Return what the diagram shows, for a reader who cannot see it; plain text, not escaped."""
    folds = record.split["folds"]
    shown = "; ".join(
        f"{plain(fold['name'])} trains on {count(len(fold['train_subjects']), 'person', 'people')}"
        f" and holds out {len(fold['test_subjects']):,}"
        for fold in folds[:_MOST_FOLDS]
    )
    left = len(folds) - _MOST_FOLDS
    more = f"; and {left:,} more folds" if left > 0 else ""
    return f"Who is trained on and who is held out: {shown}{more}. {_overlap(record)}"


def cohort_plot(record: Record) -> str:
    """Return the overview of scores and windows, where the record knows everybody's."""
    if people_of(record) is None:
        return ""
    return picture(
        "cohort",
        alt=cohort_alt_text(record),
        caption="Everybody's score, and how many windows each person has.",
    )


def cohort_alt_text(record: Record) -> str:
    """Return what the overview shows, for a reader who cannot see it; plain text, not escaped."""
    people = people_of(record) or {"subjects": [], "scores": [0], "n_windows": [0]}
    scores, windows = people["scores"], people["n_windows"]
    cohort = record.cohort
    each = (
        f"{windows[0]:,} windows each"
        if len(set(windows)) == 1
        else f"{min(windows):,} to {max(windows):,} windows each"
    )
    return (
        f"{plain(cohort['target'])} of {count(len(scores), 'person', 'people')} runs from "
        f"{number(min(scores))} to {number(max(scores))}, mean {number(cohort['score_mean'])}, SD "
        f"{number(cohort['score_sd'])}; {held_out_people(record):,} of them are held out at some "
        f"time. {each}."
    )


def _overlap(record: Record) -> str:
    folds = record.split["folds"]
    both = {name for fold in folds for name in {*fold["train_subjects"]} & {*fold["test_subjects"]}}
    if both:
        return f"{count(len(both), 'person stands', 'people stand')} on both sides of a fold."
    often = Counter(name for fold in folds for name in fold["test_subjects"])
    most = max(often.values(), default=0)
    return "Nobody is on both sides of a fold" + (
        ", and nobody is held out twice." if most <= 1 else f"; some are held out {most} times."
    )

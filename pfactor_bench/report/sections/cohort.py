"""Whose EEG it is, what it was made into, and who was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.report.facts import held_out_subjects, subjects_of
from pfactor_bench.report.section import Figure, Section
from pfactor_bench.report.text import (
    bullets,
    count,
    escape,
    joined,
    md,
    name_list,
    number,
    plain,
    table,
    value_in_words,
)

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record
    from pfactor_bench.report.text import Markdown


def _text(record: Record) -> list[Markdown]:
    cohort = record.cohort
    seconds = cohort["n_times"] / cohort["sfreq"]
    windows = f"{cohort['n_windows']:,} of {seconds:g} s at {cohort['sfreq']:g} Hz"
    moments = (
        f"mean {number(cohort['target_mean'])}, SD {number(cohort['target_sd'])} over subjects"
    )
    rows: list[list[object]] = [
        ["name", cohort["name"]],
        ["subjects", f"{cohort['n_subjects']:,}"],
        ["windows", md("{}, in {}", windows, cohort["unit"])],
        ["channels", md("{:,}: {}", len(cohort["ch_names"]), name_list(cohort["ch_names"]))],
        ["target", md("{}, {}", cohort["target"], moments)],
    ]
    if injected := cohort.get("injected"):
        rhythm = md(
            "a {:g} Hz rhythm in {}", injected["frequency"], name_list(injected["ch_names"])
        )
        rows.append(["injected signal", rhythm])
    made = (md("{} = {}", key, value_in_words(v)) for key, v in cohort["provenance"].items())
    rows.append(["made with", joined(", ", made)])
    notes = bullets([md("Note: {}", escape(note, limit=5000)) for note in cohort["notes"]])
    return [
        FIGURE.shown(record, "Every subject's target, and how many windows each subject has."),
        table(["what", "value"], rows),
        notes,
    ]


def _alt_text(record: Record) -> str:
    """Return what the overview shows, for a reader who cannot see it; plain text, not escaped."""
    subjects = subjects_of(record) or {"subjects": [], "targets": [0], "n_windows": [0]}
    targets, windows = subjects["targets"], subjects["n_windows"]
    cohort = record.cohort
    each = (
        f"{windows[0]:,} windows each"
        if len(set(windows)) == 1
        else f"{min(windows):,} to {max(windows):,} windows each"
    )
    return (
        f"{plain(cohort['target'])} of {count(len(targets), 'subject', 'subjects')} runs from "
        f"{number(min(targets))} to {number(max(targets))}, mean {number(cohort['target_mean'])}, "
        f"SD {number(cohort['target_sd'])}; {held_out_subjects(record):,} of them are held out at "
        f"some time. {each}."
    )


FIGURE = Figure(
    file="cohort",
    module="cohort",
    alt=_alt_text,
    is_drawn=lambda record: subjects_of(record) is not None,
)
SECTION = Section(order=140, heading="Cohort", text=_text, figure=FIGURE)

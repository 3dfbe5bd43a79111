"""Sections of a report about where its numbers come from: people, split, code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pfactor_bench.report.sections.head import run_again
from pfactor_bench.report.sections.people import cohort_plot, split_plot
from pfactor_bench.report.text import bullets, count, escape, listed, number, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pfactor_bench.records.record import Record

__all__ = ["cohort_section", "provenance_section", "split_section"]


def cohort_section(record: Record) -> str:
    """Return whose EEG it is, what it was made into, and who was left out."""
    cohort = record.cohort
    seconds = cohort["n_times"] / cohort["sfreq"]
    windows = f"{cohort['n_windows']:,} of {seconds:g} s at {cohort['sfreq']:g} Hz"
    moments = f"mean {number(cohort['score_mean'])}, SD {number(cohort['score_sd'])} over people"
    rows = [
        ["name", escape(cohort["name"])],
        ["people", f"{cohort['n_subjects']:,}"],
        ["windows", f"{windows}, in {escape(cohort['unit'])}"],
        ["channels", f"{len(cohort['ch_names']):,}: {listed(cohort['ch_names'])}"],
        ["score", f"{escape(cohort['target'])}, {moments}"],
    ]
    if planted := cohort.get("planted"):
        rhythm = f"a {planted['frequency']:g} Hz rhythm in {listed(planted['ch_names'])}"
        rows.append(["planted signal", rhythm])
    made = ", ".join(f"{escape(key)} = {_value(v)}" for key, v in cohort["provenance"].items())
    rows.append(["made with", made])
    notes = bullets([f"Note: {escape(note, limit=5000)}" for note in cohort["notes"]])
    return "\n\n".join(
        part
        for part in ("## Cohort", cohort_plot(record), table(["what", "value"], rows), notes)
        if part
    )


def split_section(record: Record) -> str:
    """Return who was trained on and who was held out."""
    folds = record.split["folds"]
    rows = [
        [
            escape(fold["name"]),
            f"{len(fold['train_subjects']):,}",
            f"{fold['n_train_windows']:,}",
            f"{len(fold['test_subjects']):,}",
            f"{fold['n_test_windows']:,}",
            listed(fold["test_subjects"]),
        ]
        for fold in folds
    ]
    headers = [
        "fold",
        "people trained on",
        "their windows",
        "people held out",
        "their windows",
        "who is held out",
    ]
    return (
        f"## Split\n\nBy {escape(record.split['name'])}: {count(len(folds), 'fold')}.\n\n"
        f"{split_plot(record)}\n\n{table(headers, rows)}"
    )


def provenance_section(record: Record) -> str:
    """Return what the run rested on, and the command that repeats it."""
    facts = dict(record.provenance)
    facts.pop("command", None)
    commit = facts.pop("commit", None)
    dirty = facts.pop("dirty", None)
    packages = facts.pop("packages", None) or {}
    encoders = facts.pop("encoders", None)
    again = facts.pop("measured_again", None)
    rows = [
        ["commit", _commit(commit, dirty=dirty)],
        *([escape(key.replace("_", " ")), _value(value)] for key, value in facts.items()),
        *([["encoders", _encoders(encoders)]] if encoders else []),
        *([["numbers computed again", _measured_again(again)]] if again else []),
        ["packages", ", ".join(f"{escape(name)} {_value(v)}" for name, v in packages.items())],
        ["cohort, sha256", escape(record.cohort["fingerprint"])],
        [f"{escape(record.suite['file'])}, sha256", escape(record.suite["sha256"])],
        ["record schema", str(record.schema_version)],
    ]
    parts = ["## Provenance", table(["what", "value"], rows)]
    if again := run_again(record, *([f"git checkout {commit}"] if commit else [])):
        parts += ["### Run it again", again]
    return "\n\n".join(parts)


def _encoders(encoders: Sequence[Mapping[str, Any]]) -> str:
    """Return whom encoders were pretrained on, in numbers; everything else is in the record."""
    people = sorted({len(one.get("people", ())) for one in encoders})
    between = f"{people[0]:,}" if len(people) == 1 else f"{people[0]:,} to {people[-1]:,}"
    return (
        f"{count(len(encoders), 'encoder')}, pretrained on {between} people each; whom, and how, "
        f"is in record.json under provenance"
    )


def _measured_again(again: Mapping[str, Any]) -> str:
    """Return when, and by which code, numbers were computed from stored predictions."""
    code = _commit(again.get("commit"), dirty=again.get("dirty"))
    return f"from the stored predictions, {_value(again.get('date'))}, by commit {code}"


def _commit(commit: str | None, *, dirty: bool | None) -> str:
    if commit is None:
        return "not known: the code ran outside its repository"
    edited = {True: ", **with edits that were not committed**", False: "", None: ""}[dirty]
    return f"{escape(commit)}{edited}"


def _value(value: object) -> str:
    if value is None:
        return "not known"
    return escape(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))

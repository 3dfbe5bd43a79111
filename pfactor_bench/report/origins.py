"""Sections of a report about where its numbers come from: people, split, time, code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pfactor_bench.report.text import bullets, code_block, count, escape, number, table

if TYPE_CHECKING:
    from pfactor_bench.record import Record

__all__ = ["cohort_section", "provenance_section", "split_section", "timing_section"]

_MOST_NAMES = 20
_MIB = 2**20


def cohort_section(record: Record) -> str:
    """Return whose EEG it is, what it was made into, and who was left out."""
    cohort = record.cohort
    seconds = cohort["n_times"] / cohort["sfreq"]
    lines = [
        f"{escape(cohort['name'])}: {count(cohort['n_subjects'], 'person', 'people')}, "
        f"{count(cohort['n_windows'], 'window')} of {seconds:g} s at {cohort['sfreq']:g} Hz, "
        f"{count(len(cohort['ch_names']), 'channel')} ({_names(cohort['ch_names'])}), "
        f"in {escape(cohort['unit'])}",
        f"Score: {escape(cohort['target'])}, mean {number(cohort['score_mean'])}, "
        f"SD {number(cohort['score_sd'])} over people",
    ]
    if planted := cohort.get("planted"):
        lines.append(
            f"Planted: a {planted['frequency']:g} Hz rhythm in {_names(planted['ch_names'])}"
        )
    lines += [
        f"{escape(key)}: {_value(value)}"
        for key, value in cohort["provenance"].items()
        if value not in (None, cohort["name"])
    ]
    lines += [f"Note: {escape(note)}" for note in cohort["notes"]]
    return f"## Cohort\n\n{bullets(lines)}"


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
            _names(fold["test_subjects"]),
        ]
        for fold in folds
    ]
    headers = ["fold", "people trained on", "windows", "people held out", "windows", "held out"]
    return (
        f"## Split\n\nBy {escape(record.split['name'])}: {count(len(folds), 'fold')}.\n\n"
        f"{table(headers, rows)}"
    )


def timing_section(record: Record) -> str:
    """Return what took how long on the machine of this run."""
    rows = [
        [
            escape(timing.name),
            escape(timing.device),
            f"{timing.seconds:.2f}",
            f"{timing.windows / timing.seconds:,.0f}"
            if timing.windows is not None and timing.seconds > 0
            else "–",
            f"{timing.peak_bytes / _MIB:,.0f}" if timing.peak_bytes is not None else "–",
        ]
        for timing in record.timings
    ]
    headers = ["work", "device", "seconds", "windows/s", "peak memory (MiB)"]
    body = table(headers, rows) if rows else "Nothing was timed."
    checks = sum(finding.seconds for finding in record.findings)
    return f"## Timing\n\n{body}\n\nAll checks together: {checks:.2f} s."


def provenance_section(record: Record) -> str:
    """Return what the run rested on, and the command that repeats it."""
    facts = dict(record.provenance)
    command = facts.pop("command", None)
    packages = facts.pop("packages", None) or {}
    dirty = facts.pop("dirty", None)
    facts["commit"] = _commit(facts.get("commit"), dirty=dirty)
    facts["packages"] = ", ".join(
        f"{name} {version or 'not installed'}" for name, version in packages.items()
    )
    facts["cohort fingerprint"] = record.cohort["fingerprint"]
    facts[f"suite {record.suite['file']}"] = f"sha256 {record.suite['sha256']}"
    facts["record schema"] = record.schema_version
    rows = [[escape(key.replace("_", " ")), _value(value)] for key, value in facts.items()]
    again = f"\n\nRun it again:\n\n{code_block(command)}" if command else ""
    return f"## Provenance\n\n{table(['', ''], rows)}{again}"


def _commit(commit: str | None, *, dirty: bool | None) -> str:
    if commit is None:
        return "not known: the code ran outside its repository"
    edited = {True: ", edited since", False: "", None: ", edits not known"}[dirty]
    return f"{commit}{edited}"


def _names(names: list[str]) -> str:
    shown = ", ".join(escape(name, limit=40) for name in names[:_MOST_NAMES])
    left = len(names) - _MOST_NAMES
    return f"{shown} and {left:,} more" if left > 0 else shown


def _value(value: Any) -> str:
    if value is None:
        return "not known"
    return escape(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))

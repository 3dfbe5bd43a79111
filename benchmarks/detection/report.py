"""The report of the audited auditor: a pure function of its record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from benchmarks.detection.leaks import injected_leaks
from benchmarks.detection.report_extras import inflation_lines, rival_lines, severity_lines
from benchmarks.detection.trials import DOORS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["headline", "report_text"]

_SUMMARY = """What a user cannot reach does not count: each door is measured by itself, by what one
types, on leaks that one could bring there. A study by its path declares nothing. Saved predictions
cannot be run again, so that most of what a study did wrong cannot be seen in them; they are then
called inconclusive, never clean. An estimator and a model are split by the audit, so that only what
is wrong with the cohort or inside their class is left to be found."""

_CAVEAT = """The leaks and the checks were written by the same authors, and some checks were
extended after a leak had been missed: this says what the audit is able to find, not how it fares on
leaks that nobody here thought of. Trials of one kind share studies and are not independent, so that
less is known than an interval says."""

_HOW = """A small study does one thing wrong, and stands in `leaky.py` or `tricky.py` beside honest
ones. A larger one is made from parts (split, inputs, transformations, training, choice, hand-in):
an injected leak replaces one part, or changes the cohort. It counts as found where a check that
names its kind fails, or warns as a weakness does, and did not on the clean twin. Where a leak
changes nothing in a study (a subject under two names who is in train twice) it is not counted.
Subjects differ by correlations between channels and by the slope of their spectrum, which a z-score
of each window leaves. All audits are at the default effort. Rates carry Wilson's 95 % intervals."""

_FOOT = """Repeat it with `python -m benchmarks.detection`; a run that is stopped goes on where it
was. Everything above is computed from [`detection.json`](detection.json)."""


def headline(record: Mapping[str, Any]) -> str:
    """Return the two numbers that whoever trusts an auditor asks for, by the plain door."""
    plain = record["doors"][0]
    honest, others = plain["honest"], record["doors"][1:]
    found = ", ".join(
        f"{one['found']} of {one['n']} ({one['door']})"
        if one["n"]
        else f"none measured yet ({one['door']})"
        for one in others
    )
    return (
        f"Given by its path, with nothing declared, **{plain['found']} of {plain['n']}** leaky "
        f"studies are found and their kind named ({_percent(plain['rate'])}, 95 % interval "
        f"{_range(plain)}), {plain['clean']} are called clean; **{honest['accused']} of "
        f"{honest['n']}** honest ones are accused ({_percent(honest['rate'])}, {_range(honest)}), "
        f"{honest['undecided']} are left undecided. Through the other doors: {found}. "
        f"{_so_far(record)}"
    )


def report_text(record: Mapping[str, Any]) -> str:
    """Return the report as Markdown."""
    parts = [
        "# The auditor audited",
        headline(record),
        _SUMMARY,
        "## By door",
        _doors(record["doors"]),
        *_accused(record["doors"]),
        _size(record),
        _CAVEAT,
        "## By kind of leak",
        f"![{_matrix_in_words(record)}](matrix.svg)",
        _matrix(record["kinds"]),
        "## What the plain door misses",
        *_missed(record),
        _unreachable(record),
        *severity_lines(record["severities"]),
        *_permuted(record["permutation"]),
        *inflation_lines(record["inflation"]),
        *rival_lines(record["rivals"]),
        *_costs(record["cost"]),
        "## How it was measured",
        _HOW,
        _FOOT,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _doors(doors: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (
            one["what"],
            _cell(one),
            one["clean"] if one["n"] else "",
            _cell({**one["honest"], "found": one["honest"]["accused"]}),
            one["honest"]["undecided"] if one["honest"]["n"] else "",
        )
        for one in doors
    ]
    head = ("door", "leaks found", "leaks called clean", "honest accused", "honest undecided")
    return _table(rows, head)


def _accused(doors: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [
        f"- {one['id']}: "
        + "; ".join(f"{code}: {text}" for code, text in one["explanations"].items())
        for door in doors
        for one in door["honest"]["accusations"]
    ]
    return ["Accused though honest:", "\n".join(lines)] if lines else []


def _so_far(record: Mapping[str, Any]) -> str:
    done, planned = record["n_audits"], record["n_planned"]
    part = "all that are" if done == planned else f"of {planned:,} that are"
    return f"Measured {_when(record)}: {done:,} audits, {part} planned."


def _size(record: Mapping[str, Any]) -> str:
    return (
        f"In all, studies ran {record['n_runs']:,} times. Injected without effect, and not "
        f"counted: {record['harmless']}."
    )


def _when(record: Mapping[str, Any]) -> str:
    first, last = record["dates"]
    return f"on {first}" if first == last else f"from {first} to {last}"


def _matrix(kinds: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (kind["kind"], kind["title"], *(_short(kind["doors"][door]) for door in DOORS))
        for kind in kinds
    ]
    note = (
        "Found of injected. Nothing stands where nobody could bring such a leak, or it was not "
        "measured. A leak of several kinds stands under the first."
    )
    return f"{note}\n\n{_table(rows, ('', 'kind', *DOORS))}"


def _matrix_in_words(record: Mapping[str, Any]) -> str:
    """Return what the heat map shows, for a reader who cannot see it."""
    cells = [kind["doors"]["study"] for kind in record["kinds"]]
    measured = [cell for cell in cells if cell["n"]]
    whole = sum(cell["rate"] == 1 for cell in measured)
    return (
        f"Leaks found by kind and by door: {whole} of {len(measured)} kinds are always found in "
        f"studies given by their path"
    )


def _missed(record: Mapping[str, Any]) -> list[str]:
    if not record["misses"]:
        return ["No leak that was expected to be found was missed."]
    rows = [(miss["leak"], miss["id"].replace("|", "·"), miss["why"]) for miss in record["misses"]]
    return [_table(rows, ("leak", "trial", "why"))]


def _unreachable(record: Mapping[str, Any]) -> str:
    rows = [
        (one["kind"], f"{one['page']}: {one['why']}", f"{one['found']}/{one['n']}")
        for one in record["beyond_reach"]
    ]
    text = (
        "These were injected as well, are in no rate above, and show where the audit ends. Nor can "
        "it see a leak that changes no prediction, choices made before the study was written, and "
        "subjects who never entered the cohort."
    )
    return f"{text}\n\n{_table(rows, ('kind', 'leak', 'found'))}"


def _permuted(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return []
    pages = {name: leak.page for name, leak in injected_leaks().items()}
    shown = [(pages.get(one["leak"], "no leak"), _cell(one), f"{one['runs']:.0f}") for one in rows]
    return [
        "## Whole studies on permuted targets",
        (
            "LK401 is part of thorough audits only and counts nowhere above. It permutes the "
            "targets of all subjects: a leak that lets a held-out subject's own target in still "
            "helps then."
        ),
        _table(shown, ("leak", "accused", "runs")),
    ]


def _costs(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return []
    shown = [(row["code"], row["n"], row["seconds"]) for row in rows]
    return [
        "## What it costs",
        "Medians over honest studies given by their path, on a busy machine of two cores.",
        _table(shown, ("check", "studies", "seconds")),
    ]


def _cell(rate: Mapping[str, Any]) -> str:
    return f"{_short(rate)} ({_range(rate)})" if rate["n"] else ""


def _short(rate: Mapping[str, Any]) -> str:
    return f"{rate['found']}/{rate['n']}" if rate["n"] else ""


def _table(rows: Sequence[tuple[object, ...]], headers: tuple[str, ...]) -> str:
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)


def _range(rate: Mapping[str, Any]) -> str:
    return f"{_percent(rate['low'])} to {_percent(rate['high'])}"


def _percent(value: float | None) -> str:
    if value is None:
        return "not measured"
    return f"{100 * value:.1f} %" if 0 < value < 1 else f"{100 * value:.0f} %"

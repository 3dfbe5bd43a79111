"""The report of the audited auditor: a pure function of its record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from benchmarks.detection.examine import WAYS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["headline", "report_text"]

_CAUTION = """The leaks and the checks were written by the same subjects, and some checks were
extended after a leak had been missed: this says what the audit is able to find, not how it fares on
leaks that nobody here thought of. For several kinds the leak is declared and the check reads the
declaration. Audits of one kind share studies and are not independent, so that less is known than an
interval says. [How it was measured](#how-it-was-measured) is told below."""

_WORDS = """A kind is a mistake of one sort, numbered as in the table below; its severity is how
much of it was injected, and full severity is the whole mistake. A check works in one of four ways:
static looks at data, split and results as they are; metamorphic runs the study again on changed
data and compares its answers; runtime looks at what the study logs while it runs; statistical
compares with chance. Everything here is about studies, not subjects."""

_HOW = """A clean study is made from parts (split, inputs, transformations, training, choice,
hand-in), with everything declared that an honest researcher could declare. An injected leak
replaces one part, one declaration, or changes the cohort. It counts as found where a check that
names its kind fails, or warns as a weakness does, and did not on the clean twin. Where a leak
changes nothing in a study (a subject under two names who both stand on one side) it is not counted.
Subjects differ by correlations between channels and by the slope of their spectrum, which a z-score
of each window leaves. Studies that train a network are audited by the checks of networks as well.
All rates carry Clopper and Pearson's exact 95 % intervals."""

_MENDED = """A trial before this run accused one clean study: features chosen from noise beat chance
in all three draws of LK105. Since then LK105 asks fifteen further draws before it accuses, so the
rate above is that of the mended check. One leak was missed before this run: a hidden sibling of the
target, injected in a small CNN as a rhythm whose power does not tell its sign, so that the network
could not use it. It is injected as an amplitude since then; no check was changed for it."""

_FOOT = """Repeat it with `python -m benchmarks.detection --data DIR`; a run that is stopped goes on
where it was. Everything above is computed from [`detection.json`](detection.json)."""


#: A rate holds for the way that studies were handed over, and for the checks of its day.
_DOOR = (
    "That is through the benchmark's own door: version 0.1 was handed each study with what it "
    "declares about itself (fit logs, weight hashes, exclusions, manifests). A study given by its "
    "path, an estimator, a model or saved predictions declare none of these, and have not been "
    "measured yet."
)


def headline(record: Mapping[str, Any]) -> str:
    """Return the two numbers that whoever trusts an auditor asks for."""
    injected, clean, beyond = record["injected"], record["clean"], record["beyond_reach"]
    n_beyond = sum(one["n"] for one in beyond)
    return (
        f"**{_percent(injected['rate'])}** of {injected['n']} leaks injected at full severity are "
        f"found (95 % interval {_range(injected)}), and **{clean['accused']}** of {clean['n']} "
        f"clean studies are accused ({_percent(clean['rate'])}, {_range(clean)}). {_DOOR} Not "
        f"counted are "
        f"{len(beyond)} leaks known to be beyond its reach, of which it found "
        f"{sum(one['found'] for one in beyond)} in {n_beyond} studies."
    )


def report_text(record: Mapping[str, Any]) -> str:
    """Return the report as Markdown."""
    parts = [
        "# The auditor audited",
        headline(record),
        _targets(record),
        f"In all {record['n_audits']:,} audits ran studies {record['n_runs']:,} times.",
        _CAUTION,
        _WORDS,
        "## How often each kind is found",
        f"![{_matrix_in_words(record)}](matrix.svg)",
        _matrix(record["kinds"]),
        "## What the audit cannot find",
        _unreachable(record),
        *_missed(record),
        _without_effect(record["kinds"]),
        "## How weak a leak may be",
        f"![{_severities_in_words(record['severities'])}](severities.svg)",
        (
            "Share of the injected leaks that were found, from 0 to 1, by how strong they were. By "
            "the quick audit, which runs a study less often than that of the table above, in three "
            "studies for each severity: the intervals are wide, and a share may lie below the "
            "table's."
        ),
        "## The clean studies",
        _clean(record["clean"]),
        _MENDED,
        *_permuted(record["permutation"]),
        *_inflation(record["inflation"]),
        *_rivals(record["rivals"]),
        "## What it costs",
        "Medians over clean studies; a check that runs nothing costs no reruns.",
        _table(
            [(row["code"], row["way"], row["runs"], row["seconds"]) for row in record["cost"]],
            ("check", "way", "reruns", "seconds"),
        ),
        "## How it was measured",
        _HOW,
        _FOOT,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


#: Kinds that an exact comparison finds, always.
_EXACT = (2, 3, 5, 6, 7, 22, 26)
_WANTED, _TOLERATED = 0.95, 0.01


def _targets(record: Mapping[str, Any]) -> str:
    reachable = [kind for kind in record["kinds"] if {"static", "metamorphic"} & set(kind["ways"])]
    below = [f"{one['kind']}" for one in reachable if one["n"] and one["rate"] < _WANTED]
    inexact = [
        str(kind["kind"])
        for kind in record["kinds"]
        if kind["kind"] in _EXACT and kind["rate"] != 1
    ]
    clean = record["clean"]
    rows = [
        ("kinds with a static or metamorphic way: found in 95 % or more", _met(below)),
        (f"kinds {', '.join(map(str, _EXACT))}: always found", _met(inexact)),
        (
            "clean studies: at most 1 % accused, of 200 or more",
            "yes" if clean["rate"] <= _TOLERATED and clean["n"] >= 200 else "**no**",  # noqa: PLR2004
        ),
    ]
    return _table(rows, ("aimed at", "met"))


def _met(exceptions: list[str]) -> str:
    return "yes" if not exceptions else f"**no**: not for {', '.join(exceptions)}"


def _matrix(kinds: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (
            kind["kind"],
            kind["title"],
            _cell(kind),
            *(_cell(kind["ways"].get(way)) for way in WAYS),
            _signed(kind["inflation"]["r"]),
            _signed(kind["inflation"]["skill"]),
        )
        for kind in kinds
    ]
    note = (
        "Found of injected, with the interval. The last columns are what the leak adds to the r "
        "and the skill that a study reports, as medians; a leak may also lower them."
    )
    head = ("", "kind", "found", *WAYS, "r", "skill")
    return f"{note}\n\n{_table(rows, head)}"


def _matrix_in_words(record: Mapping[str, Any]) -> str:
    """Return what the heat map shows, for a reader who cannot see it."""
    kinds = [kind for kind in record["kinds"] if kind["n"]]
    whole = [kind for kind in kinds if kind["rate"] == 1]
    worst = min(kinds, key=lambda kind: kind["rate"], default=None)
    text = (
        f"Leaks found by kind, by way of finding them and by family of models: {len(whole)} of "
        f"{len(kinds)} kinds are always found"
    )
    if worst is None or worst["rate"] == 1:
        return f"{text}."
    return f"{text}; the least found is kind {worst['kind']}, {worst['found']} of {worst['n']}."


def _severities_in_words(curves: Sequence[Mapping[str, Any]]) -> str:
    """Return what the curves show, for a reader who cannot see them."""
    weakest = [min(c["points"], key=lambda point: point["severity"]) for c in curves if c["points"]]
    always = sum(point["n"] > 0 and point["rate"] == 1 for point in weakest)
    never = sum(point["n"] > 0 and point["rate"] == 0 for point in weakest)
    return (
        f"Share of leaks found by severity: at their weakest severity {always} of {len(weakest)} "
        f"leaks are found in every study and {never} in none."
    )


def _cell(rate: Mapping[str, Any] | None) -> str:
    if rate is None or not rate["n"]:
        return ""
    return f"{rate['found']}/{rate['n']} ({_range(rate)})"


def _unreachable(record: Mapping[str, Any]) -> str:
    rows = [
        (one["kind"], f"{one['page']}: {one['why']}", f"{one['found']}/{one['n']}")
        for one in record["beyond_reach"]
    ]
    text = (
        "These were injected as well, are not in the rates above, and show where the audit ends. "
        "Nor can it see a leak that changes no prediction and is declared nowhere, choices made "
        "before the study was written, and subjects who never entered the cohort."
    )
    return f"{text}\n\n{_table(rows, ('kind', 'leak', 'found'))}"


def _missed(record: Mapping[str, Any]) -> list[str]:
    if not record["misses"]:
        return ["No other leak was missed at full severity."]
    rows = [(miss["kind"], miss["id"].replace("|", "·"), miss["why"]) for miss in record["misses"]]
    return ["Missed at full severity:", _table(rows, ("kind", "study", "why"))]


def _without_effect(kinds: Sequence[Mapping[str, Any]]) -> str:
    """Say what was injected where it could not do anything."""
    idle = [f"kind {one['kind']} in {one['harmless']}" for one in kinds if one["harmless"]]
    if not idle:
        return ""
    return (
        f"Injected but without effect on any prediction, and so not counted, by number of studies: "
        f"{', '.join(idle)}."
    )


def _clean(clean: Mapping[str, Any]) -> str:
    families = ", ".join(f"{name} {n}" for name, n in clean["families"].items())
    cohorts = ", ".join(f"{name} {n}" for name, n in clean["cohorts"].items())
    warned = ", ".join(f"{code} in {n}" for code, n in clean["warnings"].items()) or "none"
    lines = [
        f"By family: {families}. By cohort: {cohorts}.",
        f"Undecided: {clean['undecided']}. Warnings, which accuse nobody: {warned}.",
    ]
    for one in clean["accusations"]:
        said = "; ".join(f"{code}: {text}" for code, text in one["explanations"].items())
        lines.append(f"- {one['id']}: {said}")
    return "\n\n".join(lines)


def _permuted(found: Mapping[str, Any]) -> list[str]:
    if not found["leaks"]:
        return []
    rows = [
        (
            one["kind"],
            one["page"],
            "yes" if one["expected"] else "no",
            _cell(one),
            f"{one['runs']:.0f}",
        )
        for one in found["leaks"]
    ]
    clean = found["clean"]
    rows.append(("", "no leak", "no", _cell(clean), f"{clean['runs']:.0f}"))
    return [
        "## Whole studies on permuted targets",
        (
            "LK401 is part of thorough audits only and counts nowhere above. It permutes the "
            "targets anew among subjects: a leak that lets a held-out subject's own target in "
            "still helps then, and can be found; what tells the target by another way, or helps "
            "without it, is lost with it, and is not expected. A leak that adds little skill needs "
            "more subjects than the 18 that stand here, or LK101, which finds it without any "
            "statistics."
        ),
        _table(rows, ("kind", "leak", "expected", "accused", "runs")),
        *_accused_by_chance(clean["accused"]),
    ]


def _accused_by_chance(studies: Sequence[str]) -> list[str]:
    """Name clean studies that are accused, and what else follows from it."""
    if not studies:
        return []
    named = "; ".join(name.replace(" | ", ", ") for name in studies)
    return [
        (
            f"Accused without a leak: {named}. A test that may err has erred there; a leak that "
            f"changes nothing within folds, injected in that very study, is accused with it."
        )
    ]


def _inflation(inflation: Mapping[str, Any] | None) -> list[str]:
    if inflation is None:
        return []
    rows = [
        (
            row["cohort"],
            row["kind"],
            row["leak"],
            row["family"],
            row["n_subjects"],
            *(f"{row['clean'][key]:.2f} → {row['leaky'][key]:.2f}" for key in ("r", "skill")),
            *(_difference(row[key]) for key in ("r", "skill")),
        )
        for row in inflation["rows"]
    ]
    head = ("cohort", "kind", "leak", "model", "subjects", "r", "skill", "Δ r", "Δ skill")
    return [
        "## The inflation",
        (
            f"The same model with and without the leak, over {inflation['n_seeds']} seeds of the "
            "folds: what is reported, and the paired difference with a 95 % interval (jackknife "
            f"over subjects)."
        ),
        _table(rows, head),
    ]


def _difference(found: Mapping[str, Any]) -> str:
    return f"{found['difference']:+.2f} [{found['low']:+.2f}, {found['high']:+.2f}]"


def _rivals(rivals: Mapping[str, Any] | None) -> list[str]:
    if rivals is None:
        return []
    rows = [
        (
            f"{one['tool']} {one['version']}",
            one["found"],
            one["missed"],
            one["not_applicable"],
            f"{one['accused']} of {one['n_clean']}",
            ", ".join(map(str, one["kinds"])) or "none",
        )
        for one in rivals["tools"]
    ]
    head = ("tool", "found", "missed", "could not be applied", "falsely accused", "kinds found")
    notes = [f"- {one['tool']} needs {one['needs']}: {one['given']}." for one in rivals["tools"]]
    tools_by_reason: dict[str, list[str]] = {}
    for one in rivals["tools"]:
        for reason, n in one["reasons"].items():
            tools_by_reason.setdefault(f"{reason}, {n} times", []).append(one["tool"])
    reasons = [
        f"- {reason}: {'every tool' if len(tools) == len(rows) else '; '.join(tools)}"
        for reason, tools in tools_by_reason.items()
    ]
    return [
        "## Other tools on the same leaks",
        rivals["how"],
        _table(rows, head),
        "What each was given:",
        "\n".join(notes),
        *(("Why it could not be applied:", "\n".join(reasons)) if reasons else ()),
    ]


def _table(rows: Sequence[tuple[object, ...]], headers: tuple[str, ...]) -> str:
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)


def _range(rate: Mapping[str, Any]) -> str:
    return f"{_percent(rate['low'])} to {_percent(rate['high'])}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %" if 0 < value < 1 else f"{100 * value:.0f} %"


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:+.2f}"

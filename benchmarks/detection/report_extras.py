"""What stands beside the rates of the doors: severities, the inflation, other tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tabulate import tabulate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["inflation_lines", "rival_lines", "severity_lines"]


def severity_lines(curves: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the section on severities; nothing where none was measured."""
    if not curves:
        return []
    return [
        "## How weak a leak may be",
        f"![{_severities_in_words(curves)}](severities.svg)",
        (
            "Share of the injected leaks that were found, from 0 to 1, by how strong they were, in "
            "studies given by their path. By the quick audit: a share may lie below the table's."
        ),
    ]


def _severities_in_words(curves: Sequence[Mapping[str, Any]]) -> str:
    """Return what the curves show, for a reader who cannot see them."""
    weakest = [min(c["points"], key=lambda point: point["severity"]) for c in curves if c["points"]]
    always = sum(point["n"] > 0 and point["rate"] == 1 for point in weakest)
    never = sum(point["n"] > 0 and point["rate"] == 0 for point in weakest)
    return (
        f"Share of leaks found by severity: at their weakest severity {always} of {len(weakest)} "
        f"leaks are found in every study and {never} in none."
    )


def inflation_lines(inflation: Mapping[str, Any] | None) -> list[str]:
    """Return the section on what a leak adds to a number; nothing where it was not measured."""
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


def rival_lines(rivals: Mapping[str, Any] | None) -> list[str]:
    """Return the section on other tools; nothing where they were not run."""
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

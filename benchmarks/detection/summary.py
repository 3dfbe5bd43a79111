"""From rows, one a trial, to the record: rates by door with intervals, misses, costs.

The record is JSON with these keys:

``schema_version``, ``n_audits``, ``n_runs``, ``n_planned``, ``dates``
    How much was measured of what is planned, and from when to when.
``doors``
    A list, the plain door first: ``door, what``; of leaks ``n, found, rate, low, high``, how many
    ``clean`` (called so though leaky); and ``honest``: ``n, accused, undecided, rate, low, high``,
    ``accusations`` (``id, explanations``).
``kinds``
    A list: ``kind, title``, ``doors`` (name to ``n, found, rate, low, high``).
``beyond_reach``, ``harmless``
    Leaks that are not expected to be found through the plain door (``leak, kind, page, why, n,
    found``), and how many changed nothing where they were injected.
``misses``
    Every leak that no check named through the plain door: ``id, leak, why``.
``severities``, ``permutation``
    Of the plain door: curves (``leak, kind, severity_means, points``) and whole studies permuted.
``cost``
    A list: ``code, n, seconds`` (medians over clean studies).
``inflation``, ``rivals``
    As `benchmarks.detection.inflation` and ``benchmarks/rivals`` write them; None where not
    measured.

A leak counts as found where a check that names its kind fails, or warns as a weakness does, and did
not on the clean twin. Intervals are Wilson's, at 95 %.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.detection.leaks import injected_leaks
from benchmarks.detection.trials import DOORS
from pfactor_bench.checks import catalogue
from pfactor_bench.checks.engine.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["SCHEMA_VERSION", "summarise", "wilson_rate"]

SCHEMA_VERSION = 2
_Z = 1.959964

Row = dict[str, Any]


def wilson_rate(found: int, n: int) -> dict[str, Any]:
    """Return a rate with Wilson's 95 % interval; of nothing, None.

    References
    ----------
    Wilson 1927, doi:10.1080/01621459.1927.10502953.
    """
    if not n:
        return {"n": 0, "found": 0, "rate": None, "low": None, "high": None}
    rate, shrunk = found / n, 1 + _Z**2 / n
    centre = (rate + _Z**2 / (2 * n)) / shrunk
    reach = _Z * (rate * (1 - rate) / n + _Z**2 / (4 * n**2)) ** 0.5 / shrunk
    low, high = max(0.0, centre - reach), min(1.0, centre + reach)
    return {
        "n": n,
        "found": found,
        "rate": rate,
        "low": low if found else 0.0,
        "high": high if found < n else 1.0,
    }


def summarise(
    rows: Sequence[Row],
    *,
    n_planned: int = 0,
    inflation: Mapping[str, Any] | None = None,
    rivals: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the record of all trials that have been run."""
    by_id = {row["id"]: row for row in rows}
    there = [row for row in rows if row["has_effect"]]
    for row in there:
        row["named"] = _named(row, by_id.get(row["twin"]))
    of_doors = [row for row in there if row["part"] == "door"]
    leaky = [row for row in of_doors if row["leak"] and not _beyond(row)]
    honest = [row for row in of_doors if not row["leak"]]
    return {
        "schema_version": SCHEMA_VERSION,
        "n_audits": len(rows),
        "n_runs": sum(row["n_runs"] or 0 for row in there),
        "n_planned": n_planned or len(rows),
        "dates": [min(row["date"] for row in rows), max(row["date"] for row in rows)],
        "doors": [_door(name, leaky, honest) for name in DOORS],
        "kinds": [_kind(kind, leaky) for kind in KINDS],
        "beyond_reach": _unreachable(of_doors),
        "harmless": sum(not row["has_effect"] and row["part"] == "door" for row in rows),
        "misses": [
            {"id": row["id"].partition(" | ")[2], "leak": row["leak"], "why": _why(row)}
            for row in leaky
            if row["door"] == "study" and not row["named"]
        ],
        "severities": _curves([row for row in there if row["part"] == "severity"]),
        "permutation": _permutation([row for row in there if row["part"] == "permutation"]),
        "cost": _costs([row for row in honest if row["door"] == "study"]),
        "inflation": inflation,
        "rivals": rivals,
    }


def _named(row: Row, twin: Row | None) -> list[str]:
    """Return the checks that name an injected kind, and did not on the clean twin."""
    kinds = {entry.code: set(entry.kinds) for entry in catalogue()}
    before = (twin or {}).get("statuses", {})
    return [
        code
        for code, status in row["statuses"].items()
        if kinds[code] & set(row["kinds"])
        and status in {"fail", "warn"}
        and before.get(code) != status
    ]


def _beyond(row: Row) -> bool:
    leak = injected_leaks().get(row["leak"])
    return leak is not None and bool(leak.beyond_reach)


def _rate(rows: Sequence[Row]) -> dict[str, Any]:
    return wilson_rate(sum(bool(row["named"]) for row in rows), len(rows))


def _door(door: str, leaky: Iterable[Row], honest: Iterable[Row]) -> dict[str, Any]:
    mine = [row for row in leaky if row["door"] == door]
    clean = [row for row in honest if row["door"] == door]
    accused = [row for row in clean if row["verdict"] == "leaky"]
    rate = wilson_rate(len(accused), len(clean))
    return {
        "door": door,
        "what": DOORS[door],  # type: ignore[index]
        **_rate(mine),
        "clean": sum(row["verdict"] == "clean" and not row["named"] for row in mine),
        "honest": {
            **{key: rate[key] for key in ("n", "rate", "low", "high")},
            "accused": len(accused),
            "undecided": sum(row["verdict"] == "inconclusive" for row in clean),
            "accusations": [
                {"id": row["id"].partition(" | ")[2], "explanations": row["explanations"]}
                for row in accused
            ],
        },
    }


def _kind(kind: int, leaky: Iterable[Row]) -> dict[str, Any]:
    # What has several kinds stands under the first.
    mine = [row for row in leaky if row["kinds"][0] == kind]
    return {
        "kind": kind,
        "title": KINDS[kind],
        "doors": {door: _rate([row for row in mine if row["door"] == door]) for door in DOORS},
    }


def _unreachable(rows: Iterable[Row]) -> list[dict[str, Any]]:
    found = []
    for name, leak in injected_leaks().items():
        mine = [row for row in rows if row["leak"] == name and row["door"] == "study"]
        if leak.beyond_reach:
            said = {"page": leak.page, "why": leak.beyond_reach, "n": len(mine)}
            n_found = sum(bool(row["named"]) for row in mine)
            found.append({"leak": name, "kind": leak.kind, **said, "found": n_found})
    return found


def _why(row: Row) -> str:
    undecided = [code for code, said in row["statuses"].items() if said == "error"]
    if undecided:
        return f"{undecided[0]} could not decide: {row['explanations'][undecided[0]]}"
    if row["verdict"] == "leaky":
        others = ", ".join(code for code, said in row["statuses"].items() if said == "fail")
        return f"the audit failed the study, by {others}, but no check named this kind"
    return f"no check failed, and the verdict was {row['verdict']}"


def _curves(rows: Sequence[Row]) -> list[dict[str, Any]]:
    curves = []
    for name, leak in injected_leaks().items():
        mine = [row for row in rows if row["leak"] == name]
        points = [
            {"severity": severity, **_rate([row for row in mine if row["severity"] == severity])}
            for severity in leak.severities
        ]
        if mine:
            curve = {"leak": name, "kind": leak.kind, "severity_means": leak.severity_means}
            curves.append({**curve, "points": points})
    return curves


def _permutation(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return how often LK401 finds each leak, and accuses where there is none (the last)."""
    sides: dict[str, list[Row]] = {}
    for row in rows:
        sides.setdefault(row["leak"], []).append(row)
    return [
        {
            "leak": name,
            "runs": median(row["n_runs"] for row in found),
            **wilson_rate(sum(row["statuses"].get("LK401") == "fail" for row in found), len(found)),
        }
        for name, found in sorted(sides.items(), key=lambda side: not side[0])
    ]


def _costs(rows: Iterable[Row]) -> list[dict[str, Any]]:
    spent: dict[str, list[float]] = {}
    for row in rows:
        for code, seconds in row["cost"].items():
            spent.setdefault(code, []).append(seconds)
    return [
        {"code": code, "n": len(seconds), "seconds": round(median(seconds), 3)}
        for code, seconds in sorted(spent.items())
    ]

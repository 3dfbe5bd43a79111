"""From rows, one an audit, to the record: rates with exact intervals, misses, costs.

The record is JSON with these keys:

``clean``
    ``n, accused, rate, low, high, undecided``, ``accusations`` (``id, explanations``),
    ``warnings`` (check to how many clean studies it warned about) and ``families``.
``kinds``
    A list: ``kind, title, leaks, n, found, rate, low, high``, ``ways`` and ``families`` (name to
    ``n, found, rate, low, high``), ``harmless``, and ``inflation`` (``r`` and ``skill``, medians).
``beyond_reach``
    A list of leaks that are not expected to be found: ``leak, kind, page, why, n, found``.
``severities``
    A list of curves: ``leak, kind, severity_means, points`` (``severity, n, found, rate, low,
    high``).
``misses``
    Every leak at full severity that no check named: ``id, kind, leak, why``.
``cost``
    A list: ``code, way, n, runs, seconds`` (medians for an audit).
``permutation``
    Whole studies permuted: ``leaks``, a list of ``leak, kind, page, expected, runs`` and ``n,
    found, rate, low, high``, and ``clean``, with ``runs``, the same, and the ids of those
    ``accused``.
``inflation``, ``rivals``
    As `benchmarks.detection.inflation` and ``benchmarks/rivals`` write them; None where not
    measured.

A leak counts as found where a check that names its kind fails, or warns as a weakness does, and did
not on the clean twin. Intervals are Clopper and Pearson's, at 95 %.
"""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import TYPE_CHECKING, Any

from scipy import stats

from benchmarks.detection.examine import WAYS, way_of
from benchmarks.detection.leaks import injected_leaks
from pfactor_bench.checks import catalogue
from pfactor_bench.checks.engine.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pfactor_bench.checks import CatalogueEntry

__all__ = ["SCHEMA_VERSION", "exact_rate", "summarise"]

SCHEMA_VERSION = 1

Row = dict[str, Any]


def exact_rate(found: int, n: int) -> dict[str, Any]:
    """Return a rate with Clopper and Pearson's 95 % interval; of nothing, None.

    References
    ----------
    Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404.
    """
    if not n:
        return {"n": 0, "found": 0, "rate": None, "low": None, "high": None}
    low = float(stats.beta.ppf(0.025, found, n - found + 1)) if found else 0.0
    high = float(stats.beta.ppf(0.975, found + 1, n - found)) if found < n else 1.0
    return {"n": n, "found": found, "rate": found / n, "low": low, "high": high}


def summarise(
    rows: Sequence[Row],
    *,
    inflation: Mapping[str, Any] | None = None,
    rivals: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the record of all audits."""
    clean = [row for row in rows if row["role"] == "clean"]
    twins = {row["id"]: row for row in clean}
    injected = [row for row in rows if row["role"] == "full severity"]
    for row in injected:
        row["named"] = _named(row, twins.get(row["twin"]))
    leaks = injected_leaks()
    there = [row for row in injected if row["crosses"]]
    counted = [row for row in there if not leaks[row["leak"]].beyond_reach]
    return {
        "schema_version": SCHEMA_VERSION,
        "n_audits": len(rows),
        "n_runs": sum(row["n_runs"] for row in rows),
        "clean": _clean(clean),
        "injected": exact_rate(sum(bool(row["named"]) for row in counted), len(counted)),
        "kinds": [
            _kind(kind, counted, injected, twins)
            for kind in sorted({one.kind for one in leaks.values()})
        ],
        "beyond_reach": [
            _unreachable(name, there) for name, one in leaks.items() if one.beyond_reach
        ],
        "severities": _curves(
            [row for row in rows if row["role"] == "severity" and row["crosses"]]
        ),
        "misses": [
            {"id": row["id"], "kind": row["kind"], "leak": row["leak"], "why": _why(row)}
            for row in counted
            if not row["named"]
        ],
        "cost": _costs([row for row in rows if row["role"] == "clean"]),
        "permutation": _permutation([row for row in rows if row["role"] == "permutation"]),
        "inflation": inflation,
        "rivals": rivals,
    }


def _named(row: Row, twin: Row | None) -> list[str]:
    """Return the checks that name the injected kind, and did not on the clean twin."""
    kinds = {entry.code: entry.kinds for entry in catalogue()}
    before = {} if twin is None else twin["statuses"]
    return [
        code
        for code, status in row["statuses"].items()
        if row["kind"] in kinds[code] and status in {"fail", "warn"} and before.get(code) != status
    ]


def _clean(clean: list[Row]) -> dict[str, Any]:
    accused = [row for row in clean if row["verdict"] == "leaky"]
    rate = exact_rate(len(accused), len(clean))
    warned = Counter(
        code for row in clean for code, said in row["statuses"].items() if said == "warn"
    )
    return {
        **{key: rate[key] for key in ("n", "rate", "low", "high")},
        "accused": len(accused),
        "undecided": sum(row["verdict"] == "inconclusive" for row in clean),
        "accusations": [{"id": row["id"], "explanations": row["explanations"]} for row in accused],
        "warnings": dict(sorted(warned.items())),
        "families": dict(sorted(Counter(row["family"] for row in clean).items())),
        "cohorts": dict(sorted(Counter(row["cohort"] for row in clean).items())),
    }


def _kind(
    kind: int, counted: list[Row], injected: list[Row], twins: Mapping[str, Row]
) -> dict[str, Any]:
    rows = [row for row in counted if row["kind"] == kind]
    codes = {entry.code for entry in catalogue() if kind in entry.kinds and _is_run(entry)}
    families = sorted({row["family"] for row in rows})
    return {
        "kind": kind,
        "title": KINDS[kind],
        "leaks": sorted({row["leak"] for row in rows}),
        **exact_rate(sum(bool(row["named"]) for row in rows), len(rows)),
        "ways": {
            way: _by_way(way, rows) for way in WAYS if any(way_of(code) == way for code in codes)
        },
        "families": {
            name: exact_rate(
                sum(bool(row["named"]) for row in rows if row["family"] == name),
                sum(row["family"] == name for row in rows),
            )
            for name in families
        },
        "harmless": sum(row["kind"] == kind and not row["crosses"] for row in injected),
        "inflation": _inflation(rows, twins),
    }


def _is_run(entry: CatalogueEntry) -> bool:
    """Say whether the default audit of a study runs a check; some need a network, or many runs."""
    return entry.code != "LK401" and not {"model", "paired"} & set(entry.needs)


def _by_way(way: str, rows: list[Row]) -> dict[str, Any]:
    """Return how often checks of one way alone found it, where they were run."""
    leaks = injected_leaks()
    run = [row for row in rows if way != "metamorphic" or not leaks[row["leak"]].declared_only]
    return exact_rate(
        sum(any(way_of(code) == way for code in row["named"]) for row in run), len(run)
    )


def _inflation(rows: list[Row], twins: Mapping[str, Row]) -> dict[str, Any]:
    """Return by how much the leak raises what is reported, over the studies it was injected in."""
    pairs = [
        (row["reported"], twins[row["twin"]]["reported"])
        for row in rows
        if row["twin"] in twins and not injected_leaks()[row["leak"]].declared_only
    ]
    if not pairs:
        return {"n": 0, "r": None, "skill": None}
    return {
        "n": len(pairs),
        **{
            key: median(leaky[key] - clean[key] for leaky, clean in pairs) for key in ("r", "skill")
        },
    }


def _unreachable(name: str, there: list[Row]) -> dict[str, Any]:
    leak, rows = injected_leaks()[name], [row for row in there if row["leak"] == name]
    return {
        "leak": name,
        "kind": leak.kind,
        "page": leak.page,
        "why": leak.beyond_reach,
        "n": len(rows),
        "found": sum(bool(row["named"]) for row in rows),
    }


def _curves(rows: list[Row]) -> list[dict[str, Any]]:
    curves = []
    for name, leak in injected_leaks().items():
        mine = [row for row in rows if row["leak"] == name]
        if not mine:
            continue
        points = []
        for severity in leak.severities:
            at_severity = [row for row in mine if row["severity"] == severity]
            found = sum(bool(_named(row, None)) for row in at_severity)
            points.append({"severity": severity, **exact_rate(found, len(at_severity))})
        curve = {
            "leak": name,
            "kind": leak.kind,
            "severity_means": leak.severity_means,
            "points": points,
        }
        curves.append(curve)
    return curves


def _why(row: Row) -> str:
    undecided = [code for code, said in row["statuses"].items() if said == "error"]
    if undecided:
        return f"{undecided[0]} could not decide: {row['explanations'][undecided[0]]}"
    if row["verdict"] == "leaky":
        others = ", ".join(code for code, said in row["statuses"].items() if said == "fail")
        return f"the audit failed the study, by {others}, but no check named this kind"
    return "no prediction moved by more than rounding, and nothing in the declarations shows it"


def _costs(rows: list[Row]) -> list[dict[str, Any]]:
    spent: dict[str, list[list[float]]] = {}
    for row in rows:
        for code, cost in row["cost"].items():
            spent.setdefault(code, []).append(cost)
    return [
        {
            "code": code,
            "way": way_of(code),
            "n": len(costs),
            "runs": median(runs for runs, _ in costs),
            "seconds": round(median(seconds for _, seconds in costs), 3),
        }
        for code, costs in sorted(spent.items())
    ]


def _permutation(rows: Iterable[Row]) -> dict[str, Any]:
    """Return how often LK401 finds each leak that it can, those that it cannot, and accuses."""
    sides: dict[str, list[Row]] = {}
    for row in rows:
        sides.setdefault(row.get("leak", ""), []).append(row)
    clean = sides.pop("", [])
    (entry,) = [entry for entry in catalogue() if entry.code == "LK401"]
    leaks = [
        {
            "leak": name,
            "kind": found[0]["kind"],
            "page": injected_leaks()[name].page,
            "expected": found[0]["kind"] in entry.kinds,
            "runs": median(row["n_runs"] for row in found),
            **exact_rate(sum(_fails(row) for row in found), len(found)),
        }
        for name, found in sides.items()
    ]
    return {
        "leaks": sorted(leaks, key=lambda one: (not one["expected"], one["kind"], one["leak"])),
        "clean": {
            "runs": median(row["n_runs"] for row in clean) if clean else None,
            "accused": [row["id"].partition(" | ")[2] for row in clean if _fails(row)],
            **exact_rate(sum(_fails(row) for row in clean), len(clean)),
        },
    }


def _fails(row: Row) -> bool:
    return bool(row["statuses"].get("LK401") == "fail")

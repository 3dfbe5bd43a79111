"""Run the cells of a plan, one after the other, so that a killed run goes on where it stopped."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from benchmarks.detection.cohorts import load_cohort
from benchmarks.detection.examine import crosses, examine, way_of
from benchmarks.detection.honest import HONEST
from benchmarks.detection.leaks import injected_leaks
from benchmarks.detection.scenes import clean_scene, play
from pfactor_bench.auditing.audit import DEFAULT, THOROUGH, audit
from pfactor_bench.checks import catalogue
from pfactor_bench.checks.engine.effort import QUICK
from pfactor_bench.errors import CohortError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from benchmarks.detection.leaks import Leak
    from benchmarks.detection.plan import Cell
    from pfactor_bench.checks.engine.effort import Effort

__all__ = ["read_rows", "run_cell", "run_plan"]


def run_plan(
    plan: Sequence[Cell],
    results: Path,
    *,
    data_dir: Path | None = None,
    seconds: float | None = None,
    on_cell: Callable[[str], object] = lambda _id: None,
) -> int:
    """Run the cells that have no result yet and append one JSON line for each.

    Parameters
    ----------
    plan
        What to run, in this order.
    results
        The file of results; a line that was cut short is run again.
    data_dir
        Folder of real data. Without it, cells of EEGMAT are left for another time.
    seconds
        Begin no further cell after this time.
    on_cell
        Called after each cell, for progress.

    Returns
    -------
    int
        How many cells are still to be run.
    """
    began, done = time.monotonic(), {row["id"] for row in read_rows(results)}
    waiting = [cell for cell in plan if cell.id not in done]
    _end_line(results)
    for number, cell in enumerate(waiting):
        if seconds is not None and time.monotonic() - began > seconds:
            return len(waiting) - number
        try:
            row = run_cell(cell, data_dir)
        except CohortError:
            if cell.recipe.cohort != "EEGMAT":
                raise
            continue
        with results.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
        on_cell(cell.id)
    return len([cell for cell in plan if cell.id not in {row["id"] for row in read_rows(results)}])


def read_rows(results: Path) -> list[dict[str, Any]]:
    """Return the results so far; lines that were cut short are left out."""
    if not results.exists():
        return []
    rows = []
    for line in results.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


def _end_line(results: Path) -> None:
    """End a line that a kill cut short, so that the next one stands by itself."""
    results.parent.mkdir(parents=True, exist_ok=True)
    if results.exists() and not results.read_bytes().endswith(b"\n"):
        with results.open("a", encoding="utf-8") as stream:
            stream.write("\n")


def run_cell(cell: Cell, data_dir: Path | None = None) -> dict[str, Any]:
    """Audit one cell and return its row: what was injected, where, and what was said."""
    row = {
        "id": cell.id,
        "role": cell.role,
        "family": cell.recipe.family if cell.small is None else "small studies",
        "protocol": cell.recipe.protocol if cell.small is None else cell.small,
        "cohort": cell.recipe.cohort,
        "recipe": cell.recipe.to_dict(),
        "twin": f"clean | {cell.recipe.id}",
    }
    if cell.small is not None:
        return {**row, **_small_study(cell, data_dir)}
    scene = clean_scene(cell.recipe, data_dir)
    leak = None if cell.leak is None else injected_leaks()[cell.leak]
    effort, only = _budget(cell, leak)
    if leak is None:
        return {**row, **examine(scene, effort=effort, only=only)}
    assert cell.severity is not None  # noqa: S101 - an injected leak has one
    leaky = leak.plant(scene, cell.severity)
    there = leak.declared_only or leak.kind in _NOT_IN_PREDICTIONS
    return {
        **row,
        "kind": leak.kind,
        "leak": leak.name,
        "severity": cell.severity,
        "crosses": there or crosses(leaky, play(leaky), play(scene)),
        **examine(leaky, effort=effort, only=only),
    }


def _budget(cell: Cell, leak: Leak | None) -> tuple[Effort, tuple[str, ...] | None]:
    """Return how thoroughly a cell is audited, and by which checks; None is all of them."""
    if cell.role == "permutation":
        return THOROUGH, ("LK401",)
    if cell.role in {"severity", "quick"}:
        return QUICK, None if leak is None else _codes_for(leak)
    if leak is not None and leak.declared_only:
        # What is only declared changes no run.
        return DEFAULT, tuple(code for code in _codes() if way_of(code) != "metamorphic")
    return DEFAULT, None


#: Kinds that need not change any prediction: who is left out, and what was validated on.
_NOT_IN_PREDICTIONS = frozenset({13, 20, 30})


def _codes() -> tuple[str, ...]:
    return tuple(entry.code for entry in catalogue())


def _codes_for(leak: Leak) -> tuple[str, ...]:
    """Return the checks that name a leak's kind, the dozens of permutations excepted."""
    return tuple(
        entry.code
        for entry in catalogue()
        if leak.kind in entry.kinds and entry.code not in {"LK401", "LK402"}
    )


def _small_study(cell: Cell, data_dir: Path | None) -> dict[str, Any]:
    cohort = load_cohort(cell.recipe.cohort, cell.recipe.cohort_seed, data_dir)
    cohort = replace(cohort, name=cell.recipe.cohort)
    assert cell.small is not None  # noqa: S101 - the caller looked
    began = time.perf_counter()
    found = audit(HONEST[cell.small], cohort)
    failed = [one for one in found.findings if one.status in {"fail", "warn", "error"}]
    return {
        "verdict": found.verdict,
        "statuses": {one.code: one.status for one in failed},
        "explanations": {one.code: one.explanation for one in failed if one.status != "warn"},
        "cost": {},
        "n_runs": found.n_runs,
        "seconds": round(time.perf_counter() - began, 3),
        "reported": None,
    }

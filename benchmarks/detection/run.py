"""Run trials, one after the other, so that a killed run goes on where it stopped."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.detection.trials import run_trial

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.detection.trials import Trial

__all__ = ["read_rows", "run_trials"]


def run_trials(
    trials: Sequence[Trial],
    results: Path,
    *,
    seconds: float | None = None,
    on_trial: Callable[[str], object] = lambda _id: None,
) -> int:
    """Run the trials that have no result yet and append one JSON line for each.

    Parameters
    ----------
    trials
        What to run, in this order.
    results
        The file of results; a line that was cut short is run again.
    seconds
        Begin no further trial after this time.
    on_trial
        Called after each, for progress.

    Returns
    -------
    int
        How many are still to be run.
    """
    began, done = time.monotonic(), {row["id"] for row in read_rows(results)}
    waiting = [trial for trial in trials if trial.id not in done]
    _end_line(results)
    for number, trial in enumerate(waiting):
        if seconds is not None and time.monotonic() - began > seconds:
            return len(waiting) - number
        with tempfile.TemporaryDirectory() as folder:
            row = run_trial(trial, Path(folder))
        with results.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
        on_trial(trial.id)
    return 0


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

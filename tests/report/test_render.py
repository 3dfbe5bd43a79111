"""Rendering: the same by one process or two, and soon done."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pfactor_bench.report import draw_figures, draw_figures_side_by_side

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pfactor_bench.records.record import Record

REPORTS = Path(__file__).parents[2] / "reports"

#: What drawing cannot do without, and a measure of how fast this machine is at the moment.
IMPORTS = (
    "import matplotlib.figure, matplotlib.backends.backend_agg, matplotlib.backends.backend_svg"
)

#: So many times as long rendering may keep processors busy. It was 5.1 times when this was written,
#: 2.1 s in two processes that took 1.4 s together.
MOST = 6


def seconds_of(arguments: list[str]) -> float:
    """Return the processors' seconds that a fresh interpreter and its children take."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_two_processes_draw_what_one_does(
    two_regimes: tuple[Record, dict[str, NDArray[Any]]],
) -> None:
    """Byte for byte."""
    assert draw_figures(*two_regimes) == draw_figures_side_by_side(*two_regimes)


def test_one_core_draws_alone(
    record: Record, arrays: dict[str, NDArray[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second process would only take turns with the first."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: {0}, raising=False)
    monkeypatch.setattr("concurrent.futures.ProcessPoolExecutor", None)
    assert draw_figures(record, arrays) == draw_figures_side_by_side(record, arrays)


@pytest.mark.timing
def test_largest_published_record_is_rendered_soon(tmp_path: Path) -> None:
    """Beside importing what draws, in turns, so that a slow machine is slow at both."""
    figures = REPORTS.glob("*/figure.svg")
    largest = max(figures, key=lambda path: path.stat().st_size).parent
    folder = shutil.copytree(largest, tmp_path / "report")
    render = ["-m", "pfactor_bench", "render", str(folder)]
    seconds_of(render)  # writes what Python compiles
    rounds = [(seconds_of(render), seconds_of(["-c", IMPORTS])) for _ in range(5)]
    rendering, importing = map(min, zip(*rounds, strict=True))
    assert rendering < MOST * importing

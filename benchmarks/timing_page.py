"""The report of benchmarks/timing.py: a pure function of what it measured.

    python benchmarks/timing_page.py [DIR]

writes report.md and its figures in DIR (default: reports/timing) from timing.json again.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from clock import Timed

from pfactor_bench.files import write_atomically
from pfactor_bench.report.figures import style
from pfactor_bench.report.figures.sheet import Sheet
from pfactor_bench.report.figures.strips import ROW, draw_strips
from pfactor_bench.report.text import code_block, count, escape, md, picture, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

RECORD = "timing.json"
EPOCH, ONE, MANY = "one epoch", "prediction of 1", "prediction of 256"

_MS = 1e3
_NAMES, _NUMBERS = 3.4, 1.9

_HOW = """Every case is timed once per round, after a round that is not counted; in every other
round the order is reversed. The clock is read when the device is idle, and Python's garbage
collector waits until the end. An epoch is training over the first fold and what the engine does
around it, evaluation included; a prediction is one forward pass in evaluation mode. The work is
that of `pytest suites/test_timing.py`."""

_MEANS = """A case's time is its median over rounds, a row's the median over its seeds' times. A
ratio compares a row with the first of its suite and device, round against round; beside it stand
its quartiles over rounds. Compare within a suite: suites differ in what else an epoch holds. The
plain engine trains one case alone, the fast one all seeds and folds of a model at once, here one;
what it cannot train, the plain one does."""


def write_page(folder: Path) -> None:
    """Write report and figures beside the record."""
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    for name, content in draw(record).items():
        write_atomically(folder / name, content)
    write_atomically(folder / "report.md", page(record).encode())


def page(record: Mapping[str, Any]) -> str:
    """Return the report as Markdown."""
    groups = _groups(record["cases"])
    parts = [
        "# How long training and predicting take",
        _headline(record, groups),
        (
            "Seconds belong to this machine. What may hold on another is a ratio: how much longer "
            "one model or regime takes than another."
        ),
        table(["measured on", ""], _machine(record)),
        picture(
            "timing",
            alt=alt_text(record),
            caption="Left: windows trained on per second in one epoch. Right: how long a "
            "prediction of one window is waited for. A dot per seed.",
        ),
        "## By regime and model",
        _MEANS,
        _regimes_table(groups),
        "## Every seed",
        _seeds_table(groups),
        _seeds_differ(groups),
        "## How it was measured",
        _HOW,
        code_block(["python benchmarks/timing.py"]),
        f"Everything above is computed from [`{RECORD}`]({RECORD}).",
    ]
    return "\n\n".join(parts) + "\n"


def draw(record: Mapping[str, Any]) -> dict[str, bytes]:
    """Return ``timing.svg`` and ``timing.png``: training speed and waiting time, a dot per seed."""
    groups = _groups(record["cases"])
    with style.house_style():
        sheet = Sheet(
            "Training speed and waiting time",
            "dot: a seed, its median over rounds; bar: median of the seeds",
            plot=ROW * len(groups) + 0.2,
        )
        speed = sheet.axes(_NAMES, right=0, until=5.7)
        draw_strips(
            speed,
            [(group.label, group.speeds) for group in groups],
            numbers=lambda values: f"{median(values):,.0f}",
        )
        speed.set_xlabel("training windows per second")
        wait = sheet.axes(6.9, right=_NUMBERS - 1)
        waits = [_MS * np.array(group.seconds(ONE)) for group in groups]
        draw_strips(
            wait,
            [("", [float(one) for one in values]) for values in waits],
            numbers=lambda values: f"{median(values):.1f} ms",
        )
        wait.set_xlabel("waiting for a prediction of one window (ms)")
        for axes in (speed, wait):
            axes.locator_params(axis="x", nbins=5)
        return sheet.encode("timing", description=alt_text(record))


def alt_text(record: Mapping[str, Any]) -> str:
    """Return what the figure shows, for a reader who cannot see it; plain text, not escaped."""
    groups = _groups(record["cases"])
    rows = "; ".join(
        f"{group.label} {median(group.speeds):,.0f} windows/s and "
        f"{_MS * median(group.seconds(ONE)):.1f} ms"
        for group in groups
    )
    fastest = max(groups, key=lambda group: median(group.speeds))
    return (
        f"Training speed, and waiting for a prediction of one window. {fastest.label} trains on "
        f"the most windows per second. {rows}."
    )


class _Group:
    """The seeds of one regime of one suite on one device."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.first = rows[0]
        self.seeds = list(dict.fromkeys(row["seed"] for row in rows))
        self._rows = {(row["work"], row["seed"]): row for row in rows}

    @property
    def label(self) -> str:
        """As a figure can show it."""
        regime = style.label(self.first["regime"], limit=28)
        return f"{style.label(self.first['suite'], limit=14)}: {regime}, {self.first['device']}"

    @property
    def speeds(self) -> list[float]:
        """Training windows per second of each seed."""
        return [self.row(EPOCH, seed)["n_windows"] / one for seed, one in self._medians(EPOCH)]

    def row(self, work: str, seed: int) -> Mapping[str, Any]:
        """Return what was measured of a seed."""
        return self._rows[work, seed]

    def seconds(self, work: str) -> list[float]:
        """Return each seed's median over rounds."""
        return [one for _, one in self._medians(work)]

    def timed(self, work: str) -> Timed:
        """Return the mean over seeds of each round."""
        rounds = [self.row(work, seed)["seconds"] for seed in self.seeds]
        return Timed(seconds=np.mean(rounds, axis=0))

    def _medians(self, work: str) -> list[tuple[int, float]]:
        return [(seed, median(self.row(work, seed)["seconds"])) for seed in self.seeds]


def _groups(rows: Iterable[Mapping[str, Any]]) -> list[_Group]:
    found: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["suite"], row["device"], row["regime"]), []).append(row)
    return [_Group(of_seeds) for of_seeds in found.values()]


def _headline(record: Mapping[str, Any], groups: Sequence[_Group]) -> str:
    first = groups[0]
    row = first.row(EPOCH, first.seeds[0])
    epoch, one = (_ms(median(first.seconds(work))) for work in (EPOCH, ONE))
    return (
        f"**An epoch of {escape(row['model'])} over {row['n_windows']:,} windows takes {epoch} ms, "
        f"and a prediction of one window is waited for {one} ms** ({escape(row['suite'])}, "
        f"{escape(row['regime'])}, on {escape(row['device'])} with "
        f"{count(row['threads'], 'thread')} and the {escape(row['engine'])} engine; medians over "
        f"{count(len(first.seeds), 'seed')} and {count(record['rounds'], 'round')})."
    )


def _machine(record: Mapping[str, Any]) -> list[list[str]]:
    machine, code = record["machine"], record["code"]
    dirty = " and changes since" if code["dirty"] else ""
    rows = [
        ("processor", f"{machine['processor']}, {count(machine['cores'], 'core')}"),
        ("instructions", machine["instructions"]),
        ("GPU", machine["GPU"] or "none: timing on cuda was left out"),
        ("torch, Python", f"{machine['torch']}, {machine['python']}"),
        ("commit", f"{str(code['commit'])[:12]}{dirty}"),
        ("date", code["date"]),
        ("load average at the start", f"{machine['load']:.1f}"),
        ("peak memory of the process", f"{record['peak_bytes'] / 2**20:,.0f} MiB"),
    ]
    return [[name, escape(value)] for name, value in rows]


def _regimes_table(groups: Sequence[_Group]) -> str:
    reference: dict[tuple[str, str], _Group] = {}
    rows = []
    for group in groups:
        first = group.first
        base = reference.setdefault((first["suite"], first["device"]), group)
        rows.append(
            [
                escape(first["suite"]),
                escape(first["regime"]),
                escape(first["model"]),
                escape(first["device"]),
                f"{escape(first['engine'])}, {first['threads']}",
                f"{median(group.speeds):,.0f}",
                *(_ms(median(group.seconds(work))) for work in (EPOCH, ONE, MANY)),
                "1" if base is group else _ratio(base, group),
            ]
        )
    headers = [
        *("suite", "regime", "model", "device", "engine, threads", "windows/s"),
        *("epoch (ms)", "1 window (ms)", "256 windows (ms)", "epoch, times the first's"),
    ]
    return table(headers, rows)


def _ratio(base: _Group, group: _Group) -> str:
    found = base.timed(EPOCH).times_faster_than(group.timed(EPOCH))
    return md("{:.2f} [{:.2f}, {:.2f}]", found.median, found.low, found.high)


def _seeds_table(groups: Sequence[_Group]) -> str:
    rows = []
    for group in groups:
        for seed in group.seeds:
            works = [group.row(work, seed) for work in (EPOCH, ONE, MANY)]
            epoch = median(works[0]["seconds"])
            rows.append(
                [
                    escape(group.first["suite"]),
                    escape(group.first["regime"]),
                    str(seed),
                    escape(group.first["device"]),
                    *(_quartiles(work["seconds"]) for work in works),
                    _ms(epoch / works[0]["n_steps"]),
                    f"{works[0]['n_windows'] / epoch:,.0f}",
                ]
            )
    headers = [
        *("suite", "regime", "seed", "device", "epoch (ms)", "1 window (ms)"),
        *("256 windows (ms)", "a step (ms)", "windows/s"),
    ]
    return table(headers, rows)


def _seeds_differ(groups: Sequence[_Group]) -> str:
    most = max(max(group.seconds(EPOCH)) / min(group.seconds(EPOCH)) for group in groups)
    return (
        f"Beside each median stand the quartiles over rounds. Seeds of one regime do the same "
        f"work; the slowest takes at most {most:.2f} times the fastest's epoch here, which is how "
        f"far single numbers can be trusted."
    )


def _quartiles(seconds: Sequence[float]) -> str:
    low, high = np.quantile(seconds, [0.25, 0.75])
    return md("{} [{}, {}]", *map(_ms, (median(seconds), low, high)))


def _ms(seconds: float) -> str:
    """Return milliseconds with three digits or more."""
    value = _MS * seconds
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"  # noqa: PLR2004


if __name__ == "__main__":
    write_page(Path(sys.argv[1] if len(sys.argv) > 1 else "reports/timing"))

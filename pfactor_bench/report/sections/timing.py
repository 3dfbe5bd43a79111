"""What took how long."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from pfactor_bench.report.engines import engine_sentences
from pfactor_bench.report.facts import regimes
from pfactor_bench.report.section import Figure, Section
from pfactor_bench.report.text import count, joined, md, plain, table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pfactor_bench.records.record import Record
    from pfactor_bench.report.text import Markdown
    from pfactor_bench.types import Timing

_MIB = 2**20

#: One dot shows no spread.
_FEWEST_DRAWN = 2


def _text(record: Record) -> list[Markdown]:
    """Return what took how long on the machine of this run."""
    rows = [
        [
            timing.name,
            timing.device,
            f"{timing.seconds:.2f}",
            "–" if (speed := _speed(timing)) is None else f"{speed:,.0f}",
            f"{timing.peak_bytes / _MIB:,.0f}" if timing.peak_bytes is not None else "–",
        ]
        for timing in record.timings
    ]
    headers = ["work", "device", "seconds", "windows/s", "peak memory (MiB)"]
    return [
        FIGURE.shown(record, "Speeds compare only on one machine under one load."),
        joined(" ", engine_sentences(record)),
        table(headers, rows) if rows else md("Nothing was timed."),
        md("All checks together: {:.2f} s.", sum(found.seconds for found in record.findings)),
    ]


def speeds(record: Record) -> dict[tuple[str, str], list[float]]:
    """Return windows per second of every training, by regime and device, in the record's order."""
    found: dict[tuple[str, str], list[float]] = {}
    for timing in record.timings:
        regime = _regime_of(timing.name, regimes(record))
        speed = _speed(timing)
        if regime is not None and speed is not None and timing.name.endswith("/train"):
            found.setdefault((regime, timing.device), []).append(speed)
    return found


def _is_drawn(record: Record) -> bool:
    return sum(map(len, speeds(record).values())) >= _FEWEST_DRAWN


def _alt_text(record: Record) -> str:
    rows = "; ".join(
        f"{plain(regime)} on {plain(device)} {median(values):,.0f} windows/s at the median of "
        f"{count(len(values), 'training')}, {min(values):,.0f} to {max(values):,.0f}"
        for (regime, device), values in speeds(record).items()
    )
    return f"Training speed: {rows}."


def _speed(timing: Timing) -> float | None:
    """Return windows per second, None where windows make no sense."""
    return timing.windows / timing.seconds if timing.windows and timing.seconds > 0 else None


def _regime_of(name: str, known: Iterable[str]) -> str | None:
    """Return the regime whose case a timing belongs to."""
    return next((regime for regime in known if name.startswith(f"{regime}/seed-")), None)


FIGURE = Figure(file="timing", module="timing", alt=_alt_text, is_drawn=_is_drawn)
SECTION = Section(order=160, heading="Timing", text=_text, figure=FIGURE)

"""Energy from the kernel's counters, where there are any."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pfactor_bench.plugin.energy import energy_of

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 10_000_000


def zone(folder: Path, name: str, label: str, micro: int) -> Path:
    """Write a counter as the kernel shows it; return its file."""
    path = folder / name
    path.mkdir()
    (path / "name").write_text(f"{label}\n")
    (path / "max_energy_range_uj").write_text(f"{LARGEST}\n")
    (path / "energy_uj").write_text(f"{micro}\n")
    return path / "energy_uj"


def test_packages_are_added_up_and_their_parts_are_not(tmp_path: Path) -> None:
    """Two processors; cores and the whole platform count the same joules again."""
    counters = [
        zone(tmp_path, "intel-rapl:0", "package-0", 1_000_000),
        zone(tmp_path, "intel-rapl:1", "package-1", 0),
        zone(tmp_path, "intel-rapl:0:0", "core", 0),
        zone(tmp_path, "intel-rapl:2", "psys", 0),
    ]

    def work() -> None:
        for counter, micro in zip(counters, (3_000_000, 500_000, 9, 9), strict=True):
            counter.write_text(f"{micro}\n")

    assert energy_of(work, tmp_path) == pytest.approx(2.5)


def test_counter_that_starts_again_is_followed(tmp_path: Path) -> None:
    """Past its largest value."""
    counter = zone(tmp_path, "intel-rapl:0", "package-0", LARGEST - 999_999)
    assert energy_of(lambda: counter.write_text("1000000"), tmp_path) == pytest.approx(2.0)


def test_machine_that_does_not_count_says_nothing(tmp_path: Path) -> None:
    """No zones, or one that cannot be read; the work is done all the same."""
    done = []
    assert energy_of(lambda: done.append(1), tmp_path) is None
    zone(tmp_path, "intel-rapl:0", "package-0", 0).unlink()
    assert energy_of(lambda: done.append(2), tmp_path) is None
    assert [1, 2] == done

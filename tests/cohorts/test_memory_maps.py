"""Windows on disk are gone through without ever being in memory as a whole."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pfactor_bench.cohorts.memory_maps import blocks, is_mapped, release

if TYPE_CHECKING:
    from pathlib import Path

#: Goes through a file and prints by how many bytes the process has grown at most.
GO_THROUGH = """
import resource, sys
import numpy as np
from pfactor_bench.cohorts.memory_maps import blocks
X = np.load(sys.argv[1], mmap_mode="r")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
total = sum(float(block.sum()) for _, block in blocks(X))
print(1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before))
"""


def test_blocks_hold_every_window_in_order() -> None:
    """None twice, none missing."""
    X = np.arange(7000 * 8 * 200, dtype=np.float32).reshape(7000, 8, 200)
    parts = list(blocks(X))

    assert len(parts) > 1
    assert [first for first, _ in parts] == np.cumsum([0, *[len(p) for _, p in parts]])[
        :-1
    ].tolist()
    np.testing.assert_array_equal(np.concatenate([part for _, part in parts]), X)


def test_no_windows_are_no_blocks() -> None:
    """An empty cohort is not an error here."""
    assert list(blocks(np.empty((0, 8, 200), dtype=np.float32))) == []


@pytest.mark.parametrize(
    "view", [lambda X: X, lambda X: X[3:], lambda X: X.view()], ids=["whole", "part", "view"]
)
def test_memory_map_is_recognised(view, tmp_path: Path) -> None:
    """Through whatever view of it."""
    np.save(tmp_path / "X.npy", np.zeros((10, 2, 3), dtype=np.float32))
    X = np.load(tmp_path / "X.npy", mmap_mode="r")

    assert is_mapped(view(X))
    assert not is_mapped(np.array(X))


def test_released_windows_can_be_read_again(tmp_path: Path) -> None:
    """They are on disk still."""
    np.save(tmp_path / "X.npy", np.full((10, 2, 3), 7, dtype=np.float32))
    X = np.load(tmp_path / "X.npy", mmap_mode="r")
    before = X.sum()
    release(X)

    assert X.sum() == before


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in other units elsewhere")
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """400 MB are gone through in well under 150 MB."""
    X = np.lib.format.open_memmap(
        tmp_path / "X.npy", mode="w+", dtype=np.float32, shape=(62_500, 8, 200)
    )
    X[::100] = 1
    del X
    grown = subprocess.run(
        [sys.executable, "-c", GO_THROUGH, str(tmp_path / "X.npy")],
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    assert int(grown) < 150e6

"""The ledger of test-set uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pfactor_bench.errors import RecordError
from pfactor_bench.studies.ledger import enter_use, read_ledger

if TYPE_CHECKING:
    from pathlib import Path


def test_uses_are_appended(tmp_path: Path) -> None:
    """Every use stays, in order."""
    path = tmp_path / "ledger.jsonl"
    for setting in ("a", "b"):
        enter_use(path, held_out="x", setting=setting)
    assert [entry["setting"] for entry in read_ledger(path)] == ["a", "b"]


def test_use_after_a_line_without_an_end_has_its_own_line(tmp_path: Path) -> None:
    """As an editor leaves it, or a merge."""
    path = tmp_path / "ledger.jsonl"
    enter_use(path, held_out="x", setting="a")
    path.write_text(path.read_text(encoding="utf-8").rstrip("\n"), encoding="utf-8")
    enter_use(path, held_out="x", setting="b")
    assert [entry["setting"] for entry in read_ledger(path)] == ["a", "b"]


def test_no_file_is_no_use(tmp_path: Path) -> None:
    """A ledger that does not exist yet is empty."""
    assert read_ledger(tmp_path / "none.jsonl") == ()


def test_broken_line_is_named(tmp_path: Path) -> None:
    """A line that is no entry is refused by its number."""
    path = tmp_path / "ledger.jsonl"
    enter_use(path, held_out="x", setting="a")
    path.write_text(path.read_text(encoding="utf-8") + "scribble\n", encoding="utf-8")
    with pytest.raises(RecordError, match="line 2 of the ledger"):
        read_ledger(path)

"""What a record holds is printed on a terminal without steering it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hostile import PAYLOADS, spoil

from pfactor_bench.record import read_record
from pfactor_bench.run_cli import verdict_lines

OLD = Path(__file__).parent / "records" / "schema-1"


@pytest.mark.parametrize("hostile", PAYLOADS)
def test_lines_hold_no_control_sequences(hostile: str) -> None:
    """One line per claim and per check that found something, whatever the words."""
    record = read_record(OLD)
    failing = replace(
        record, findings=tuple(replace(f, status="error") for f in record.findings[:2])
    )
    printed = verdict_lines(spoil(failing, hostile))
    assert len(printed.splitlines()) == len(record.verdicts) + 2
    assert not set("\x1b\x00\x07\u202e\u2066\u200f") & set(printed)

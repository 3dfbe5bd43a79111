"""What a record holds is printed on a terminal without steering it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hostile import PAYLOADS, spoil

from pfactor_bench.cli.main import main
from pfactor_bench.cli.outcome import verdict_lines
from pfactor_bench.execution.progress import PROGRESS_FILE, Progress
from pfactor_bench.records.record import read_record

OLD = Path(__file__).parents[1] / "records" / "schema-1"

#: Steer a terminal, hide text or turn it round.
STEERING = set("\x1b\x00\x07\u202e\u2066\u200f")


@pytest.mark.parametrize("hostile", PAYLOADS)
def test_lines_hold_no_control_sequences(hostile: str) -> None:
    """One line per claim and per check that found something, whatever the words."""
    record = read_record(OLD)
    failing = replace(
        record, findings=tuple(replace(f, status="error") for f in record.findings[:2])
    )
    printed = verdict_lines(spoil(failing, hostile))
    assert len(printed.splitlines()) == len(record.verdicts) + 2
    assert not STEERING & set(printed)


@pytest.mark.parametrize("hostile", PAYLOADS)
def test_measuring_again_prints_as_a_run_does(
    hostile: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the explanations hold, and with the exit code of a run."""
    spoilt = spoil(read_record(OLD), hostile)
    monkeypatch.setattr("pfactor_bench.pipeline.remeasure.remeasure", lambda *_, **__: spoilt)
    code = main(["remeasure", str(OLD)])
    printed = capsys.readouterr().out
    assert (0, len(spoilt.verdicts) + 1) == (code, len(printed.splitlines()))
    assert not STEERING & set(printed)


@pytest.mark.parametrize("hostile", PAYLOADS)
def test_status_prints_reasons_in_a_line_each(
    hostile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are the messages of exceptions."""
    progress = Progress(
        total=2, done=1, failed={f"from-scratch{hostile}": hostile}, state="finished"
    )
    (tmp_path / PROGRESS_FILE).write_text(json.dumps(asdict(progress)), encoding="utf-8")
    main(["status", str(tmp_path)])
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) == 7
    assert not STEERING & set(printed)

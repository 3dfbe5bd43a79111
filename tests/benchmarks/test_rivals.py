"""Other tools are run scene by scene, go on where they stopped, and are counted alike."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "reports" / "detection"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the script that runs a tool, with a tool that knows one kind of leak."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks" / "rivals"))
    tools, script = importlib.import_module("tools"), importlib.import_module("run")

    def knows_kind_three(scene: dict[str, Any]) -> str:
        if scene["kind"] == 5:
            raise ValueError("no sessions here")
        return "subjects overlap" if scene["kind"] == 3 else ""

    fake = tools.Tool(package="numpy", accuses=knows_kind_three, needs="x", given="x")
    monkeypatch.setattr(script, "TOOLS", {"fake": fake})
    return script


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a scene of kinds 3, 4 and 5, a harmless and a clean."""
    recipe = json.dumps({"family": "ridge", "cohort": "synthetic", "cohort_seed": 0})
    for name, kind, there in (
        ("a", 3, True),
        ("b", 4, True),
        ("c", 5, True),
        ("e", 3, False),
        ("f", 0, True),
    ):
        leak = f"leak-{name}" if kind else ""
        content = {"kind": kind, "leak": leak, "there": there}
        np.savez(tmp_path / f"{name}.npz", recipe=recipe, permuted_r=np.zeros(0), **content)
    return tmp_path


def test_what_a_tool_says_is_counted(run: ModuleType, folder: Path) -> None:
    """Found, missed, not applied with reasons, and accused; a harmless leak is no leak."""
    run.run_tool("fake", folder, seconds=60)
    (row,) = run.table_of(folder)["tools"]
    counts = {key: row[key] for key in ("found", "missed", "not_applicable", "accused", "n_clean")}
    assert counts == {"found": 1, "missed": 1, "not_applicable": 1, "accused": 0, "n_clean": 1}
    assert set(row["reasons"]) == {"ValueError: no sessions here"}


def test_stopped_run_goes_on(run: ModuleType, folder: Path) -> None:
    """A scene whose line was cut short is run again, the others are not."""
    run.run_tool("fake", folder, seconds=60)
    said = folder / "said" / "fake.jsonl"
    whole = said.read_text(encoding="utf-8")
    said.write_text(whole[:-20], encoding="utf-8")
    run.run_tool("fake", folder, seconds=60)
    assert sorted(row["scene"] for row in run.read_rows(said)) == ["a", "b", "c", "f"]


def test_out_of_time_says_what_is_left(
    run: ModuleType, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And begins nothing."""
    run.run_tool("fake", folder, seconds=-1)
    assert "5 scenes are left" in capsys.readouterr().out


def test_published_tools_were_run_on_the_same_leaks() -> None:
    """Found, missed and not applied add up to one number, and the report shows this table."""
    rivals = json.loads((PUBLISHED / "rivals.json").read_text(encoding="utf-8"))
    record = json.loads((PUBLISHED / "detection.json").read_text(encoding="utf-8"))
    totals = {row["found"] + row["missed"] + row["not_applicable"] for row in rivals["tools"]}
    assert len(totals) == 1
    assert record["rivals"] == rivals

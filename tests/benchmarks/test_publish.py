"""Published reports are written at one commit, of code that a commit holds."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import publish

if TYPE_CHECKING:
    from pathlib import Path

_CLEAN = {"commit": "a" * 40, "dirty": False}


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Let a run write nothing but where it would, at the commit that it finds."""
    folders: list[Path] = []

    def run(_suite: Any, *, out: Path, **_how: Any) -> Any:
        folders.append(out)
        return SimpleNamespace(provenance=dict(publish.collect_code()))

    monkeypatch.setattr(publish, "run", run)
    monkeypatch.setattr(publish, "verdict_lines", lambda _record: "told")
    monkeypatch.setattr(publish, "exit_code", lambda _record: 0)
    return folders


@pytest.mark.parametrize("code", [{**_CLEAN, "dirty": True}, {"commit": None, "dirty": None}])
def test_edited_code_publishes_nothing(
    code: dict[str, Any], ran: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No commit holds what would be published."""
    monkeypatch.setattr(publish, "collect_code", lambda: code)
    with pytest.raises(SystemExit, match="commit first"):
        publish.main(["case-study"])
    assert ran == []


def test_suites_are_written_into_a_folder_each(
    ran: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One after the other, and the worst exit code is theirs all."""
    monkeypatch.setattr(publish, "collect_code", lambda: _CLEAN)
    assert publish.main(["case-study", "learnable", "--out", str(tmp_path)]) == 0
    assert ran == [tmp_path / "case-study", tmp_path / "learnable"]


def test_code_that_changes_meanwhile_stops_it(
    ran: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is written afterwards would be of another commit."""
    commits = iter([_CLEAN, {**_CLEAN, "commit": "b" * 40}])
    monkeypatch.setattr(publish, "collect_code", lambda: next(commits))
    with pytest.raises(SystemExit, match="changed meanwhile"):
        publish.main(["case-study", "--out", str(tmp_path)])
    assert len(ran) == 1


def test_every_published_suite_is_one_that_exists() -> None:
    """Without a name, those are run."""
    assert "case-study" in publish.published()

"""One line of progress, for whoever watches."""

from __future__ import annotations

import io
import sys
from contextlib import contextmanager, redirect_stderr
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from pfactor_bench.auditing.progress import watched_audit
from pfactor_bench.execution.progress import Progress
from pfactor_bench.execution.watched import watched_cases
from pfactor_bench.terminal.bar import is_watched, progress_bar
from pfactor_bench.types import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@contextmanager
def _terminal() -> Iterator[_Terminal]:
    """Put a terminal in the place of standard error; a fixture would come before pytest's own."""
    with redirect_stderr(_Terminal()) as screen:
        yield screen


@pytest.fixture(autouse=True)
def _no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let these tests say for themselves whether they are a CI run."""
    monkeypatch.delenv("CI", raising=False)


def _finding(code: str) -> Finding:
    return Finding(code=code, title="", kinds=(), status="pass", explanation="")


def test_terminal_is_watched() -> None:
    """Someone sits there."""
    with _terminal():
        assert is_watched()


def test_log_of_a_ci_run_is_not_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where its standard error poses as a terminal."""
    monkeypatch.setenv("CI", "true")
    with _terminal():
        assert not is_watched()


@pytest.mark.parametrize("config", [{"IPKernelApp": {}}, {}], ids=["kernel", "shell"])
def test_notebook_is_watched_without_a_terminal(
    config: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its cells show what is written; an IPython shell without a terminal does not."""
    shell = SimpleNamespace(config=config)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    with redirect_stderr(io.StringIO()):
        assert is_watched() is bool(config)


@pytest.mark.parametrize("stream", [io.StringIO(), None], ids=["file", "none"])
def test_redirected_error_stream_is_not_watched(stream: io.StringIO | None) -> None:
    """Nor one that does not exist."""
    with redirect_stderr(stream):
        assert not is_watched()


def test_bar_iterates() -> None:
    """As any loop."""
    with _terminal() as terminal:
        assert list(progress_bar(["a", "b"], unit="letter", desc="reading")) == ["a", "b"]
    assert "reading: 100%" in terminal.getvalue()


def test_nothing_to_iterate_over_is_a_loop_of_none() -> None:
    """An empty list is no bar to be updated."""
    assert list(progress_bar([], unit="letter")) == []


def test_audit_s_line_names_the_check_under_way() -> None:
    """The one after the last that is done; findings reach the caller, too."""
    seen: list[Finding] = []
    watched = watched_audit("their\x1b[2Jstudy", seen.append, wanted=True)
    with _terminal() as terminal, watched as tell:
        assert "audit of theirstudy:   0%" in terminal.getvalue()
        assert "running it" in terminal.getvalue()
        tell(_finding("LK001"))
    assert [one.code for one in seen] == ["LK001"]
    assert "LK002" in terminal.getvalue()


def test_run_s_line_names_the_cases_under_way() -> None:
    """And counts those that failed."""
    seen: list[Progress] = []
    progress = Progress(total=3, done=1, running=("a/seed-1",), failed={"b": "why"})
    watched = watched_cases(3, seen.append, wanted=True)
    with _terminal() as terminal, watched as (tell, _, name_audit):
        tell(progress)
        name_audit("from-scratch")
    assert seen == [progress]
    assert "a/seed-1:  67%" in terminal.getvalue()
    assert "1 failed" in terminal.getvalue()
    assert "audit of from-scratch" in terminal.getvalue()


def test_unwanted_lines_are_not_drawn() -> None:
    """``progress=False`` silences both."""
    with _terminal() as terminal:
        with watched_audit("study", lambda _: None, wanted=False) as tell:
            tell(_finding("LK001"))
        with watched_cases(3, lambda _: None, wanted=False) as (tell_case, _, _):
            tell_case(Progress(total=3))
    assert terminal.getvalue() == ""

"""A study that is written in a notebook's cell, audited there."""

from __future__ import annotations

from typing import Any

import nbclient
import nbformat
import pytest

from pfactor_bench.studies.template import STUDY_TEMPLATE

#: A kernel, and everything that an audit imports: no test for every minute.
pytestmark = pytest.mark.slow

_LEAKY = STUDY_TEMPLATE.replace("y[train].mean()", "y.mean()")


@pytest.fixture(scope="module")
def cells() -> list[Any]:
    """Return the cells of a notebook that was executed from top to bottom."""
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.delenv("CI", raising=False)  # a log gets no bar, a notebook does
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(source)
            for source in (
                f"import pfactor_bench\n{_LEAKY}",
                'result = pfactor_bench.audit(study, effort="quick")',
                "result",
                "print(result)",
                'result = pfactor_bench.audit(study, only=["LK101"], progress=False)',
            )
        ]
    )
    with monkeypatch.context():
        nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    monkeypatch.undo()
    return notebook.cells


def _outputs(cell: Any) -> list[Any]:
    return [one.get("data", {}) for one in cell.outputs]


def test_progress_is_a_bar(cells: list[Any]) -> None:
    """Of the notebook's own kind."""
    (shown,) = _outputs(cells[1])
    assert "application/vnd.jupyter.widget-view+json" in shown
    assert "audit of study" in shown["text/plain"]


def test_bar_can_be_silenced(cells: list[Any]) -> None:
    """Where a page is to hold results only."""
    assert cells[4].outputs == []


def test_result_is_shown_as_html(cells: list[Any]) -> None:
    """The study ran in a process of its own, where no file holds it; the leak is found."""
    (shown,) = _outputs(cells[2])
    assert "study: leaky, leaks found" in shown["text/html"]
    assert "<details>" in shown["text/html"]


def test_result_is_short_as_text(cells: list[Any]) -> None:
    """A line, not forty findings."""
    (stream,) = cells[3].outputs
    assert stream["text"].startswith("<Audit of 'study' on 'synthetic': leaky; ")
    assert stream["text"].count("\n") == 1

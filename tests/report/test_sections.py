"""A section is one object in one file; adding it takes that file and its test."""

from __future__ import annotations

import ast
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pfactor_bench.report import report_text, sections
from pfactor_bench.report.section import Section
from pfactor_bench.report.text import md, paragraphs

if TYPE_CHECKING:
    from pfactor_bench.records.record import Record

REPORT = Path(sections.__file__).parents[1]
MODULES = sorted(path for path in (REPORT / "sections").glob("[!_]*.py"))

TOY = """
from pfactor_bench.report.section import Section
from pfactor_bench.report.text import md

SECTION = Section(
    order=55, heading="A <toy>", text=lambda record: [md("Made by {}.", record.suite["name"])]
)
"""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_module_is_a_section(path: Path) -> None:
    """And its picture is drawn by the module of the same name."""
    section = import_module(f"pfactor_bench.report.sections.{path.stem}").SECTION
    assert section in sections.all_sections()
    if section.figure is not None:
        assert section.figure.module == path.stem
        assert (REPORT / "figures" / path.name).exists()


def test_no_two_sections_have_one_place() -> None:
    """Their order is not left to their names."""
    orders = Counter(section.order for section in sections.all_sections())
    assert max(orders.values()) == 1


def test_a_section_needs_one_file(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is found where it lies, and stands where it says."""
    (tmp_path / "toy.py").write_text(TOY, encoding="utf-8")
    monkeypatch.setattr(sections, "__path__", [*sections.__path__, str(tmp_path)])
    text = report_text(record)
    assert "\n\n## A &lt;toy&gt;\n\nMade by small.\n\n" in text
    assert text.index("## Checks") < text.index("## A &lt;toy&gt;") < text.index("## Every seed")


def test_section_that_is_not_shown_leaves_no_heading(record: Record) -> None:
    """Nor an empty paragraph."""
    hidden = Section(order=1, heading="H", text=lambda _: [md("x")], is_shown=lambda _: False)
    assert paragraphs(md("a"), hidden.shown(record), md("b")) == "a\n\nb"


def test_templates_are_never_made_from_data() -> None:
    """What is escaped is what stands in a template's places, so none may be an f-string of data."""
    made = [
        f"{path.relative_to(REPORT)}:{node.lineno}"
        for path in REPORT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "md"
        and not _is_ours(node.args[0])
    ]
    assert made == []


def _is_ours(template: ast.expr) -> bool:
    """Return whether a template is written out, chosen among such, or a name given to one."""
    if isinstance(template, ast.IfExp):
        return _is_ours(template.body) and _is_ours(template.orelse)
    return isinstance(template, (ast.Constant, ast.Name))

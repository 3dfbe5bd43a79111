"""The catalogue's page is made from the checks, and the committed one is the newest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pfactor_bench.checks import catalogue
from pfactor_bench.checks.engine.catalogue import catalogue_page
from pfactor_bench.checks.engine.kinds import KINDS

PAGE = Path(__file__).parents[2] / "docs" / "checks.md"


def test_committed_page_is_up_to_date() -> None:
    """After a change, run ``python -m pfactor_bench.checks > docs/checks.md``."""
    assert PAGE.read_text(encoding="utf-8") == catalogue_page(catalogue())


def test_command_prints_the_page() -> None:
    """The command and the committed file are the same page."""
    done = subprocess.run(
        [sys.executable, "-m", "pfactor_bench.checks"], capture_output=True, text=True, check=True
    )
    assert done.stdout == PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_kind_has_a_check(kind: int) -> None:
    """No kind of leak is listed that nothing looks for."""
    assert any(kind in entry.kinds for entry in catalogue())


def test_checks_state_known_kinds() -> None:
    """A kind that is not in the list has no name in the catalogue."""
    assert {kind for entry in catalogue() for kind in entry.kinds} <= set(KINDS)


@pytest.mark.parametrize("heading", ["How to fix it", "What it cannot see", "Source"])
def test_every_check_has_each_section(heading: str) -> None:
    """Nobody is accused without being told what to do and what was not looked at."""
    page = catalogue_page(catalogue())
    assert page.count(f"**{heading}.**") == len(catalogue())

"""The page of a suite's keys is made from what checks them, and the committed one is the newest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pfactor_bench.config.reference import suite_reference

PAGE = Path(__file__).parents[2] / "docs" / "suite-keys.md"


def test_committed_page_is_up_to_date() -> None:
    """After a change, run ``python -m pfactor_bench.config.reference > docs/suite-keys.md``."""
    assert PAGE.read_text(encoding="utf-8") == suite_reference()


def test_command_prints_the_page() -> None:
    """The command and the committed file are the same page."""
    command = [sys.executable, "-m", "pfactor_bench.config.reference"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == PAGE.read_text(encoding="utf-8")


def test_every_key_says_what_it_means() -> None:
    """Also where a docstring only says that it is as in another."""
    page = suite_reference()
    assert "As in" not in page
    assert "|  |\n" not in page

"""What `import pfactor_bench` offers."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import pfactor_bench
from pfactor_bench import errors


@pytest.mark.parametrize("name", pfactor_bench.__all__)
def test_public_name_can_be_used(name: str) -> None:
    """Its home is where the table says."""
    assert getattr(pfactor_bench, name) is not None


def test_every_public_name_has_a_home() -> None:
    """The two lists hold the same names."""
    assert set(pfactor_bench.__all__) == set(pfactor_bench._HOMES)  # noqa: SLF001


def test_unknown_name_is_an_attribute_error() -> None:
    """As for any module."""
    with pytest.raises(AttributeError, match="no attribute 'audti'"):
        _ = pfactor_bench.audti


def test_what_the_documents_use_is_public() -> None:
    """A reader types what the README and the docs show."""
    root = Path(__file__).parents[1]
    texts = [
        path.read_text(encoding="utf-8") for path in (root / "README.md", *root.glob("docs/*.md"))
    ]
    used = {name for text in texts for name in re.findall(r"\bpfactor_bench\.(\w+)\b", text)}
    folders = {path.parent.name for path in root.glob("pfactor_bench/*/__init__.py")}
    assert used - folders <= set(pfactor_bench.__all__)


def test_paths_may_be_text() -> None:
    """As users pass them."""
    root = Path(__file__).parents[1]
    suite = pfactor_bench.load_suite(f"{root}/suites/case_study.yaml")
    record = pfactor_bench.read_record(f"{root}/reports/case-study")
    assert suite.name == record.suite["name"] == "case-study"


def test_every_error_is_public() -> None:
    """Whoever catches one need not know where it lives."""
    assert set(errors.__all__) - {"did_you_mean"} <= set(pfactor_bench.__all__)


def test_listing_the_names_imports_nothing_heavy() -> None:
    """They are imported when they are used."""
    program = (
        "import sys, pfactor_bench\n"
        "dir(pfactor_bench), pfactor_bench.PfactorBenchError, pfactor_bench.Cohort\n"
        "assert not {'torch', 'braindecode', 'mne', 'pandas', 'pytest'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)

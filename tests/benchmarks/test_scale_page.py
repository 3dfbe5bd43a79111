"""The page about size says what was measured, and nothing else."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_page_is_made_from_the_measurements() -> None:
    """After measuring again, run ``python benchmarks/scale_page.py``."""
    spec = importlib.util.spec_from_file_location("page", ROOT / "benchmarks" / "scale_page.py")
    assert spec is not None
    assert spec.loader is not None
    page = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(page)
    docs = ROOT / "docs"
    scale = json.loads((docs / "scale.json").read_text(encoding="utf-8"))
    measured = docs / "preparation.json"
    preparation = json.loads(measured.read_text(encoding="utf-8")) if measured.exists() else None

    assert page.page(scale, preparation) == (docs / "scale.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("subjects", ["300", "1000", "3155"])
def test_injected_copies_were_found_and_no_others(subjects: str) -> None:
    """95 % of each form, no false pair: what is published keeps what was promised."""
    near = json.loads((ROOT / "docs" / "scale.json").read_text(encoding="utf-8"))[subjects]["near"]

    assert near["false_pairs"] == 0
    for form, injected in near["injected"].items():
        assert near["found"][form] >= 0.95 * injected

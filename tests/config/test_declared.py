"""A file of declarations: read, or refused with file and line before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pfactor_bench.cli.main import main
from pfactor_bench.config.declared import Exclusions, read_exclusions
from pfactor_bench.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

_DIGEST = Exclusions(excluded={"sub-07": "flat"}).digest


def test_exclusions_are_read(tmp_path: Path) -> None:
    """With every subject who was recruited."""
    path = tmp_path / "declared.yaml"
    path.write_text(
        f"exclusions:\n  excluded: {{sub-07: flat}}\n  sha256: {_DIGEST}\n"
        "  all_subjects: [sub-01]\n"
    )
    assert read_exclusions(path) == Exclusions(
        excluded={"sub-07": "flat"}, sha256=_DIGEST, all_subjects=("sub-01",)
    )


def test_order_of_the_list_does_not_matter() -> None:
    """It is a set of subjects."""
    one, other = {"a": "x", "b": "y"}, {"b": "y", "a": "x"}
    assert Exclusions(excluded=one).digest == Exclusions(excluded=other).digest


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("exclusions:\n  excluded: {sub-07: flat}\n", f":2: .*no 'sha256'.*{_DIGEST}"),
        ("exclusions:\n  exclude: {}\n", ":2: unknown key 'exclude'.*excluded"),
        ("exclusions:\n  excluded: [sub-07]\n", ":2: 'excluded' .*a section of keys"),
        ("exclusions:\n  excluded: {sub-07: 3}\n  sha256: a\n", "expected text"),
        ("seeds: [1]\n", "unknown key 'seeds'"),
        ("[sub-07]\n", "a declaration is a mapping"),
        ("exclusions: !!python/object:os.system {}\n", "is not allowed"),
    ],
)
def test_bad_declarations_are_refused(text: str, message: str, tmp_path: Path) -> None:
    """Whatever is wrong is named with its line."""
    path = tmp_path / "declared.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_exclusions(path)


@pytest.mark.parametrize("command", [["audit", "no_such.csv"], ["run", "case-study"]])
def test_missing_declarations_end_a_command(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything runs, as every usage error."""
    assert main([*command, "--declare", str(tmp_path / "none.yaml")]) == 2
    assert "cannot read the declaration" in capsys.readouterr().err

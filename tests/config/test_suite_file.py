"""Reading YAML with line numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pfactor_bench.config.file import read_section
from pfactor_bench.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def section_of(tmp_path: Path):
    """Return a function that reads a suite file with the given text."""

    def read(text: str):
        path = tmp_path / "suite.yaml"
        path.write_text(text, encoding="utf-8")
        return read_section(path)

    return read


def test_nested_values_come_back_plain(section_of) -> None:
    """Sections and lists of sections become dictionaries and lists."""
    section = section_of("a: {b: [1, {c: 2.5}]}\n")
    assert section.plain() == {"a": {"b": [1, {"c": 2.5}]}}


def test_duplicate_key_is_refused_with_its_line(section_of) -> None:
    """YAML would keep the last silently."""
    with pytest.raises(ConfigError, match=r"suite\.yaml:3: 'seeds' stands twice"):
        section_of("seeds: [1]\nname: x\nseeds: [2]\n")


def test_unknown_key_is_refused_with_line_and_suggestion(section_of) -> None:
    """The line is the key's, not the section's."""
    section = section_of("budget:\n  batch_size: 3\n  epoch: 4\n")
    with pytest.raises(ConfigError, match=r":3: unknown key 'epoch' in budget: did you mean"):
        section.values["budget"].check_keys(["epochs", "batch_size"])


def test_wrong_kind_names_value_and_expectation(section_of) -> None:
    """A word where a number is needed."""
    with pytest.raises(ConfigError, match=r":1: 'epochs' in the suite is 'four': expected a whole"):
        section_of("epochs: four\n").get("epochs", int)


def test_boolean_is_no_whole_number(section_of) -> None:
    """Python would let it pass."""
    with pytest.raises(ConfigError, match="is True: expected a whole number"):
        section_of("epochs: yes\n").get("epochs", int)


def test_whole_number_serves_as_number(section_of) -> None:
    """Nobody should have to write 0.0."""
    assert section_of("above: 0\n").get("above", float) == 0.0


def test_missing_key_is_named(section_of) -> None:
    """A key without a default is needed."""
    with pytest.raises(ConfigError, match="the suite has no 'name': add it"):
        section_of("title: x\n").get("name", str)


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words\n", ""])
def test_top_level_must_be_a_mapping(section_of, text: str) -> None:
    """A list or a word is no suite."""
    with pytest.raises(ConfigError, match="a suite is a mapping"):
        section_of(text)


def test_broken_yaml_names_its_line(section_of) -> None:
    """A parser's error becomes one of ours."""
    with pytest.raises(ConfigError, match=r":3: not valid YAML"):
        section_of("a: 1\nb: [1, 2\n")


def test_python_objects_are_refused(section_of) -> None:
    """A suite file runs no code."""
    with pytest.raises(ConfigError, match=r":1: tag .* is not allowed"):
        section_of("a: !!python/object/apply:os.getcwd []\n")


def test_absent_file_is_named(tmp_path: Path) -> None:
    """The path is what the user has to look at."""
    with pytest.raises(ConfigError, match="cannot read the suite"):
        read_section(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: \x07\n", r":2: the character '\\x07' may not stand in YAML"),
        ("a: 2020-13-45\n", r":1: 'a' cannot be '2020-13-45': put it in quotes"),
        ("a: !!int x\n", r":1: 'a' cannot be 'x'"),
        ("a: !!bool x\n", r":1: 'a' cannot be 'x'"),
        (f"a: {'9' * 5000}\n", r":1: 'a' cannot be '9999"),
        ("a: &here [*here]\n", "an alias stands within what it names"),
        ("a: &here {b: *here}\n", "an alias stands within what it names"),
    ],
)
def test_odd_yaml_is_an_error_with_the_fix(section_of, text: str, message: str) -> None:
    """Not a traceback."""
    with pytest.raises(ConfigError, match=message):
        section_of(text)

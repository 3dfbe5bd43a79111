"""Reading YAML with line numbers, and checking it against types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import pytest
from annotated_types import Ge, Lt

from pfactor_bench.config.file import read_section
from pfactor_bench.config.parse import Distinct, parse
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Inner:
    """A section within a section."""

    fraction: Annotated[float, Ge(0), Lt(1)] = 0.5
    names: Distinct[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Keys:
    """What the sections below are checked against."""

    name: str = "x"
    epochs: int = 1
    above: float = 0.0
    kind: Literal["gate", "report"] = "gate"
    either: str | Inner | None = None
    many: tuple[Inner, ...] = ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\nepoch: 4\n", r":2: unknown key 'epoch' in the suite: did you mean 'epochs'"),
        ("either:\n  name: [a]\n", r":2: unknown key 'name' in either: did you mean 'names'"),
        ("many:\n- {}\n- name: a\n", r":3: unknown key 'name' in an entry of many: did you"),
        ("epochs: four\n", r":1: 'epochs' in the suite is 'four': expected a whole number$"),
        ("epochs: yes\n", r":1: 'epochs' in the suite is True: expected a whole number"),
        ("epochs: 1.0\n", r":1: 'epochs' in the suite is 1\.0: expected a whole number"),
        ("above: 1e-3\n", r":1: .* expected a number; YAML takes this for text, write 0\.001"),
        ("above: .nan\n", r":1: 'above' in the suite is nan: expected a finite number"),
        ("name: {a: 1}\n", r":1: 'name' in the suite is a section: expected text"),
        ("name: 1\n", r":1: 'name' in the suite is 1: expected text"),
        ("kind: gat\n", r":1: kind is 'gat': it is 'gate' or 'report'"),
        ("either: 3\n", r":1: 'either' in the suite is 3: expected text or a section of keys"),
        ("either:\n  fraction: 1\n", r":2: fraction is 1\.0: it must be below 1"),
        ("either:\n  fraction: -1\n", r":2: fraction is -1\.0: it must be 0 or more"),
        ("either:\n  names: []\n", r":2: 'names' is empty: name at least one"),
        ("either:\n  names: [a, a]\n", r":2: 'a' stands twice in 'names': keep one"),
        ("either:\n  names: [a, 1]\n", r":2: 1 in 'names' is not str"),
        ("many: [{}, 1]\n", r":1: 1 in 'many' is no section"),
        ("above: x\nepoch: 1\n", r":2: unknown key 'epoch'"),
        ("above: x\nepochs: x\n", r":1: 'above'"),
    ],
)
def test_first_mistake_is_told_with_its_line(section_of, text: str, message: str) -> None:
    """An unknown key before others, since it may be what another lacks."""
    with pytest.raises(ConfigError, match=message):
        parse(section_of(text), Keys)


def test_missing_key_is_named(section_of) -> None:
    """With the section that it is missing in."""
    with pytest.raises(ConfigError, match=r":2: mine has no 'LK003': add it"):
        parse(section_of("mine:\n  name: x\n").values["mine"], Needy)


@dataclass(frozen=True, kw_only=True, slots=True)
class Needy:
    """A section with a key that is needed."""

    LK003: str
    name: str = "x"


def test_whole_number_serves_as_number(section_of) -> None:
    """Nobody should have to write 0.0; and what is left out has its default."""
    assert parse(section_of("above: 3\n"), Keys) == Keys(above=3.0)


def test_lists_become_what_the_type_says(section_of) -> None:
    """Tuples of sections and of text."""
    found = parse(section_of("many: [{names: [a, b]}]\n"), Keys)
    assert found.many == (Inner(names=("a", "b")),)


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
        ("a: 2020-01-13\n", r":1: 'a' cannot be '2020-01-13': put it in quotes"),
        ('a: "\\ud800"\n', r":1: 'a' cannot be '.ud800'"),
        ("a: !!binary aGk=\n", r":1: 'a' cannot be 'aGk='"),
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


def test_size_is_bounded(section_of) -> None:
    """A suite is some kilobytes; a wrong file may be anything."""
    with pytest.raises(ConfigError, match=r"has 1,000,00\d bytes: a suite has 1,000,000 at most"):
        section_of("a: " + "b" * 1_000_000)


def test_aliases_cannot_write_a_file_out_without_end(section_of) -> None:
    """Nine lines of ten aliases each are a billion values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(ConfigError, match="more than 100,000 values"):
        section_of("\n".join(lines))

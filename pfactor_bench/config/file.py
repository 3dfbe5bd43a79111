"""YAML with line numbers, so that an error can say where."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from pfactor_bench.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["Section", "read_section"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A mapping of a suite file that knows where each of its keys stands.

    Parameters
    ----------
    file
        The file's name, for messages.
    name
        The section's name, for messages; ``"the suite"`` at the top.
    line
        Where it begins.
    values
        Its values; nested mappings are sections too.
    lines
        The line of each key.
    """

    file: str
    name: str
    line: int
    values: dict[str, Any]
    lines: dict[str, int]

    def error(self, message: str, key: str | None = None) -> ConfigError:
        """Return an error that points at `key`, or at the section."""
        line = self.line if key is None else self.lines.get(key, self.line)
        return ConfigError(f"{self.file}:{line}: {message}")

    def check_keys(self, known: Iterable[str]) -> None:
        """Refuse the first key that is not in `known`."""
        known = list(known)
        for key in self.values:
            if key not in known:
                raise self.error(
                    f"unknown key {key!r} in {self.name}{did_you_mean(key, known)}", key
                )

    def get(self, key: str, kind: type | tuple[type, ...], default: Any = ...) -> Any:  # noqa: ANN401
        """Return the value of `key`, of a given kind; `default` where it is absent.

        Raises
        ------
        ConfigError
            If it is absent without a default, or of another kind.
        """
        if key not in self.values:
            if default is ...:
                raise self.error(f"{self.name} has no {key!r}: add it")
            return default
        value = self.values[key]
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if isinstance(value, float) and float in kinds and not math.isfinite(value):
            raise self.error(f"{key!r} in {self.name} is {value}: expected a finite number", key)
        # YAML's true is an int for Python, and 4 a perfectly good float.
        is_bool = isinstance(value, bool) and bool not in kinds
        if float in kinds and isinstance(value, int) and not is_bool:
            return float(value)
        if is_bool or not isinstance(value, kinds):
            expected = " or ".join(_WORDS.get(one, one.__name__) for one in kinds)
            shown = "a section" if isinstance(value, Section) else repr(value)
            hint = _number_hint(value) if float in kinds else ""
            raise self.error(f"{key!r} in {self.name} is {shown}: expected {expected}{hint}", key)
        return value

    def plain(self) -> dict[str, Any]:
        """Return the values as plain dictionaries and lists."""
        return {key: _plain(value) for key, value in self.values.items()}


_WORDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    list: "a list",
    bool: "true or false",
    Section: "a section of keys",
}


def _number_hint(value: object) -> str:
    """Say how to write what is a number everywhere but in YAML 1.1, such as ``1e-3``."""
    try:
        number = float(str(value))
    except ValueError:
        return ""
    return f"; YAML takes this for text, write {number!r}" if isinstance(value, str) else ""


def read_section(path: Path) -> Section:
    """Read a suite file.

    Raises
    ------
    ConfigError
        If it cannot be read, is no YAML, or is not a mapping; duplicate keys are refused.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the suite {str(path)!r}: {error}") from error
    try:
        loader = yaml.SafeLoader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(
            f"{path}:{line}: the character {chr(error.character)!r} may not stand in YAML: "
            f"remove it"
        ) from error
    try:
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise ConfigError(f"{path}:1: a suite is a mapping of keys, such as 'name: my-suite'")
        section = _section(loader, node, str(path), "the suite")
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}:{line}: not valid YAML: {error.problem}") from error
    except RecursionError as error:
        raise ConfigError(
            f"{path}: an alias stands within what it names, or sections are nested too deeply: "
            f"write the values out"
        ) from error
    finally:
        loader.dispose()
    return section


def _section(loader: yaml.SafeLoader, node: yaml.MappingNode, file: str, name: str) -> Section:
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for key_node, value_node in node.value:
        key = str(loader.construct_object(key_node, deep=True))
        line = key_node.start_mark.line + 1
        if key in values:
            raise ConfigError(f"{file}:{line}: {key!r} stands twice in {name}: keep one")
        lines[key] = line
        values[key] = _value(loader, value_node, file, key)
    return Section(file=file, name=name, line=node.start_mark.line + 1, values=values, lines=lines)


def _value(loader: yaml.SafeLoader, node: yaml.Node, file: str, name: str) -> Any:  # noqa: ANN401
    plain_tag = node.tag.startswith("tag:yaml.org,2002:") and "python" not in node.tag
    if not plain_tag:
        line = node.start_mark.line + 1
        raise ConfigError(f"{file}:{line}: tag {node.tag!r} is not allowed: a suite is plain data")
    if isinstance(node, yaml.MappingNode):
        return _section(loader, node, file, name)
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item, file, f"an entry of {name}") for item in node.value]
    try:
        return loader.construct_object(node, deep=True)
    except (ValueError, KeyError) as error:
        # As a date, 2020-13-45 is none; as text it is as good as any.
        raise ConfigError(
            f"{file}:{node.start_mark.line + 1}: {name!r} cannot be {node.value[:60]!r}: put it "
            f"in quotes if it is text"
        ) from error


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Section):
        return value.plain()
    return [_plain(item) for item in value] if isinstance(value, list) else value

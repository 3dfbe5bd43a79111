"""YAML with line numbers, so that an error can say where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pfactor_bench.errors import ConfigError

#: No suite is near it: the longest published one has 5 kB.
_MOST_BYTES = 1_000_000

#: Aliases that name aliases can write a short file out without end.
_MOST_VALUES = 100_000


@dataclass(frozen=True, kw_only=True, slots=True)
class FileSection:
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

    def plain(self) -> dict[str, Any]:
        """Return the values as plain dictionaries and lists."""
        return {key: _plain(value) for key, value in self.values.items()}


def read_section(path: Path, what: str = "suite") -> FileSection:
    """Read a YAML file: a suite's, or `what` else messages call it.

    Raises
    ------
    ConfigError
        If it cannot be read, is no YAML, not a mapping, or endless; duplicate keys are refused.
    """
    try:
        if (size := path.stat().st_size) > _MOST_BYTES:
            raise ConfigError(f"{path} has {size:,} bytes: a {what} has {_MOST_BYTES:,} at most")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the {what} {str(path)!r}: {error}") from error
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
            raise ConfigError(f"{path}:1: a {what} is a mapping of keys, such as 'name: my-suite'")
        section = _Reader(loader, str(path)).section(node, f"the {what}")
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


class _Reader:
    """Turns YAML's nodes into sections and plain values."""

    def __init__(self, loader: yaml.SafeLoader, file: str) -> None:
        self._loader, self._file, self._n_left = loader, file, _MOST_VALUES

    def section(self, node: yaml.MappingNode, name: str) -> FileSection:
        values: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = str(self._loader.construct_object(key_node, deep=True))
            if key in values:
                raise self._error(key_node, f"{key!r} stands twice in {name}: keep one")
            lines[key] = key_node.start_mark.line + 1
            values[key] = self._value(value_node, key)
        line = node.start_mark.line + 1
        return FileSection(file=self._file, name=name, line=line, values=values, lines=lines)

    def _value(self, node: yaml.Node, name: str) -> Any:  # noqa: ANN401
        self._n_left -= 1
        if self._n_left < 0:
            raise self._error(node, f"more than {_MOST_VALUES:,} values: write fewer")
        if not node.tag.startswith("tag:yaml.org,2002:") or "python" in node.tag:
            raise self._error(node, f"tag {node.tag!r} is not allowed: write plain data")
        if isinstance(node, yaml.MappingNode):
            return self.section(node, name)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, f"an entry of {name}") for item in node.value]
        try:
            value = self._loader.construct_object(node, deep=True)
            str(value).encode()  # half of a surrogate pair is no text
        except (ValueError, KeyError):
            value = ...
        if not isinstance(value, str | int | float | None):
            # As a date, 2020-13-45 is none; as text it is as good as any, and a record holds it.
            raise self._error(
                node, f"{name!r} cannot be {node.value[:60]!r}: put it in quotes if it is text"
            )
        return value

    def _error(self, node: yaml.Node, message: str) -> ConfigError:
        return ConfigError(f"{self._file}:{node.start_mark.line + 1}: {message}")


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, FileSection):
        return value.plain()
    return [_plain(item) for item in value] if isinstance(value, list) else value

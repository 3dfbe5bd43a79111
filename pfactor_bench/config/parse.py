"""Sections checked against types: the first mistake is told with its line and the fix."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar, get_args, get_type_hints

from pydantic import AfterValidator, ConfigDict, TypeAdapter, ValidationError, ValidationInfo

from pfactor_bench.config.file import FileSection
from pfactor_bench.errors import UnknownNameError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

    from pfactor_bench.registry import Registry

_T = TypeVar("_T")

_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)

#: Pydantic's kinds of mistakes: what was expected of a key, and what an entry of a list is.
_EXPECTED = {
    "string_type": ("text", "not str"),
    "int_type": ("a whole number", "not int"),
    "int_from_float": ("a whole number", "not int"),
    "float_type": ("a number", "not float"),
    "bool_type": ("true or false", "not bool"),
    "finite_number": ("a finite number", "not a finite number"),
    "list_type": ("a list", "no list"),
    "tuple_type": ("a list", "no list"),
    "dict_type": ("a section of keys", "no section"),
    "dataclass_type": ("a section of keys", "no section"),
}

#: What a bound asks for, by the name that pydantic gives it.
_BOUNDS = {"gt": "above {:g}", "ge": "{:g} or more", "lt": "below {:g}", "le": "{:g} or less"}


def parse(section: FileSection, kind: type[_T]) -> _T:
    """Return a section as a value of a type.

    Parameters
    ----------
    section
        Of a suite file.
    kind
        A dataclass whose fields are the keys, or a ``dict``. Nothing is converted: a number in
        quotes is text.

    Raises
    ------
    ConfigError
        With file and line, for an unknown key, else for the first that is missing or cannot be.
    """
    # As JSON, which is all a suite is: lists may become tuples, and nothing else may change.
    text = json.dumps([section.plain()])
    # In a list, since a dataclass alone would have to bring its own configuration.
    adapter: TypeAdapter[Any] = TypeAdapter(tuple[kind], config=_STRICT)  # type: ignore[valid-type]
    try:
        parsed: _T = adapter.validate_json(text, strict=True)[0]
    except ValidationError as error:
        found = [_Mistake.of(section, one) for one in error.errors(include_url=False)]
    else:
        return parsed
    # Where a member of a union is told apart by what it holds, the others are not meant.
    inner = {one.path[:n] for one in found for n in range(len(one.path))}
    first = min(
        (one for one in found if one.path not in inner),
        key=lambda one: (not one.is_unknown, one.line, one.details["type"] in _EXPECTED),
    )
    same = [one for one in found if one.path == first.path]
    raise first.section.error(first.message(kind, same), first.key)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Mistake:
    """Where one of pydantic's errors stands in a suite file.

    Parameters
    ----------
    details
        Pydantic's.
    path
        To the value, as far as the file has it: the names of a union's members are left out.
    section, key, value
        The innermost section, its key (None is the section itself), and what stands there.
    """

    details: ErrorDetails
    path: tuple[str | int, ...]
    section: FileSection
    key: str | None
    value: Any

    @classmethod
    def of(cls, top: FileSection, details: ErrorDetails) -> _Mistake:
        path: list[str | int] = []
        section, key = top, None
        value: Any = top
        for part in details["loc"][1:]:
            if isinstance(value, FileSection) and part in value.values:
                section, key, value = value, str(part), value.values[str(part)]
            elif isinstance(value, list) and isinstance(part, int):
                value = value[part]
            else:
                continue
            path.append(part)
        if isinstance(value, FileSection) and details["type"] in {"missing", "value_error"}:
            section, key = value, None
        return cls(details=details, path=tuple(path), section=section, key=key, value=value)

    @property
    def is_unknown(self) -> bool:
        return self.details["type"] == "unexpected_keyword_argument"

    @property
    def line(self) -> int:
        return self.section.lines.get(self.key or "", self.section.line)

    def message(  # noqa: PLR0911 - one return a kind of mistake
        self,
        kind: Any,  # noqa: ANN401 - a type
        same: Sequence[_Mistake],
    ) -> str:
        """Return what is wrong; `same` are the mistakes that stand where this one does."""
        where, context = self.section.name, self.details.get("ctx", {})
        match self.details["type"]:
            case "unexpected_keyword_argument":
                known = did_you_mean(self.key or "", self._keys(kind))
                return f"unknown key {self.key!r} in {where}{known}"
            case "missing":
                return f"{where} has no {self.details['loc'][-1]!r}: add it"
            case "value_error":
                return str(context["error"])
            case "literal_error":
                return f"{self.key} is {self.value!r}: it is {context['expected']}"
            case kind_of_mistake if kind_of_mistake in _EXPECTED:
                return self._unlike(
                    [_EXPECTED[t] for one in same if (t := one.details["type"]) in _EXPECTED]
                )
        bound = next(iter(_BOUNDS.keys() & context.keys()), None)
        if bound is None:
            return f"{self.key or where} cannot be read: {self.details['msg']}"
        limit = context[bound]
        given = type(limit)(self.details["input"])
        return f"{self.key} is {given!r}: it must be {_BOUNDS[bound].format(limit)}"

    def _unlike(self, expected: Sequence[tuple[str, str]]) -> str:
        """Return that the value is of another kind than those expected."""
        if self.path and isinstance(self.path[-1], int):
            reasons = " and ".join(dict.fromkeys(reason for _, reason in expected))
            return f"{self.value!r} in {self.key!r} is {reasons}"
        shown = "a section" if isinstance(self.value, FileSection) else repr(self.value)
        words = " or ".join(dict.fromkeys(words for words, _ in expected))
        hint = _number_hint(self.value) if "number" in words else ""
        return f"{self.key!r} in {self.section.name} is {shown}: expected {words}{hint}"

    def _keys(self, kind: Any) -> list[str]:  # noqa: ANN401 - a type
        """Return the keys that the section may have."""
        for part in self.path[:-1]:
            if isinstance(part, str):
                kind = get_type_hints(_dataclass_in(kind))[part]
        return [field.name for field in fields(_dataclass_in(kind))]


def _dataclass_in(kind: Any) -> Any:  # noqa: ANN401 - types
    """Return the dataclass in a type such as ``tuple[Claim, ...]`` or ``Budget | None``."""
    if is_dataclass(kind):
        return kind
    return next(filter(None, map(_dataclass_in, get_args(kind))), None)


def _number_hint(value: object) -> str:
    """Say how to write what is a number everywhere but in YAML 1.1, such as ``1e-3``."""
    try:
        number = float(str(value))
    except ValueError:
        return ""
    return f"; YAML takes this for text, write {number!r}" if isinstance(value, str) else ""


def registered(registry: Registry[Any]) -> AfterValidator:
    """Return what refuses a name that nothing is registered under."""

    def check(name: str) -> str:
        try:
            registry[name]
        except UnknownNameError as error:
            raise ValueError(str(error)) from error
        return name

    return AfterValidator(check)


def repeated(key: str | None, values: Sequence[object]) -> str | None:
    """Return the complaint that a list holds a value twice, None where it does not."""
    twice = next((one for one in values if values.count(one) > 1), None)
    return None if twice is None else f"{twice!r} stands twice in {key!r}: keep one"


def _filled(values: tuple[_T, ...], info: ValidationInfo) -> tuple[_T, ...]:
    if not values:
        raise ValueError(f"{info.field_name!r} is empty: name at least one")
    return values


def _different(values: tuple[_T, ...], info: ValidationInfo) -> tuple[_T, ...]:
    if message := repeated(info.field_name, values):
        raise ValueError(message)
    return values


#: At least one value.
Filled: TypeAlias = Annotated[tuple[_T, ...], AfterValidator(_filled)]

#: At least one value, none twice.
Distinct: TypeAlias = Annotated[Filled[_T], AfterValidator(_different)]

"""Sections that name a registered function and give its keyword arguments: cohort and split."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field, make_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError

from pfactor_bench.config.parse import parse
from pfactor_bench.errors import UnknownNameError
from pfactor_bench.types import Ingredient

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pfactor_bench.config.file import FileSection
    from pfactor_bench.registry import Registry

#: What signatures name without importing it while they run.
_NAMES = {"Sequence": Sequence, "Path": Path, "Cohort": Any, "Splitter": Any}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kind:
    kind: str


def read_ingredient(
    section: FileSection, registry: Registry[Callable[..., Any]], *, supplied: Collection[str] = ()
) -> Ingredient:
    """Read ``kind`` and check the other keys against the signature of what it names.

    Parameters
    ----------
    section
        The ingredient's.
    registry
        Where its kind is looked up.
    supplied
        Arguments that the program gives, not the suite.

    Raises
    ------
    ConfigError
        For an unknown kind or key, a missing one, or a value of another kind than is declared.
    """
    given = {key: value for key, value in section.values.items() if key == "kind"}
    kind = parse(replace(section, values=given), _Kind).kind
    try:
        maker = registry[kind]
    except UnknownNameError as error:
        raise section.error(str(error), "kind") from error
    parse(section, keys_of(maker, supplied=supplied, kind=str))
    args = {name: value for name, value in section.plain().items() if name != "kind"}
    return Ingredient(kind=kind, args=args)


def keys_of(maker: Callable[..., Any], *, supplied: Collection[str], **more: type) -> type:
    """Return a dataclass of the keyword arguments that a suite may give a function.

    Parameters
    ----------
    maker
        Its parameters are the keys.
    supplied
        Those that the program gives, not the suite.
    more
        Further keys, with their types.
    """
    try:
        signature = inspect.signature(maker, locals=_NAMES, eval_str=True)
    except NameError:
        signature = inspect.signature(maker)
    keys = [
        (one.name, _checked(one.annotation), field(default=one.default))
        if one.default is not one.empty
        else (one.name, _checked(one.annotation))
        for one in signature.parameters.values()
        if one.name not in supplied
    ]
    return make_dataclass("Keys", [*more.items(), *keys], kw_only=True)


def needed_arguments(maker: Callable[..., Any], given: Collection[str]) -> list[str]:
    """Return the parameters that have no default and are not given."""
    parameters = inspect.signature(maker).parameters.values()
    return [one.name for one in parameters if one.default is one.empty and one.name not in given]


def _checked(annotation: Any) -> Any:  # noqa: ANN401 - types
    """Return a type that values can be checked against; whatever is none takes any value."""
    try:
        TypeAdapter(annotation)
    except (PydanticUserError, PydanticUndefinedAnnotation):
        return Any
    return annotation

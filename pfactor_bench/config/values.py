"""What several sections of a suite are read with: ingredients, budgets, lists, registered names."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pfactor_bench.config.file import Section
from pfactor_bench.errors import UnknownNameError
from pfactor_bench.types import Budget, Ingredient, InnerValidation, ScoreScale

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pfactor_bench.registry import Registry

__all__ = [
    "check_kind",
    "list_of",
    "look_up",
    "needed_arguments",
    "read_budget",
    "read_ingredient",
]

_T = TypeVar("_T")

_NUMBERS = {"epochs": int, "batch_size": int, "learning_rate": float, "weight_decay": float}
_SCORES = ("raw", "standardized")

#: What the parameters of cohorts and splits are annotated with, and what YAML makes of such values.
_KINDS: dict[str, type | None] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "Sequence[str]": list,
    "Sequence[int]": list,
    "None": None,
}


def read_ingredient(
    top: Section, key: str, registry: Registry[Callable[..., Any]], *, supplied: Collection[str]
) -> Ingredient:
    """Read ``kind`` and check the other keys against the signature of what it names.

    Parameters
    ----------
    top, key
        The section that holds the ingredient, and under which key.
    registry
        Where its kind is looked up.
    supplied
        Arguments that the program gives, not the suite.

    Raises
    ------
    ConfigError
        For an unknown kind or key, or a missing one.
    """
    section = top.get(key, Section)
    kind = section.get("kind", str)
    maker = look_up(section, "kind", registry, kind)
    parameters = inspect.signature(maker).parameters
    section.check_keys(["kind", *(name for name in parameters if name not in supplied)])
    for name in needed_arguments(maker, {*supplied, *section.values}):
        raise section.error(f"{key} {kind!r} needs {name!r}: add it")
    for name in section.values:
        if name != "kind":
            check_kind(section, name, str(parameters[name].annotation))
    args = {name: value for name, value in section.plain().items() if name != "kind"}
    return Ingredient(kind=kind, args=args)


def needed_arguments(maker: Callable[..., Any], given: Collection[str]) -> list[str]:
    """Return the parameters that have no default and are not given."""
    parameters = inspect.signature(maker).parameters.values()
    return [one.name for one in parameters if one.default is one.empty and one.name not in given]


def check_kind(section: Section, key: str, annotation: str) -> None:
    """Refuse a value that is not of the kind that its parameter declares; unknown kinds pass."""
    words = [word.strip() for word in annotation.split("|")]
    if not set(words) <= _KINDS.keys():
        return
    value = section.values[key]
    if value is None and "None" in words:
        return
    kinds = tuple(kind for word in words if (kind := _KINDS[word]) is not None)
    section.get(key, kinds)
    if isinstance(value, list):
        entry = next(int if word.endswith("[int]") else str for word in words if "[" in word)
        for one in value:
            if not isinstance(one, entry) or isinstance(one, bool):
                raise section.error(f"{one!r} in {key!r} is not {entry.__name__}", key)


def read_budget(top: Section) -> Budget:
    """Read the section ``budget``.

    Raises
    ------
    ConfigError
        For an unknown key, or a number that nothing can be trained with.
    """
    section = top.get("budget", Section)
    section.check_keys([*_NUMBERS, "scores", "inner"])
    section.get("epochs", int)
    numbers = {key: section.get(key, _NUMBERS[key]) for key in section.values if key in _NUMBERS}
    scores = section.get("scores", str, default="raw")
    if scores not in _SCORES:
        raise section.error(f"scores is {scores!r}: it is 'raw' or 'standardized'", "scores")
    budget = Budget(**numbers, scores=cast("ScoreScale", scores), inner=_read_inner(section))
    for key in ("epochs", "batch_size", "learning_rate"):
        if getattr(budget, key) <= 0:
            raise section.error(f"{key} is {getattr(budget, key)}: it must be above 0", key)
    if budget.weight_decay < 0:
        raise section.error(f"weight_decay is {budget.weight_decay}: it must be 0 or more")
    return budget


def list_of(top: Section, key: str, kind: type) -> list[Any]:
    """Return a list of different values of one kind.

    Raises
    ------
    ConfigError
        If it is empty, or holds another kind or a value twice.
    """
    values: list[Any] = top.get(key, list)
    if not values:
        raise top.error(f"{key!r} is empty: name at least one", key)
    if kind is float:
        # 1 is a perfectly good float, and .nan is none that anything can be done with.
        values = [float(v) if type(v) is int else v for v in values]
    for value in values:
        if not isinstance(value, kind) or isinstance(value, bool):
            raise top.error(f"{value!r} in {key!r} is not {kind.__name__}", key)
        if isinstance(value, float) and not math.isfinite(value):
            raise top.error(f"{value!r} in {key!r} is not a finite number", key)
        if values.count(value) > 1:
            raise top.error(f"{value!r} stands twice in {key!r}: keep one", key)
    return values


def look_up(section: Section, key: str, registry: Registry[_T], name: str) -> _T:
    """Return what is registered under `name`, or say where the unknown name stands."""
    try:
        return registry[name]
    except UnknownNameError as error:
        raise section.error(str(error), key) from error


def _read_inner(budget: Section) -> InnerValidation | None:
    if "inner" not in budget.values:
        return None
    section = budget.get("inner", Section)
    section.check_keys(["fraction", "seed", "learning_rates"])
    fraction = section.get("fraction", float, default=0.25)
    if not 0 < fraction < 1:
        raise section.error(f"fraction is {fraction}: it must lie between 0 and 1", "fraction")
    rates = list_of(section, "learning_rates", float) if "learning_rates" in section.values else []
    for rate in rates:
        if rate <= 0:
            raise section.error(f"learning rate {rate} must be above 0", "learning_rates")
    return InnerValidation(
        fraction=fraction,
        seed=section.get("seed", int, default=0),
        learning_rates=tuple(rates),
    )

"""A suite file, read and checked before anything heavy is imported."""

from __future__ import annotations

import hashlib
import inspect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pfactor_bench.cohorts import COHORTS
from pfactor_bench.errors import UnknownNameError
from pfactor_bench.regimes import REGIMES
from pfactor_bench.saliency import WINDOW_CHOICES
from pfactor_bench.splits import SPLITTERS
from pfactor_bench.suite_claims import read_claims
from pfactor_bench.suite_file import Section, read_section
from pfactor_bench.types import Budget, Case, Claim, ModelSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pfactor_bench.registry import Registry

_T = TypeVar("_T")

__all__ = ["Ingredient", "Suite", "load_suite"]

_KEYS = (
    "name",
    "title",
    "question",
    "cohort",
    "split",
    "model",
    "regimes",
    "seeds",
    "budget",
    "saliency",
    "claims",
    "quick",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ingredient:
    """A registered function by name, with the keyword arguments that the suite sets."""

    kind: str
    args: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Suite:
    """What a suite file declares.

    Parameters
    ----------
    name
        Also the name of the report's folder: lower-case letters, digits and hyphens.
    title, question
        The report's heading, and the question that its claims answer.
    path
        The file.
    sha256
        Over the file's bytes.
    definition
        The file as plain values, for the record.
    cohort, split
        What to run on.
    cases
        Every regime with every seed, in the order of the file: what a run computes and what tests
        are parametrised over.
    budget
        How long to train.
    saliency
        How windows are chosen for saliency maps; the first is drawn.
    claims
        What to judge.
    quick
        Whether ``pytest suites`` runs it without being asked to.
    """

    name: str
    title: str
    question: str
    path: Path
    sha256: str
    definition: Mapping[str, Any]
    cohort: Ingredient
    split: Ingredient
    cases: tuple[Case, ...]
    budget: Budget
    saliency: tuple[str, ...]
    claims: tuple[Claim, ...]
    quick: bool


def load_suite(path: Path) -> Suite:
    """Read a suite file and check every name and key in it.

    Parameters
    ----------
    path
        The YAML file.

    Returns
    -------
    Suite

    Raises
    ------
    ConfigError
        With file and line, for anything unknown, missing, of the wrong kind, or contradictory.
    """
    top = read_section(path)
    top.check_keys(_KEYS)
    name = top.get("name", str)
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", name):
        raise top.error(
            f"name {name!r} is also a folder's: use lower-case letters, digits and hyphens", "name"
        )
    return Suite(
        name=name,
        title=top.get("title", str),
        question=top.get("question", str),
        path=path,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        definition=top.plain(),
        cohort=_ingredient(top, "cohort", COHORTS, supplied={"data_dir"}),
        split=_ingredient(top, "split", SPLITTERS, supplied=set()),
        cases=_cases(top),
        budget=_budget(top),
        saliency=_saliency(top),
        claims=read_claims(top),
        quick=top.get("quick", bool, default=False),
    )


def _ingredient(
    top: Section, key: str, registry: Registry[Callable[..., Any]], *, supplied: set[str]
) -> Ingredient:
    """Read ``kind`` and check the other keys against the signature of what it names."""
    section = top.get(key, Section)
    kind = section.get("kind", str)
    maker = _look_up(section, "kind", registry, kind)
    parameters = inspect.signature(maker).parameters
    section.check_keys(["kind", *(name for name in parameters if name not in supplied)])
    for name, parameter in parameters.items():
        needed = parameter.default is inspect.Parameter.empty and name not in supplied
        if needed and name not in section.values:
            raise section.error(f"{key} {kind!r} needs {name!r}: add it")
    args = {name: value for name, value in section.plain().items() if name != "kind"}
    return Ingredient(kind=kind, args=args)


def _cases(top: Section) -> tuple[Case, ...]:
    model = top.get("model", Section)
    model.check_keys(["name", "args"])
    args = model.get("args", Section, default=None)
    spec = ModelSpec(name=model.get("name", str), args=args.plain() if args else {})
    regimes = _list_of(top, "regimes", str)
    for regime in regimes:
        _look_up(top, "regimes", REGIMES, regime)
    seeds = _list_of(top, "seeds", int)
    return tuple(Case(regime=regime, model=spec, seed=seed) for regime in regimes for seed in seeds)


def _budget(top: Section) -> Budget:
    section = top.get("budget", Section)
    kinds = {"epochs": int, "batch_size": int, "learning_rate": float, "weight_decay": float}
    section.check_keys(kinds)
    section.get("epochs", int)
    budget = Budget(**{key: section.get(key, kinds[key]) for key in section.values})
    for key in ("epochs", "batch_size", "learning_rate"):
        if getattr(budget, key) <= 0:
            raise section.error(f"{key} is {getattr(budget, key)}: it must be above 0", key)
    if budget.weight_decay < 0:
        raise section.error(f"weight_decay is {budget.weight_decay}: it must be 0 or more")
    return budget


def _saliency(top: Section) -> tuple[str, ...]:
    if "saliency" not in top.values:
        return ("all-held-out",)
    choices = _list_of(top, "saliency", str)
    for choice in choices:
        _look_up(top, "saliency", WINDOW_CHOICES, choice)
    return tuple(choices)


def _look_up(section: Section, key: str, registry: Registry[_T], name: str) -> _T:
    try:
        return registry[name]
    except UnknownNameError as error:
        raise section.error(str(error), key) from error


def _list_of(top: Section, key: str, kind: type) -> list[Any]:
    values: list[Any] = top.get(key, list)
    if not values:
        raise top.error(f"{key!r} is empty: name at least one", key)
    for value in values:
        if not isinstance(value, kind) or isinstance(value, bool):
            raise top.error(f"{value!r} in {key!r} is not {kind.__name__}", key)
        if values.count(value) > 1:
            raise top.error(f"{value!r} stands twice in {key!r}: keep one", key)
    return values

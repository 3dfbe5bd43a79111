"""The page of all keys that a suite may have, made from the classes that check them.

``python -m pfactor_bench.config.reference > docs/suite-keys.md`` writes it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import MISSING, fields, is_dataclass
from importlib import import_module
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from pfactor_bench.cohorts import COHORTS
from pfactor_bench.config.ingredient import keys_of
from pfactor_bench.config.keys import ClaimKeys, ModelKeys, RegimeKeys, SuiteKeys
from pfactor_bench.models.baselines import BASELINES
from pfactor_bench.models.regimes import REGIMES
from pfactor_bench.splits.splitters import SPLITTERS
from pfactor_bench.training.engine import ENGINES
from pfactor_bench.training.pretraining.sources import SOURCES, SourceTask, StoredEncoder
from pfactor_bench.training.saliency import WINDOW_CHOICES
from pfactor_bench.types import Budget, InnerValidation

if TYPE_CHECKING:
    from pfactor_bench.registry import Registry

_HEAD = """\
# The keys of a suite

A suite is a YAML file. Every key is checked, with its line, before anything is loaded; one that is
not listed here is refused. Keys without a default are needed. Relative paths start from the suite's
folder.

This page is made by `python -m pfactor_bench.config.reference`, from what checks a suite.
"""

#: Sections by where they stand in a suite.
_SECTIONS = {
    "a suite": SuiteKeys,
    "`model`, an entry of `models`": ModelKeys,
    "an entry of `regimes`": RegimeKeys,
    "`budget`": Budget,
    "`budget: inner`": InnerValidation,
    "`source`": SourceTask,
    "`source`, of kind `checkpoint`": StoredEncoder,
    "an entry of `claims`": ClaimKeys,
}

#: Names to choose from, by the key that they are given to.
_NAMES: dict[str, Registry[Any]] = {
    "regimes": REGIMES,
    "engine": ENGINES,
    "kind` of `source": SOURCES,
    "saliency": WINDOW_CHOICES,
    "baselines": BASELINES,
}

_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", Any: "any"}


def suite_reference() -> str:
    """Return the page, in Markdown."""
    names = [
        f"- `{key}`: {', '.join(f'`{name}`' for name in registry)}"
        for key, registry in _NAMES.items()
    ]
    parts = [_HEAD, *(_section(f"In {where}", kind, kind) for where, kind in _SECTIONS.items())]
    for what, registry in (("cohort", COHORTS), ("split", SPLITTERS)):
        for name in registry:
            keys = keys_of(registry[name], supplied={"data_dir"})
            parts.append(_section(f"In `{what}`, of kind `{name}`", keys, registry[name]))
    return "\n".join([*parts, "## Names\n", *names, ""])


def _section(title: str, kind: type, documented: Any) -> str:  # noqa: ANN401 - a class or function
    meanings = _meanings(documented)
    types = get_type_hints(kind)
    rows = [
        f"| `{key.name}` | {_words(types[key.name])} | {_default(key)} | {meanings[key.name]} |"
        for key in fields(kind)
    ]
    summary = (inspect.getdoc(documented) or "").partition("\n\n")[0].replace("\n", " ")
    # What a function returns is what it is called for.
    summary = re.sub("^Return (.)", lambda found: found[1].upper(), summary)
    table = "\n".join(["| key | what it is | default | meaning |", "|---|---|---|---|", *rows])
    return f"## {title}\n\n{_code(summary)}\n\n{table}\n"


def _meanings(documented: Any) -> dict[str, str]:  # noqa: ANN401 - a class or function
    """Return what a NumPy docstring says of each parameter, a base class's last."""
    found: dict[str, str] = {}
    for one in inspect.getmro(documented) if inspect.isclass(documented) else (documented,):
        text = inspect.cleandoc(one.__doc__ or "").partition("Parameters\n----------\n")[2]
        for names, meaning in re.findall(r"^(\w[\w, ]*)\n((?: {4}.*\n?)+)", text, re.MULTILINE):
            words = _code(" ".join(meaning.split())).replace("|", "\\|")
            if other := re.match(r"As in `([\w.]+)\.(\w+)`", words):
                elsewhere = _meanings(getattr(import_module(other[1]), other[2]))
                found |= {name: elsewhere[name] for name in names.split(", ") if name in elsewhere}
            found = {**dict.fromkeys(names.split(", "), words), **found}
    return found


def _words(kind: Any) -> str:  # noqa: ANN401 - a type
    origin, inner = get_origin(kind), get_args(kind)
    if kind in _WORDS:
        return _WORDS[kind]
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin in {tuple, Sequence}:
        return f"list of {_words(inner[0])}"
    if origin is dict or is_dataclass(kind):
        return "section"
    return " or ".join(_words(one) for one in inner if one is not NoneType) or "text"


def _default(key: Any) -> str:  # noqa: ANN401 - a field
    if key.default is MISSING:
        return "" if key.default_factory is MISSING else "none"
    if key.default in (None, ()):
        return "none"
    if isinstance(key.default, tuple):
        return ", ".join(f"`{one}`" for one in key.default)
    return f"`{str(key.default).lower() if isinstance(key.default, bool) else key.default}`"


def _code(text: str) -> str:
    """Return text with the marks of reStructuredText's code made Markdown's."""
    return text.replace("``", "`")


if __name__ == "__main__":
    print(suite_reference(), end="")  # noqa: T201 - this is what it is run for

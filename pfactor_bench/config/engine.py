"""The section ``engine`` of a suite: a name, or a name with options."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast, get_args

from pfactor_bench.config.file import Section
from pfactor_bench.config.values import look_up
from pfactor_bench.training.engine import ENGINES
from pfactor_bench.types import EngineChoice, Precision

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["read_engine"]

_OPTIONS = ("precision", "graphs", "compile")
_PRECISIONS: Sequence[str] = get_args(Precision)


def read_engine(top: Section) -> EngineChoice:
    """Read ``engine``.

    Raises
    ------
    ConfigError
        For an unknown engine or option, or options that the engine does not have or that exclude
        each other.
    """
    given = top.get("engine", (str, Section), default="fast")
    if isinstance(given, str):
        look_up(top, "engine", ENGINES, given)
        return EngineChoice(kind=given)
    given.check_keys(["kind", *_OPTIONS])
    kind = given.get("kind", str, default="fast")
    engine = look_up(given, "kind", ENGINES, kind)
    for option in given.values:
        if option != "kind" and option not in engine.options:
            raise given.error(
                f"engine {kind!r} has no option {option!r}: leave it out, or write 'kind: fast'",
                option,
            )
    precision = given.get("precision", str, default="float32")
    if precision not in _PRECISIONS:
        raise given.error(
            f"precision is {precision!r}: it is one of {', '.join(map(repr, _PRECISIONS))}",
            "precision",
        )
    choice = EngineChoice(
        kind=kind,
        precision=cast("Precision", precision),
        graphs=given.get("graphs", bool, default=False),
        compile=given.get("compile", bool, default=False),
    )
    if choice.graphs and choice.compile:
        raise given.error(
            "graphs and compile exclude each other: both replace the steps; keep one", "compile"
        )
    return choice

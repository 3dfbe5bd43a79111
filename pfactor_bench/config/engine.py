"""The section ``engine`` of a suite: a name, or a section with its kind."""

from __future__ import annotations

from pfactor_bench.config.file import Section
from pfactor_bench.config.values import look_up
from pfactor_bench.training.engine import ENGINES
from pfactor_bench.types import EngineChoice

__all__ = ["read_engine"]

#: Options of earlier versions, which no measurement stood behind.
_REMOVED = ("precision", "graphs", "compile")


def read_engine(top: Section) -> EngineChoice:
    """Read ``engine``.

    Raises
    ------
    ConfigError
        For an unknown engine or key, or an option that was removed.
    """
    given = top.get("engine", (str, Section), default="fast")
    if isinstance(given, str):
        look_up(top, "engine", ENGINES, given)
        return EngineChoice(kind=given)
    for option in _REMOVED:
        if option in given.values:
            raise given.error(f"the engine's option {option!r} was removed: take it out", option)
    given.check_keys(["kind"])
    kind = given.get("kind", str, default="fast")
    look_up(given, "kind", ENGINES, kind)
    return EngineChoice(kind=kind)

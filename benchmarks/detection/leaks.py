"""The injected leaks, by name: from a clean scene to one that leaks in exactly one way."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from benchmarks import detection

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.detection.scenes import Scene

__all__ = ["Leak", "injected_leaks", "leak"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Leak:
    """A leak that can be injected.

    Parameters
    ----------
    name
        What is done wrong.
    kind
        In `pfactor_bench.checks.engine.kinds.KINDS`.
    plant
        ``plant(scene, severity)`` returns the leaky scene.
    severities
        From weak to full; empty where it is there or not.
    severity_means
        What the severity counts.
    needs
        ``"stages"`` of training or a ``"network"``; what a family must have.
    beyond_reach
        Why the audit cannot find it; empty where it should.
    """

    name: str
    kind: int
    plant: Callable[[Scene, float], Scene]
    severities: tuple[float, ...] = ()
    severity_means: str = ""
    needs: str = ""
    beyond_reach: str = ""

    @property
    def full_severity(self) -> float:
        """The strongest severity."""
        return self.severities[-1] if self.severities else 1.0

    @property
    def page(self) -> str:
        """What is done wrong, in a sentence."""
        return (self.plant.__doc__ or "").partition("\n")[0].rstrip(".")


_LEAKS: dict[str, Leak] = {}


def leak(
    name: str,
    kind: int,
    **more: Any,
) -> Callable[[Callable[[Scene, float], Scene]], Callable[[Scene, float], Scene]]:
    """Return a decorator that registers a function as an injected leak."""

    def register(plant: Callable[[Scene, float], Scene]) -> Callable[[Scene, float], Scene]:
        if name in _LEAKS:
            raise ValueError(f"injected leak {name!r} exists")
        _LEAKS[name] = Leak(name=name, kind=kind, plant=plant, **more)
        return plant

    return register


def injected_leaks() -> Mapping[str, Leak]:
    """Return the leaks of every module called ``injected_…`` by name, in the order of kinds."""
    for module in iter_modules(detection.__path__):
        if module.name.startswith("injected_"):
            import_module(f"{detection.__name__}.{module.name}")
    return dict(sorted(_LEAKS.items(), key=lambda entry: (entry[1].kind, entry[0])))

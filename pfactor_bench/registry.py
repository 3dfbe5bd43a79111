"""Names that a suite may use, each bound to a callable that is imported when it is needed."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pfactor_bench.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Registry", "found_in"]

T = TypeVar("T")


def found_in(package: str, attribute: str) -> tuple[Any, ...]:
    """Return what the modules of a folder call `attribute`, sorted by its ``order``.

    Whoever adds such a module adds a file and lists it nowhere.

    Parameters
    ----------
    package
        The folder's name for imports, such as ``"pfactor_bench.report.sections"``.
    attribute
        Modules without it are passed over.
    """
    names = [one.name for one in iter_modules(import_module(package).__path__)]
    modules = [import_module(f"{package}.{name}") for name in names]
    found = [getattr(module, attribute) for module in modules if hasattr(module, attribute)]
    return tuple(sorted(found, key=lambda one: one.order))


class Registry(Generic[T]):
    """A table from names to objects, filled by decorator or by ``module:attribute``.

    Parameters
    ----------
    what
        The singular noun that error messages use, such as ``"regime"``.

    Examples
    --------
    >>> COHORTS = Registry("cohort")
    >>> COHORTS.add_lazy("synthetic", "pfactor_bench.cohorts.synthetic:synthetic")
    >>> COHORTS["synthetic"]  # doctest: +SKIP
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self._entries: dict[str, T | str] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that stores what it decorates under `name`."""

        def store(entry: T) -> T:
            self._entries[name] = entry
            return entry

        return store

    def add_lazy(self, name: str, location: str) -> None:
        """Store ``module:attribute``, to be imported when `name` is first looked up."""
        self._entries[name] = location

    def __getitem__(self, name: str) -> T:
        """Return what stands under `name`.

        Raises
        ------
        UnknownNameError
            If nothing does; the message names the closest name.
        """
        if name not in self._entries:
            raise UnknownNameError(self.what, name, self._entries)
        entry = self._entries[name]
        if isinstance(entry, str):
            module, _, attribute = entry.partition(":")
            loaded: T = getattr(import_module(module), attribute)
            self._entries[name] = loaded
            return loaded
        return entry

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

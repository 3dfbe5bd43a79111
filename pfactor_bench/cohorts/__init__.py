"""Cohorts: windows of many subjects with one target each, from wherever they come.

A cohort is one function whose keyword arguments are the keys a suite may set, and which ends in
`make_cohort`. It is found where it lies: in a module of its own name beside this one, or in the
``cohort.py`` of a folder of its name.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pfactor_bench.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from pfactor_bench.cohorts.assemble import fingerprint, make_cohort
    from pfactor_bench.cohorts.braindecode import from_braindecode
    from pfactor_bench.cohorts.targets import parse_targets
    from pfactor_bench.types import Cohort, Ingredient

__all__ = [
    "COHORTS",
    "find_cohorts",
    "fingerprint",
    "from_braindecode",
    "is_simulated",
    "load_cohort",
    "make_cohort",
    "parse_targets",
    "reads_data_folder",
]

COHORTS: Registry[Callable[..., Cohort]] = Registry("cohort")


def find_cohorts() -> None:
    """Register what lies here, without importing it: that takes pandas, and whoever lists does not.

    Whoever adds a cohort adds a file and lists it nowhere.
    """
    for folder in map(Path, __path__):
        for file in (*folder.glob("*.py"), *folder.glob("*/cohort.py")):
            is_whole_folder = file.stem == "cohort"
            name = file.parent.name if is_whole_folder else file.stem
            if f"\ndef {name}(" in file.read_text(encoding="utf-8"):
                module = f"{__name__}.{name}{'.cohort' if is_whole_folder else ''}"
                COHORTS.add_lazy(name, f"{module}:{name}")


find_cohorts()

#: They import pandas, which whoever only lists cohorts or checks need not wait for.
_HOMES = {
    "fingerprint": "assemble",
    "from_braindecode": "braindecode",
    "make_cohort": "assemble",
    "parse_targets": "targets",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def reads_data_folder(kind: str) -> bool:
    """Return whether cohorts of this kind are looked for in the folder that ``--data`` names."""
    return "data_dir" in COHORTS[kind].__annotations__


def is_simulated(kind: str) -> bool:
    """Return whether cohorts of this kind are made up on the spot, and nothing is read."""
    return kind == "synthetic"


def load_cohort(recipe: Ingredient, data_dir: Path | None, **replaced: object) -> Cohort:
    """Return the cohort of a recipe, from the data folder where it reads one."""
    supplied: dict[str, Any] = {**recipe.args, **replaced}
    if data_dir is not None and reads_data_folder(recipe.kind):
        supplied["data_dir"] = data_dir
    return COHORTS[recipe.kind](**supplied)

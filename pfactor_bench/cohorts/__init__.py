"""Cohorts: windows of many subjects with one target each, from wherever they come.

A cohort is one registered function whose keyword arguments are the keys a suite may set. To add
one, write such a function, end it with `make_cohort`, and register it below.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pfactor_bench.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pfactor_bench.cohorts.assemble import fingerprint, make_cohort
    from pfactor_bench.cohorts.braindecode import from_braindecode
    from pfactor_bench.cohorts.targets import parse_targets
    from pfactor_bench.types import Cohort, Ingredient

__all__ = [
    "COHORTS",
    "fingerprint",
    "from_braindecode",
    "is_simulated",
    "load_cohort",
    "make_cohort",
    "parse_targets",
    "reads_data_folder",
]

COHORTS: Registry[Callable[..., Cohort]] = Registry("cohort")
COHORTS.add_lazy("synthetic", "pfactor_bench.cohorts.synthetic:synthetic")
COHORTS.add_lazy("bids", "pfactor_bench.cohorts.bids.cohort:bids")
COHORTS.add_lazy("arrays", "pfactor_bench.cohorts.arrays:arrays")
COHORTS.add_lazy("hbn", "pfactor_bench.cohorts.hbn.cohort:hbn")
COHORTS.add_lazy("eegmat", "pfactor_bench.cohorts.eegmat.cohort:eegmat")

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

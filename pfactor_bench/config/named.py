"""A cohort that a command is given by name."""

from __future__ import annotations

from pathlib import Path

from pfactor_bench.cohorts import COHORTS
from pfactor_bench.config.suite import load_suite
from pfactor_bench.errors import UnknownNameError
from pfactor_bench.types import Ingredient

__all__ = ["cohort_recipe"]


def cohort_recipe(named: str) -> Ingredient:
    """Return the recipe of the cohort of a suite file, or of a kind of cohort without arguments.

    Raises
    ------
    ConfigError
        If the suite cannot be read.
    UnknownNameError
        If there is no such kind.
    """
    if named.endswith((".yaml", ".yml")):
        return load_suite(Path(named)).cohort
    if named not in COHORTS:
        raise UnknownNameError("cohort", named, COHORTS)
    return Ingredient(kind=named, args={})

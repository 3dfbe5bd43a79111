"""A cohort that a command is given by name."""

from __future__ import annotations

from pfactor_bench.cohorts import COHORTS
from pfactor_bench.config.bundled import bundled_suites, suite_file
from pfactor_bench.config.suite import load_suite
from pfactor_bench.errors import UnknownNameError
from pfactor_bench.types import Ingredient


def cohort_recipe(named: str) -> Ingredient:
    """Return the recipe of a kind of cohort without arguments, or of the cohort of a suite.

    Parameters
    ----------
    named
        A kind, which wins where a suite has the same name; a suite's name; or a suite file's path.

    Raises
    ------
    ConfigError
        If the suite cannot be read.
    UnknownNameError
        If there is no such kind and no such suite.
    """
    if named in COHORTS:
        return Ingredient(kind=named, args={})
    try:
        file = suite_file(named)
    except UnknownNameError:
        raise UnknownNameError("cohort", named, {*COHORTS, *bundled_suites()}) from None
    return load_suite(file).cohort

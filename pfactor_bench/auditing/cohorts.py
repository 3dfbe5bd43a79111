"""What a target is audited on: a cohort, its name, or windows that braindecode has cut."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pfactor_bench.cohorts import COHORTS, load_cohort
from pfactor_bench.config.ingredient import needed_arguments
from pfactor_bench.config.named import cohort_recipe
from pfactor_bench.errors import CohortError, ConfigError
from pfactor_bench.types import Cohort

if TYPE_CHECKING:
    from pfactor_bench.types import Ingredient

__all__ = ["cohort_of", "named_cohort"]


def cohort_of(given: object, *, target: str | None, data_dir: Path | str | None) -> Cohort:
    """Return the cohort that is meant.

    Parameters
    ----------
    given
        A cohort; the name of one, or a suite's file; a braindecode data set of windows; None for
        the case study's synthetic cohort.
    target
        Which entry of the descriptions of braindecode's windows is to be predicted; only for these.
    data_dir
        The folder of the data, where `given` is a name.

    Raises
    ------
    CohortError
        If it is none of these, or the windows cannot be used.
    ConfigError
        If the name is unknown, or means a cohort that needs more said of it.
    """
    is_windows = hasattr(given, "datasets") or hasattr(given, "metadata")
    if target is not None and not is_windows:
        raise CohortError(
            f"target={target!r} is for windows of braindecode, and the cohort is "
            f"{type(given).__name__!r}, which has its own: leave it out"
        )
    if isinstance(given, Cohort):
        return given
    if given is None or isinstance(given, (str, Path)):
        return named_cohort("synthetic" if given is None else str(given), data_dir)
    if not is_windows:
        raise CohortError(
            f"the cohort is {type(given).__name__!r}: give a Cohort (make_cohort makes one from "
            f"arrays), a cohort's name, a suite's file, or braindecode's windows with target="
        )
    from pfactor_bench.cohorts.braindecode import from_braindecode

    return from_braindecode(given, target=target)


def named_cohort(name: str, data_dir: Path | str | None) -> Cohort:
    """Return the cohort of a suite's file, or one that needs nothing said of it.

    Parameters
    ----------
    name
        Of a cohort, or a suite file's path.
    data_dir
        The folder that it is looked for in.

    Raises
    ------
    ConfigError
        If there is no such cohort, or it needs arguments that only a suite gives.
    """
    recipe = _complete(name, cohort_recipe(name))
    return load_cohort(recipe, None if data_dir is None else Path(data_dir))


def _complete(name: str, recipe: Ingredient) -> Ingredient:
    if needed := needed_arguments(COHORTS[recipe.kind], recipe.args):
        raise ConfigError(
            f"cohort {name!r} needs {' and '.join(map(repr, needed))}: write them into a suite and "
            f"give its file, SUITE.yaml, as the cohort"
        )
    return recipe

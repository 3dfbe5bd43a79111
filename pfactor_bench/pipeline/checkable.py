"""Which checks a run of a suite has something to look at for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pfactor_bench.checks import catalogue
from pfactor_bench.cohorts import is_simulated, load_cohort

if TYPE_CHECKING:
    from pfactor_bench.checks import CatalogueEntry
    from pfactor_bench.config import Suite

#: What every run hands to the checks; with a source also what encoders were pretrained on.
INPUTS = frozenset(
    {
        "claims",
        "cohort",
        "declared_seeds",
        "ledger",
        "measurements",
        "metric",
        "predictions",
        "saliency",
        "split",
        "split_recipe",
    }
)


def checkable(suite: Suite) -> tuple[CatalogueEntry, ...]:
    """Return the checks whose input a run of a suite can have, in the order of their codes.

    Which columns the table of a cohort has is known beforehand where the cohort is simulated; of
    any other, checks that need a column are among them.
    """
    inputs = INPUTS if suite.source is None else INPUTS | {"pretraining"}
    columns = (
        set(load_cohort(suite.cohort, None).table.columns)
        if is_simulated(suite.cohort.kind)
        else None
    )
    return tuple(
        entry
        for entry in catalogue()
        if inputs.issuperset(entry.needs)
        and (not entry.columns or columns is None or columns.intersection(entry.columns))
    )

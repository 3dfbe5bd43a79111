"""The section ``source`` of a suite: what encoders are pretrained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pfactor_bench.cohorts import COHORTS
from pfactor_bench.config.file import Section
from pfactor_bench.config.values import list_of, look_up, read_budget, read_ingredient
from pfactor_bench.models.regimes import REGIMES
from pfactor_bench.training.pretraining.sources import SOURCES, SourceTask, StoredEncoder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pfactor_bench.training.pretraining.sources import People
    from pfactor_bench.types import Case

__all__ = ["read_source"]

#: The kind that is not learnt here: a file made elsewhere.
_STORED = "checkpoint"

_KEYS = ("kind", "cohort", "tasks", "people", "allow_shared_people", "budget", "seed")
_PEOPLE = ("all", "outside-fold")


def read_source(
    top: Section, cases: Sequence[Case], folder: Path
) -> SourceTask | StoredEncoder | None:
    """Read what encoders are pretrained on; None where no regime needs one.

    Parameters
    ----------
    top
        The suite.
    cases
        Its cases.
    folder
        The suite file's, which a stored encoder's path starts from.

    Raises
    ------
    ConfigError
        If a regime needs a source and there is none, there is one that none needs, or something in
        it is unknown.
    """
    needing = [case.start for case in cases if REGIMES[case.start].pretrained]
    if "source" not in top.values:
        if needing:
            raise top.error(
                f"regime {needing[0]!r} starts from an encoder: add a section 'source' that says "
                f"what it is pretrained on",
                "regimes",
            )
        return None
    if not needing:
        raise top.error(
            "no regime starts from the source's encoder: leave 'source' out, or add a regime such "
            "as 'linear-probe'",
            "source",
        )
    section = top.get("source", Section)
    if section.get("kind", str) == _STORED:
        return _read_stored(section, folder)
    return _read_task(section)


def _read_stored(section: Section, folder: Path) -> StoredEncoder:
    section.check_keys(["kind", "path", "allow_shared_people"])
    return StoredEncoder(
        path=folder / section.get("path", str),
        allow_shared_people=section.get("allow_shared_people", bool, default=False),
    )


def _read_task(section: Section) -> SourceTask:
    kind = section.get("kind", str)
    look_up(section, "kind", SOURCES, kind)
    section.check_keys(_KEYS)
    people = section.get("people", str, default="all")
    if people not in _PEOPLE:
        raise section.error(f"people is {people!r}: it is 'all' or 'outside-fold'", "people")
    budget = read_budget(section)
    if budget.inner is not None:
        raise section.error("a source's budget has no 'inner' validation: leave it out", "budget")
    tasks = list_of(section, "tasks", str) if "tasks" in section.values else []
    # A source of two tasks loads its cohort once for each.
    supplied = {"data_dir", "task"} if tasks else {"data_dir"}
    return SourceTask(
        kind=kind,
        cohort=read_ingredient(section, "cohort", COHORTS, supplied=supplied),
        budget=budget,
        seed=section.get("seed", int, default=0),
        tasks=tuple(tasks),
        people=cast("People", people),
        allow_shared_people=section.get("allow_shared_people", bool, default=False),
    )

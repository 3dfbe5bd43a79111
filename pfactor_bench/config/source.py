"""The section ``source`` of a suite: what encoders are pretrained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from pfactor_bench.cohorts import COHORTS
from pfactor_bench.config.file import FileSection
from pfactor_bench.config.ingredient import read_ingredient
from pfactor_bench.config.parse import parse, repeated
from pfactor_bench.errors import UnknownNameError
from pfactor_bench.models.regimes import REGIMES
from pfactor_bench.training.pretraining.sources import SOURCES, SourceTask, StoredEncoder
from pfactor_bench.types import Case


def read_source(
    top: FileSection, cases: Sequence[Case], folder: Path
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
    section = top.values.get("source")
    if section is None:
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
    if section.values.get("kind") == "checkpoint":
        values = {key: value for key, value in section.values.items() if key != "kind"}
        stored = parse(replace(section, values=values), StoredEncoder)
        return replace(stored, path=folder / stored.path)
    # A source of two tasks loads its cohort once for each.
    supplied = {"data_dir", "task"} if "tasks" in section.values else {"data_dir"}
    if isinstance(cohort := section.values.get("cohort"), FileSection):
        recipe = asdict(read_ingredient(cohort, COHORTS, supplied=supplied))
        section = replace(section, values={**section.values, "cohort": recipe})
    task = parse(section, SourceTask)
    if task.kind not in SOURCES:
        raise section.error(str(UnknownNameError("source", task.kind, SOURCES)), "kind")
    if message := repeated("tasks", task.tasks):
        raise section.error(message, "tasks")
    if task.budget.inner is not None:
        raise section.error("a source's budget has no 'inner' validation: leave it out", "budget")
    return task

"""A suite file, read and checked before anything heavy is imported."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pfactor_bench.cohorts import COHORTS
from pfactor_bench.config.bundled import suite_file
from pfactor_bench.config.cases import read_cases
from pfactor_bench.config.claims import read_claims
from pfactor_bench.config.engine import read_engine
from pfactor_bench.config.file import Section, read_section
from pfactor_bench.config.source import read_source
from pfactor_bench.config.values import list_of, look_up, read_budget, read_ingredient
from pfactor_bench.models.baselines import BASELINES
from pfactor_bench.splits.splitters import SPLITTERS
from pfactor_bench.training.saliency import WINDOW_CHOICES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pfactor_bench.registry import Registry
    from pfactor_bench.training.pretraining.sources import SourceTask, StoredEncoder
    from pfactor_bench.types import Budget, Case, Claim, EngineChoice, Ingredient

__all__ = ["Suite", "load_suite"]

_KEYS = (
    "name",
    "title",
    "question",
    "cohort",
    "split",
    "model",
    "models",
    "source",
    "regimes",
    "seeds",
    "budget",
    "engine",
    "threads",
    "saliency",
    "baselines",
    "claims",
    "quick",
)

#: As many threads as torch takes by itself.
_ALL_THREADS = "all"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Suite:
    """What a suite file declares.

    Parameters
    ----------
    name
        Also the name of the report's folder: lower-case letters, digits and hyphens.
    title, question
        The report's heading, and the question that its claims answer.
    path
        The file.
    sha256
        Over the file's bytes.
    definition
        The file as plain values, for the record.
    cohort, split
        What to run on.
    cases
        Every model in every regime with every seed, in the order of the file: what a run computes
        and what tests are parametrised over.
    source
        What encoders are pretrained on; None where no regime starts from one.
    budget
        How long to train.
    engine
        How cases are trained.
    threads
        How many of torch's threads train a case: part of its result, since it moves the third
        decimal. None is as many as torch takes by itself, one case at a time.
    saliency
        How windows are chosen for saliency maps; the first is drawn.
    baselines
        Simple predictors that every regime is set beside, besides the train mean.
    claims
        What to judge.
    quick
        Whether ``pytest suites`` runs it without being asked to.
    """

    name: str
    title: str
    question: str
    path: Path
    sha256: str
    definition: Mapping[str, Any]
    cohort: Ingredient
    split: Ingredient
    cases: tuple[Case, ...]
    source: SourceTask | StoredEncoder | None
    budget: Budget
    engine: EngineChoice
    threads: int | None
    saliency: tuple[str, ...]
    baselines: tuple[str, ...]
    claims: tuple[Claim, ...]
    quick: bool


def load_suite(named: str | Path) -> Suite:
    """Read a suite file and check every name and key in it.

    Parameters
    ----------
    named
        The YAML file, or the name of a suite that comes with the package.

    Returns
    -------
    Suite

    Raises
    ------
    UnknownNameError
        If there is no such suite.
    ConfigError
        With file and line, for anything unknown, missing, of the wrong kind, or contradictory.
    """
    path = suite_file(named)
    top = read_section(path)
    top.check_keys(_KEYS)
    name = top.get("name", str)
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", name):
        raise top.error(
            f"name {name!r} is also a folder's: use lower-case letters, digits and hyphens", "name"
        )
    cases, budget = read_cases(top, path.parent), read_budget(top)
    _refuse_two_choices_of_rate(top, cases, budget)
    return Suite(
        name=name,
        title=top.get("title", str),
        question=top.get("question", str),
        path=path,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        definition=top.plain(),
        cohort=read_ingredient(top, "cohort", COHORTS, supplied={"data_dir"}),
        split=read_ingredient(top, "split", SPLITTERS, supplied=set()),
        cases=cases,
        source=read_source(top, cases, path.parent),
        budget=budget,
        engine=read_engine(top),
        threads=_threads(top),
        saliency=_names(top, "saliency", WINDOW_CHOICES, default=("all-held-out",)),
        baselines=_names(top, "baselines", BASELINES, default=()),
        claims=read_claims(top),
        quick=top.get("quick", bool, default=False),
    )


def _refuse_two_choices_of_rate(top: Section, cases: Sequence[Case], budget: Budget) -> None:
    """Refuse a regime's own learning rate beside rates that every fold chooses among."""
    tried = budget.inner.learning_rates if budget.inner else ()
    for case in cases:
        if tried and case.learning_rate is not None:
            raise top.error(
                f"regime {case.regime!r} has learning_rate {case.learning_rate:g}, and 'inner' "
                f"chooses among {', '.join(f'{rate:g}' for rate in tried)}: keep one of them",
                "regimes",
            )


def _threads(top: Section) -> int | None:
    value = top.get("threads", (int, str), default=1)
    if value == _ALL_THREADS:
        return None
    if isinstance(value, str) or value < 1:
        raise top.error(f"threads is {value!r}: it is a count above 0, or 'all'", "threads")
    return int(value)


def _names(
    top: Section, key: str, registry: Registry[Any], *, default: tuple[str, ...]
) -> tuple[str, ...]:
    """Return a list of registered names, each looked up so that a typo costs no training."""
    if key not in top.values:
        return default
    names = list_of(top, key, str)
    for name in names:
        look_up(top, key, registry, name)
    return tuple(names)

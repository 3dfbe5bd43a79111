"""A suite file, read and checked before anything heavy is imported."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pfactor_bench.cohorts import COHORTS
from pfactor_bench.config.bundled import suite_file
from pfactor_bench.config.cases import make_cases
from pfactor_bench.config.claims import make_claims
from pfactor_bench.config.file import FileSection, read_section
from pfactor_bench.config.ingredient import read_ingredient
from pfactor_bench.config.keys import SuiteKeys
from pfactor_bench.config.parse import parse, repeated
from pfactor_bench.config.source import read_source
from pfactor_bench.splits.splitters import SPLITTERS
from pfactor_bench.types import EngineChoice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pfactor_bench.training.pretraining.sources import SourceTask, StoredEncoder
    from pfactor_bench.types import Budget, Case, Claim, Ingredient


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Suite:
    """What a suite file declares.

    Parameters
    ----------
    path
        The file.
    sha256
        Over the file's bytes.
    definition
        The file as plain values, for the record.
    cases
        Every model in every regime with every seed, in the order of the file: what a run computes
        and what tests are parametrised over.
    source
        What encoders are pretrained on; None where no regime starts from one.
    threads
        None is as many as torch takes by itself, one case at a time.

    Notes
    -----
    The others are the file's own keys: see `pfactor_bench.config.keys.SuiteKeys`.
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

    def __repr__(self) -> str:
        from pfactor_bench.config.display import suite_line

        return suite_line(self)

    def _repr_html_(self) -> str:
        from pfactor_bench.config.display import suite_html

        return suite_html(self)


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
    keys = parse(top, SuiteKeys)
    cases = make_cases(keys, top, path.parent)
    _check_rates(top, cases, keys.budget)
    return Suite(
        name=keys.name,
        title=keys.title,
        question=keys.question,
        path=path,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        definition=top.plain(),
        cohort=read_ingredient(top.values["cohort"], COHORTS, supplied={"data_dir"}),
        split=read_ingredient(top.values["split"], SPLITTERS),
        cases=cases,
        source=read_source(top, cases, path.parent),
        budget=keys.budget,
        engine=EngineChoice(kind=keys.engine),
        threads=keys.threads,
        saliency=keys.saliency,
        baselines=keys.baselines,
        claims=make_claims(keys.claims, top),
        quick=keys.quick,
    )


def _check_rates(top: FileSection, cases: Sequence[Case], budget: Budget) -> None:
    """Refuse learning rates that stand twice, or beside those that every fold chooses among."""
    tried = budget.inner.learning_rates if budget.inner else ()
    if message := repeated("learning_rates", tried):
        raise top.values["budget"].values["inner"].error(message, "learning_rates")
    for case in cases:
        if tried and case.learning_rate is not None:
            raise top.error(
                f"regime {case.regime!r} has learning_rate {case.learning_rate:g}, and 'inner' "
                f"chooses among {', '.join(f'{rate:g}' for rate in tried)}: keep one of them",
                "regimes",
            )
